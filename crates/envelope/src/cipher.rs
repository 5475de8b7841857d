//! A key made ready to seal and open: AES-256-GCM (NIST SP 800-38D) or ChaCha20-Poly1305 (RFC
//! 8439), with a tag of 16 bytes.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit};
use logflux_kdf::Key;
use logflux_wire::{Iv, Mode};

use crate::backend::{AesGcm, Tag};

/// A keyed cipher, not boxed, since mode 128 makes one for every entry.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Cipher {
    AesGcm(AesGcm),
    ChaCha(ChaCha20Poly1305),
}

impl Cipher {
    /// The cipher of `mode` under `key`, which for mode 128 is the entry's.
    pub(crate) fn new(mode: Mode, key: &Key) -> Option<Self> {
        match mode {
            Mode::ChaCha20Argon2 => {
                Some(Self::ChaCha(ChaCha20Poly1305::new(key.as_bytes().into())))
            }
            _ => AesGcm::new(key).map(Self::AesGcm),
        }
    }

    /// Encrypts `buffer` where it stands and gives its tag; `None` where it is too long.
    pub(crate) fn seal(&self, iv: &Iv, aad: &[u8], buffer: &mut [u8]) -> Option<Tag> {
        match self {
            Self::AesGcm(cipher) => cipher.seal(iv, aad, buffer),
            Self::ChaCha(cipher) => {
                let buffer = InOutBuf::from(buffer);
                let tag = cipher.encrypt_inout_detached(iv.as_bytes().into(), aad, buffer);
                tag.ok().map(Into::into)
            }
        }
    }

    /// Decrypts `buffer` where it stands; false where the tag is not its, and then what stands there
    /// is of no use.
    pub(crate) fn open(&self, iv: &Iv, aad: &[u8], buffer: &mut [u8], tag: &Tag) -> bool {
        match self {
            Self::AesGcm(cipher) => cipher.open(iv, aad, buffer, tag),
            Self::ChaCha(cipher) => {
                let buffer = InOutBuf::from(buffer);
                let nonce = iv.as_bytes().into();
                cipher.decrypt_inout_detached(nonce, aad, buffer, tag.into()).is_ok()
            }
        }
    }
}
