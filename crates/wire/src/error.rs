//! What can be wrong with an entry.

use std::fmt;

use crate::base64::Base64Error;
use crate::level::LevelError;
use crate::mode::UnsupportedMode;
use crate::node::NodeError;
use crate::payload::PayloadError;
use crate::response::ErrorCode;
use crate::timestamp::TimestampError;

/// A field of an entry, in canonical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The sender's name.
    Node,
    /// The sealed message in base64.
    Payload,
    /// The severity.
    Loglevel,
    /// The time.
    Timestamp,
    /// How it is sealed.
    EncryptionMode,
    /// The initialisation vector in base64.
    Iv,
    /// The salt in base64.
    Salt,
}

impl Field {
    /// All fields in canonical order.
    pub const ALL: [Self; 7] = [
        Self::Node,
        Self::Payload,
        Self::Loglevel,
        Self::Timestamp,
        Self::EncryptionMode,
        Self::Iv,
        Self::Salt,
    ];

    /// The field's JSON name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Payload => "payload",
            Self::Loglevel => "loglevel",
            Self::Timestamp => "timestamp",
            Self::EncryptionMode => "encryption_mode",
            Self::Iv => "iv",
            Self::Salt => "salt",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where on its way from bytes to a message an entry failed. The vectors name the stage of every
/// negative case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The bytes are not one JSON object in UTF-8 with distinct keys.
    Json,
    /// A field is missing, of a wrong type, or out of its range.
    Field,
    /// A field is not canonical base64.
    Base64,
    /// The iv, the salt or the payload has a wrong length.
    Size,
    /// The mode is none that exists.
    Mode,
    /// The secret is not the one, or the entry was altered.
    Authentication,
    /// The opened message is not UTF-8.
    Utf8,
}

impl Stage {
    /// The stage's name in vectors and in the subject protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Field => "field",
            Self::Base64 => "base64",
            Self::Size => "size",
            Self::Mode => "mode",
            Self::Authentication => "authentication",
            Self::Utf8 => "utf8",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why bytes are no entry. No variant holds anything of a payload; the name of an unknown field is
/// cut to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The bytes are not JSON.
    #[error("not valid JSON at line {line}, column {column}")]
    Json {
        /// The line of the first fault, from 1.
        line: usize,
        /// The column of it, from 1 (0 where a line ends too early).
        column: usize,
    },
    /// The bytes are not UTF-8, and so not JSON (RFC 8259, section 8.1).
    #[error("not valid UTF-8 at byte {at}")]
    NotUtf8 {
        /// How many bytes before the fault are good.
        at: usize,
    },
    /// The bytes are JSON, but not an object.
    #[error("an entry is one JSON object")]
    NotAnObject,
    /// A key stands more than once.
    #[error("field {name:?} stands more than once")]
    DuplicateField {
        /// The key.
        name: String,
    },
    /// A key that no entry has.
    #[error("unknown field {name:?}: an entry has no such field, and it could hold plain text")]
    UnknownField {
        /// The key.
        name: String,
    },
    /// A field is not there.
    #[error("{field} is missing")]
    MissingField {
        /// Which.
        field: Field,
    },
    /// A field has another JSON type; `null` and `7.0` are such.
    #[error("{field} must be {expected}")]
    WrongType {
        /// Which.
        field: Field,
        /// What it must be.
        expected: &'static str,
    },
    /// A field is not canonical base64.
    #[error("{field} is not canonical base64: {reason}")]
    Base64 {
        /// Which.
        field: Field,
        /// What is wrong.
        reason: Base64Error,
    },
    /// The iv or the salt has a wrong length.
    #[error("{field} must be {expected} bytes and is {got}")]
    Length {
        /// Which.
        field: Field,
        /// What it must have.
        expected: usize,
        /// What it has.
        got: usize,
    },
    /// The payload has a wrong length.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The node is not one.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The level is not one.
    #[error(transparent)]
    Level(#[from] LevelError),
    /// The timestamp is not one.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// The mode is none that exists.
    #[error(transparent)]
    Mode(#[from] UnsupportedMode),
}

impl EntryError {
    /// Where the entry failed.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Json { .. }
            | Self::NotUtf8 { .. }
            | Self::NotAnObject
            | Self::DuplicateField { .. } => Stage::Json,
            Self::UnknownField { .. }
            | Self::MissingField { .. }
            | Self::WrongType { .. }
            | Self::Node(_)
            | Self::Level(_)
            | Self::Timestamp(_) => Stage::Field,
            Self::Base64 { .. } => Stage::Base64,
            Self::Length { .. } | Self::Payload(_) => Stage::Size,
            Self::Mode(_) => Stage::Mode,
        }
    }

    /// The field that is at fault, where it is one of an entry's own.
    #[must_use]
    pub fn field(&self) -> Option<Field> {
        match self {
            Self::MissingField { field }
            | Self::WrongType { field, .. }
            | Self::Base64 { field, .. }
            | Self::Length { field, .. } => Some(*field),
            Self::Payload(_) => Some(Field::Payload),
            Self::Node(_) => Some(Field::Node),
            Self::Level(_) => Some(Field::Loglevel),
            Self::Timestamp(_) => Some(Field::Timestamp),
            Self::Mode(_) => Some(Field::EncryptionMode),
            Self::DuplicateField { name } => {
                Field::ALL.into_iter().find(|field| field.name() == name)
            }
            _ => None,
        }
    }

    /// The error code that the ingest API answers (PROTOCOL 7).
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Json { .. } | Self::NotUtf8 { .. } => ErrorCode::InvalidJson,
            Self::UnknownField { .. } => ErrorCode::UnknownField,
            Self::Mode(_) => ErrorCode::UnsupportedMode,
            Self::Payload(PayloadError::TooLong) => ErrorCode::PayloadTooLarge,
            _ => ErrorCode::InvalidEntry,
        }
    }
}
