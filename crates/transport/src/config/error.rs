//! What is wrong with a setting.

use std::fmt;

/// A setting is missing or invalid. It holds neither a secret nor an API key, nor the value itself.
///
/// ```
/// use logflux_transport::InFlight;
///
/// let error = InFlight::new(100).unwrap_err();
/// assert_eq!(error.to_string(), "max_in_flight: must be a whole number from 1 to 16");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The setting's name, such as `queue_size`; or, for a value from the environment, the variable
    /// it was read from, such as `LOGFLUX_QUEUE_SIZE`.
    pub setting: &'static str,
    /// What is wrong with it, and what it must be.
    pub reason: Reason,
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is needed, and not set.
    Missing,
    /// It is not UTF-8.
    NotUtf8,
    /// It is not a value that the setting can have. The text says what can be.
    Invalid(String),
}

impl ConfigError {
    /// A value that the setting cannot have; `what` says what can be.
    pub(crate) fn invalid(setting: &'static str, what: &dyn fmt::Display) -> Self {
        Self { setting, reason: Reason::Invalid(what.to_string()) }
    }

    /// The same, for a value that was read from this variable or option.
    #[must_use]
    pub fn named(self, setting: &'static str) -> Self {
        Self { setting, ..self }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setting = self.setting;
        match &self.reason {
            Reason::Missing => write!(f, "{setting} is not set"),
            Reason::NotUtf8 => write!(f, "{setting} is not UTF-8"),
            Reason::Invalid(what) => write!(f, "{setting}: {what}"),
        }
    }
}
