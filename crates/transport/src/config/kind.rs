//! What a setting may be, for programs and in words.

use std::time::Duration;

use super::show;

/// What a setting may be: its bounds, with both ends, and its default.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number.
    Number {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
        /// Where none is given.
        default: u64,
    },
    /// A number of bytes; as text also with a unit, such as `64MiB`.
    Size {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
        /// Where none is given.
        default: u64,
    },
    /// A number with a fraction.
    Factor {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// Where none is given.
        default: f64,
    },
    /// A duration; as text with a unit, such as `250ms`.
    Duration {
        /// The least.
        min: Duration,
        /// The greatest.
        max: Duration,
        /// Where none is given.
        default: Duration,
    },
    /// One of a few words.
    Choice {
        /// The words.
        words: &'static [&'static str],
        /// Where none is given.
        default: &'static str,
    },
    /// A text of a form of its own, or a path.
    Text {
        /// What it may be.
        values: &'static str,
        /// What holds where none is given; `None` where the setting is needed.
        default: Option<&'static str>,
    },
}

impl Kind {
    /// What it may be, in words: `a whole number from 1 to 16`. In an error, "must be" stands before
    /// it.
    #[must_use]
    pub fn values(&self) -> String {
        match self {
            Self::Number { min, max, .. } => {
                format!("a whole number from {} to {}", show::number(*min), show::number(*max))
            }
            Self::Size { min, max, .. } => {
                format!("a size from {} to {}", show::size(*min), show::size(*max))
            }
            Self::Factor { min, max, .. } => format!("a number from {min} to {max}"),
            Self::Duration { min, max, .. } => {
                format!("a duration from {} to {}", show::duration(*min), show::duration(*max))
            }
            Self::Choice { words, .. } => {
                let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                match quoted.split_last() {
                    Some((last, [])) => last.clone(),
                    Some((last, others)) => format!("{} or {last}", others.join(", ")),
                    None => String::new(),
                }
            }
            Self::Text { values, .. } => (*values).to_owned(),
        }
    }

    /// The default, in words; `None` where the setting is needed.
    #[must_use]
    pub fn default(&self) -> Option<String> {
        match self {
            Self::Number { default, .. } => Some(show::number(*default)),
            Self::Size { default, .. } => Some(show::size(*default)),
            Self::Factor { default, .. } => Some(default.to_string()),
            Self::Duration { default, .. } => Some(show::duration(*default)),
            Self::Choice { default, .. } => Some((*default).to_owned()),
            Self::Text { default, .. } => default.map(str::to_owned),
        }
    }
}
