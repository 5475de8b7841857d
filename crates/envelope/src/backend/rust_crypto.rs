//! RustCrypto's implementations, and our own derivation.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use logflux_kdf::{ITERATIONS, Key};
use logflux_wire::Iv;
use sha2::Sha256;

use super::Tag;

/// AES-256-GCM under one key; the key schedule is zeroed when it is dropped.
pub(crate) struct AesGcm(Aes256Gcm);

impl AesGcm {
    pub(crate) fn new(key: &Key) -> Option<Self> {
        Some(Self(Aes256Gcm::new(key.as_bytes().into())))
    }

    /// Encrypts `buffer` where it stands and gives its tag; `None` where it is too long.
    pub(crate) fn seal(&self, iv: &Iv, aad: &[u8], buffer: &mut [u8]) -> Option<Tag> {
        let buffer = InOutBuf::from(buffer);
        let tag = self.0.encrypt_inout_detached(iv.as_bytes().into(), aad, buffer);
        tag.ok().map(Into::into)
    }

    /// Decrypts `buffer` where it stands; false where the tag is not its.
    pub(crate) fn open(&self, iv: &Iv, aad: &[u8], buffer: &mut [u8], tag: &Tag) -> bool {
        let buffer = InOutBuf::from(buffer);
        self.0.decrypt_inout_detached(iv.as_bytes().into(), aad, buffer, tag.into()).is_ok()
    }
}

/// HKDF-Expand-SHA256 (RFC 5869, section 2.3) of one pseudo-random key.
pub(crate) struct Expander(Hkdf<Sha256>);

impl Expander {
    pub(crate) fn new(key: &Key) -> Option<Self> {
        Hkdf::from_prk(key.as_bytes()).ok().map(Self)
    }

    /// Fills `okm` for the information `parts`, one after the other.
    pub(crate) fn expand(&self, parts: &[&[u8]], okm: &mut [u8]) -> Option<()> {
        self.0.expand_multi_info(parts, okm).ok()
    }
}

/// How many salts fill every lane of one derivation.
pub(crate) fn lanes() -> usize {
    logflux_kdf::backend().lanes()
}

/// One key for each salt, on the thread that calls.
pub(crate) fn pbkdf2_many(secret: &[u8], salts: &[Vec<u8>]) -> Vec<Key> {
    logflux_kdf::derive_many(secret, salts, ITERATIONS)
}
