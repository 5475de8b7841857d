//! Settings whose types say nothing of settings.

use std::fmt::Display;

use logflux_wire::{ApiKey, Level, Mode, Node};

use super::error::ConfigError;
use crate::endpoint::Endpoint;

/// What a mode may be, in words.
pub(super) const MODES: &str = "1, 2, 3, 4 or 128, or a mode's name";
/// What a level may be, in words.
pub(super) const LEVELS: &str =
    "1 to 8, or emergency, alert, critical, error, warning, notice, info or debug";

/// Reads the server's URL.
pub(super) fn endpoint(url: &str) -> Result<Endpoint, ConfigError> {
    url.parse().map_err(|error| ConfigError::invalid("server_url", &error))
}

/// Reads an API key.
pub(super) fn api_key(key: &str) -> Result<ApiKey, ConfigError> {
    key.parse().map_err(|error| ConfigError::invalid("api_key", &error))
}

pub(super) fn node(name: &str) -> Result<Node, ConfigError> {
    Node::new(name).map_err(|error| ConfigError::invalid("node", &error))
}

pub(super) fn mode(text: &str) -> Result<Mode, ConfigError> {
    must_be(text.parse().ok(), "mode", MODES)
}

pub(super) fn level(text: &str) -> Result<Level, ConfigError> {
    must_be(text.parse().ok(), "min_level", LEVELS)
}

fn must_be<T>(
    value: Option<T>,
    setting: &'static str,
    values: impl Display,
) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::invalid(setting, &format_args!("must be {values}")))
}
