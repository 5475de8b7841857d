//! Why a call fails.

use std::fmt;

/// Why a call fails, in words that have no secret, message or key in them. Each kind is an exception of
/// its own in an SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A setting is missing or wrong. The sentence begins with its name, or that of its variable.
    Settings(String),
    /// There is no secret, or it is wrong.
    Secret(String),
    /// Anything else.
    Other(&'static str),
}

impl Fault {
    /// The setting of this name is wrong.
    pub fn setting(name: &str, error: impl fmt::Display) -> Self {
        Self::Settings(format!("{name}: {error}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(text) | Self::Secret(text) => f.write_str(text),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}
