//! The 256-bit key that a derivation yields.

use std::fmt;

use zeroize::Zeroize;

/// A 256-bit key, zeroed when dropped; its `Debug` form shows nothing of it.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// The length of a key in bytes.
    pub const LEN: usize = 32;

    /// Takes over key bytes that were derived elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The key's bytes. Copies of them are the caller's to zero.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub(crate) fn zero() -> Self {
        Self([0; Self::LEN])
    }

    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8; Self::LEN] {
        &mut self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}
