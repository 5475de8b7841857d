//! Entries that this version cannot read.

use std::fmt;

use logflux_wire::{Entry, EntryError, Stage};

/// What a server returned, and this version cannot read as an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What came, as text.
    pub json: String,
    /// Why it is no entry here.
    pub error: EntryError,
}

impl Unread {
    /// Reads an entry, or keeps it as it came.
    pub(crate) fn parse(json: &[u8]) -> Result<Entry, Self> {
        let unread = |error| Self { json: String::from_utf8_lossy(json).into_owned(), error };
        Entry::parse(json).map_err(unread)
    }

    /// Whether it is an entry of a mode that only a newer version knows: it can be passed on in a line.
    #[must_use]
    pub fn is_of_unknown_mode(&self) -> bool {
        self.error.stage() == Stage::Mode && !self.json.contains(['\n', '\r'])
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}
