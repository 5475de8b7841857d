//! A key made ready to seal and open: AES-256-GCM (NIST SP 800-38D) or ChaCha20-Poly1305 (RFC
//! 8439), with a tag of 16 bytes.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use chacha20poly1305::ChaCha20Poly1305;
use logflux_kdf::Key;
use logflux_wire::limits::TAG_LEN;
use logflux_wire::{Iv, Mode};

pub(crate) type Tag = [u8; TAG_LEN];

/// A keyed cipher, not boxed, since mode 128 makes one for every entry; its key schedule is zeroed when it is dropped.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Cipher {
    AesGcm(Aes256Gcm),
    ChaCha(ChaCha20Poly1305),
}

impl Cipher {
    /// The cipher of `mode` under `key`, which for mode 128 is the entry's.
    pub(crate) fn new(mode: Mode, key: &Key) -> Self {
        match mode {
            Mode::ChaCha20Argon2 => Self::ChaCha(ChaCha20Poly1305::new(key.as_bytes().into())),
            _ => Self::AesGcm(Aes256Gcm::new(key.as_bytes().into())),
        }
    }

    /// Encrypts `buffer` where it stands and gives its tag; `None` where it is too long.
    pub(crate) fn seal(&self, iv: &Iv, aad: &[u8], buffer: &mut [u8]) -> Option<Tag> {
        let nonce = iv.as_bytes().into();
        let buffer = InOutBuf::from(buffer);
        match self {
            Self::AesGcm(cipher) => cipher.encrypt_inout_detached(nonce, aad, buffer),
            Self::ChaCha(cipher) => cipher.encrypt_inout_detached(nonce, aad, buffer),
        }
        .ok()
        .map(Into::into)
    }

    /// Decrypts `buffer` where it stands; false, and nothing decrypted, where the tag is not its.
    pub(crate) fn open(&self, iv: &Iv, aad: &[u8], buffer: &mut [u8], tag: &Tag) -> bool {
        let nonce = iv.as_bytes().into();
        let buffer = InOutBuf::from(buffer);
        match self {
            Self::AesGcm(cipher) => cipher.decrypt_inout_detached(nonce, aad, buffer, tag.into()),
            Self::ChaCha(cipher) => cipher.decrypt_inout_detached(nonce, aad, buffer, tag.into()),
        }
        .is_ok()
    }
}
