//! What travels for one message.

use crate::error::EntryError;
use crate::level::Level;
use crate::mode::Mode;
use crate::node::Node;
use crate::parse::{self, UnknownFields};
use crate::payload::{Payload, PayloadError};
use crate::timestamp::Timestamp;
use crate::write::{self, EntryParts};
use crate::{Iv, Salt};

/// What travels for one message: seven valid fields (PROTOCOL 2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    node: Node,
    payload: Payload,
    level: Level,
    timestamp: Timestamp,
    mode: Mode,
    iv: Iv,
    salt: Salt,
}

impl Entry {
    /// Puts an entry together.
    ///
    /// # Errors
    /// [`PayloadError::TooShort`] where the payload is shorter than its mode's empty message.
    pub fn new(
        node: Node,
        payload: Payload,
        level: Level,
        timestamp: Timestamp,
        mode: Mode,
        iv: Iv,
        salt: Salt,
    ) -> Result<Self, PayloadError> {
        let got = payload.as_bytes().len();
        if got < mode.overhead() {
            return Err(PayloadError::TooShort { at_least: mode.overhead(), got });
        }
        Ok(Self { node, payload, level, timestamp, mode, iv, salt })
    }

    /// Reads one entry as an opener does: strictly, but fields that no entry has are ignored.
    ///
    /// # Errors
    /// [`EntryError`] with the first fault.
    pub fn parse(json: &[u8]) -> Result<Self, EntryError> {
        parse::entry(json, UnknownFields::Ignore)
    }

    /// Reads one entry as the ingest API does: a field that no entry has is refused, since that is
    /// how plain text would leak by mistake.
    ///
    /// # Errors
    /// [`EntryError`] with the first fault.
    pub fn parse_strict(json: &[u8]) -> Result<Self, EntryError> {
        parse::entry(json, UnknownFields::Reject)
    }

    /// The canonical JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.append_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the canonical JSON to `out`.
    pub fn append_json(&self, out: &mut Vec<u8>) {
        let parts = EntryParts {
            node: &self.node,
            payload: self.payload.as_bytes(),
            level: self.level,
            timestamp: self.timestamp,
            mode: self.mode,
            iv: &self.iv,
            salt: &self.salt,
        };
        write::append_entry(&parts, out);
    }

    /// The sender's name.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The sealed message.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The severity.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The time.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// How the entry is sealed.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The initialisation vector.
    #[must_use]
    pub fn iv(&self) -> &Iv {
        &self.iv
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &Salt {
        &self.salt
    }
}
