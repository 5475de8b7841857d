//! The severity of a message.

use std::fmt;
use std::str::FromStr;

/// A severity: the syslog severity (RFC 5424, section 6.2.1) plus one, so 1 to 8.
///
/// Ordered as the numbers are: `Level::Error < Level::Debug`, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// 1: the system is unusable.
    Emergency = 1,
    /// 2: action must be taken at once.
    Alert = 2,
    /// 3: a critical condition.
    Critical = 3,
    /// 4: an error.
    Error = 4,
    /// 5: a warning.
    Warning = 5,
    /// 6: normal, but significant.
    Notice = 6,
    /// 7: informational.
    Info = 7,
    /// 8: for debugging.
    Debug = 8,
}

impl Level {
    /// All levels, the most severe first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Info,
        Self::Debug,
    ];

    /// The number that travels as `loglevel`, 1 to 8.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name in lower case, such as `warning`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Alert => "alert",
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// The level with this number.
    ///
    /// # Errors
    /// [`LevelError`] for a number outside 1 to 8.
    pub fn from_number(number: u64) -> Result<Self, LevelError> {
        Self::ALL.into_iter().find(|level| u64::from(level.number()) == number).ok_or(LevelError)
    }
}

/// The name in lower case.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a number (`7`), a name in any case (`Info`), or syslog's short form (`err`).
impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        if let Ok(number) = text.parse() {
            return Self::from_number(number);
        }
        let name = text.to_ascii_lowercase();
        let full = match name.as_str() {
            "emerg" => "emergency",
            "crit" => "critical",
            "err" => "error",
            "warn" => "warning",
            other => other,
        };
        Self::ALL.into_iter().find(|level| level.name() == full).ok_or(LevelError)
    }
}

/// The value names no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "loglevel must be 1 to 8 (emergency, alert, critical, error, warning, notice, info, debug)"
)]
pub struct LevelError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_syslog_severities_plus_one() {
        let numbers: Vec<u8> = Level::ALL.into_iter().map(Level::number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
        for level in Level::ALL {
            assert_eq!(Level::from_number(level.number().into()), Ok(level));
        }
        for wrong in [0, 9, 256, u64::MAX] {
            assert_eq!(Level::from_number(wrong), Err(LevelError));
        }
    }

    #[test]
    fn text_may_be_a_number_a_name_or_the_short_form_of_syslog() {
        for (text, level) in [
            ("1", Level::Emergency),
            ("emerg", Level::Emergency),
            ("CRIT", Level::Critical),
            ("err", Level::Error),
            ("Warn", Level::Warning),
            ("info", Level::Info),
            ("8", Level::Debug),
        ] {
            assert_eq!(text.parse(), Ok(level), "{text}");
        }
        for wrong in ["", "0", "9", "7.0", "fatal", " info"] {
            assert_eq!(wrong.parse::<Level>(), Err(LevelError), "{wrong:?}");
        }
    }
}
