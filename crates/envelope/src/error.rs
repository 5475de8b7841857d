//! What can go wrong in sealing and opening.

use logflux_wire::Stage;

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system's random generator failed: {0}")]
pub struct RandomError(#[from] getrandom::Error);

/// Why a message was not sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The message is longer than an entry can hold.
    #[error("message has {got} bytes, and {max} is the most in this mode: split it")]
    MessageTooLong {
        /// The most bytes in this mode.
        max: usize,
        /// What it has.
        got: usize,
    },
    /// There are no random bytes for a salt or an iv.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A memory-hard derivation failed, for lack of memory.
    #[error("key derivation failed: not enough memory for this mode")]
    Derivation,
    /// The cipher refused. It cannot for a message within its bounds.
    #[error("the cipher failed")]
    Cipher,
}

/// Why an entry was not opened. Nothing of the message, and nothing of the secret, is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The secret is another, or the entry was altered. Which of them cannot be known.
    #[error(
        "authentication failed: the secret is not the one it was sealed with, or the entry was altered"
    )]
    Authentication,
    /// The message is authentic, but not UTF-8. [`open_bytes`](crate::open_bytes) gives it.
    #[error("the message is not UTF-8: open it as bytes")]
    Utf8,
    /// A memory-hard derivation failed, for lack of memory.
    #[error("key derivation failed: not enough memory for this mode")]
    Derivation,
}

impl OpenError {
    /// Where the entry failed, as the vectors name it.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Authentication | Self::Derivation => Stage::Authentication,
            Self::Utf8 => Stage::Utf8,
        }
    }
}
