//! What a subject is to be certified as.

use std::fmt;

/// Which operations a subject must have. What it must not have is not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// `open`, `parse`, `seal` and `ship`.
    #[default]
    Full,
    /// `open` and `parse`: what reads logs.
    Reader,
    /// `seal` and `ship`: what writes them.
    Sender,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Full, Self::Reader, Self::Sender];

    /// The name in reports and options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Reader => "reader",
            Self::Sender => "sender",
        }
    }

    /// The operations that are asked; `derive` may always be lacking.
    pub(crate) const fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Full => &["open", "parse", "seal", "derive", "ship"],
            Self::Reader => &["open", "parse", "derive"],
            Self::Sender => &["seal", "derive", "ship"],
        }
    }

    /// Whether a case that needs these operations belongs to it.
    #[must_use]
    pub fn asks(self, operations: &[&str]) -> bool {
        operations.iter().all(|operation| self.operations().contains(operation))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
