//! Why the generator fails.

use logflux_envelope::{SealError, SecretError};
use logflux_wire::{NodeError, TimestampError};

/// Why the suite could not be made. All of them are faults of the generator, or of the code that
/// seals for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A case has a secret that is none.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A case has a node that is none.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A case has a level that is none.
    #[error(transparent)]
    Level(#[from] logflux_wire::LevelError),
    /// A case has a timestamp that is none.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// A message could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A file could not be written as JSON.
    #[error("a vector file could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A flag has no note.
    #[error("flag {0} has no note: add one to the generator's notes")]
    Note(String),
}
