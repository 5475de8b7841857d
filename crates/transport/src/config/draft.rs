//! A configuration that is being read.

use std::path::PathBuf;

use super::client_config::ClientConfig;
use super::error::ConfigError;
use super::numbers::{BackoffFactor, InitialDelay, MaxDelay};

/// How a setting is read from its variable.
#[derive(Clone, Copy, Debug)]
pub(super) enum Read {
    /// It is needed before all others.
    First,
    /// From text.
    Text(fn(&mut Draft, &str) -> Result<(), ConfigError>),
    /// From a path, which need not be UTF-8.
    Path(fn(&mut Draft, PathBuf)),
    /// By [`SecretSource`](crate::SecretSource).
    Secret,
    /// It is set in code alone.
    Code,
}

/// A configuration whose settings are not yet checked against each other.
pub(super) struct Draft {
    pub(super) config: ClientConfig,
    pub(super) initial_delay: InitialDelay,
    pub(super) max_delay: MaxDelay,
    pub(super) factor: BackoffFactor,
}
