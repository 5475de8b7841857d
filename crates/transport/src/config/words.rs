//! Settings whose types say nothing of settings.

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use logflux_wire::{ApiKey, ApiKeyError, Level, Mode, Node};
use zeroize::Zeroizing;

use super::error::ConfigError;
use crate::endpoint::Endpoint;

/// The setting that names the file of the API key.
pub(super) const API_KEY_FILE: &str = "api_key_file";
/// So many bytes are more than the file of an API key has.
const KEY_FILE_MAX: usize = 4096;
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

/// Reads the API key in a file, which may be a pipe.
pub(super) fn api_key_file(path: &Path) -> Result<ApiKey, ConfigError> {
    let invalid = |what: &dyn Display| {
        ConfigError::invalid(API_KEY_FILE, &format_args!("{}: {what}", path.display()))
    };
    let mut text = Zeroizing::new(Vec::with_capacity(KEY_FILE_MAX));
    let file = File::open(path).and_then(logflux_process::above_standard_streams);
    let read = file.and_then(|file| file.take(KEY_FILE_MAX as u64).read_to_end(&mut text));
    read.map_err(|error| invalid(&error))?;
    // A text of the greatest length may be the beginning of a longer one.
    let whole = (text.len() < KEY_FILE_MAX).then_some(&*text);
    let key = whole.and_then(|text| str::from_utf8(text).ok());
    key.unwrap_or_default().trim().parse().map_err(|error: ApiKeyError| invalid(&error))
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
