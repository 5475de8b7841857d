//! For test vectors only: sealing with a given salt and iv, and keys laid bare.
//!
//! Nothing else may call this. Two messages under one salt and iv can both be read by anyone who
//! has the two entries, and forged ones can be made.

use logflux_wire::{Entry, Iv, Level, Mode, Node, Payload, Salt, Timestamp};

pub use logflux_kdf::Key;

use crate::backend::Expander;
use crate::derive;
use crate::entry_key::{EntryKey, Metadata, expand};
use crate::error::SealError;
use crate::sealer::Message;
use crate::secret::Secret;

/// Everything that an entry is made of.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// How to seal.
    pub mode: Mode,
    /// The salt.
    pub salt: Salt,
    /// The iv.
    pub iv: Iv,
    /// The sender's name.
    pub node: &'a Node,
    /// The severity.
    pub level: Level,
    /// The time.
    pub timestamp: Timestamp,
}

/// Seals `message` with the salt and the iv that are given. **For test vectors only.**
///
/// # Errors
/// [`SealError`] for a message that is too long, or where memory is short.
pub fn seal_with_salt_and_iv(
    message: &[u8],
    secret: &Secret,
    given: &Given<'_>,
) -> Result<Entry, SealError> {
    let Given { mode, salt, iv, node, level, timestamp } = *given;
    SaltedKey::derive(secret, mode, salt)?
        .seal(Message { bytes: message, node, level, timestamp }, iv)
}

/// What a mode derives of a secret and a salt, for many entries. **For test vectors only.**
pub struct SaltedKey {
    mode: Mode,
    salt: Salt,
    key: EntryKey,
}

impl SaltedKey {
    /// One derivation.
    ///
    /// # Errors
    /// [`SealError::Derivation`] where memory is short.
    pub fn derive(secret: &Secret, mode: Mode, salt: Salt) -> Result<Self, SealError> {
        let key = first_key(secret, mode, &salt)?;
        Ok(Self { mode, salt, key: EntryKey::new(mode, &key).ok_or(SealError::Cipher)? })
    }

    /// Seals `message` with the iv that is given.
    ///
    /// # Errors
    /// [`SealError`] for a message that is too long.
    pub fn seal(&self, message: Message<'_>, iv: Iv) -> Result<Entry, SealError> {
        let Message { bytes, node, level, timestamp } = message;
        let Self { mode, salt, .. } = *self;
        let mut payload = Vec::new();
        self.key
            .seal(bytes, &salt, &iv, Metadata { node, level, timestamp }, &mut payload)
            .ok_or(SealError::Cipher)?;
        let too_long = SealError::MessageTooLong { max: mode.message_max(), got: bytes.len() };
        let payload = Payload::new(payload).map_err(|_| too_long.clone())?;
        Entry::new(node.clone(), payload, level, timestamp, mode, iv, salt).map_err(|_| too_long)
    }
}

impl std::fmt::Debug for SaltedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SaltedKey").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The 32 bytes that key the cipher of an entry with this salt; in mode 128, the entry's own key.
/// **For test vectors only.**
///
/// # Errors
/// [`SealError::Derivation`] where memory is short.
pub fn derive_key(secret: &Secret, mode: Mode, salt: &Salt) -> Result<Key, SealError> {
    let key = first_key(secret, mode, salt)?;
    match mode {
        Mode::Hkdf => {
            let expanded = Expander::new(&key).and_then(|epoch| expand(&epoch, salt));
            expanded.map(|expanded| expanded.key).ok_or(SealError::Cipher)
        }
        _ => Ok(key),
    }
}

fn first_key(secret: &Secret, mode: Mode, salt: &Salt) -> Result<Key, SealError> {
    derive::derive_many(secret, mode, &[derive::input(mode, salt)])
        .ok()
        .and_then(|mut keys| keys.pop())
        .ok_or(SealError::Derivation)
}
