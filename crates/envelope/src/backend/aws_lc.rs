//! AWS-LC's implementations.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, pbkdf2};
use logflux_kdf::{ITERATIONS, Key};
use logflux_wire::Iv;
use zeroize::Zeroizing;

use super::Tag;

/// AES-256-GCM under one key. The ivs are ours to choose, since the protocol draws them at random.
pub(crate) struct AesGcm(LessSafeKey);

impl AesGcm {
    pub(crate) fn new(key: &Key) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, key.as_bytes()).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// Encrypts `buffer` where it stands and gives its tag; `None` where it is too long.
    pub(crate) fn seal(&self, iv: &Iv, aad: &[u8], buffer: &mut [u8]) -> Option<Tag> {
        let nonce = Nonce::assume_unique_for_key(*iv.as_bytes());
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), buffer).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Decrypts `buffer` where it stands; false where the tag is not its.
    pub(crate) fn open(&self, iv: &Iv, aad: &[u8], buffer: &mut [u8], tag: &Tag) -> bool {
        let nonce = Nonce::assume_unique_for_key(*iv.as_bytes());
        self.0.open_in_place_separate_tag(nonce, Aad::from(aad), tag, buffer).is_ok()
    }
}

/// HKDF-Expand-SHA256 (RFC 5869, section 2.3) of one pseudo-random key.
pub(crate) struct Expander(hkdf::Prk);

/// How many bytes to expand to.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Expander {
    pub(crate) fn new(key: &Key) -> Option<Self> {
        Some(Self(hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key.as_bytes())))
    }

    /// Fills `okm` for the information `parts`, one after the other.
    pub(crate) fn expand(&self, parts: &[&[u8]], okm: &mut [u8]) -> Option<()> {
        self.0.expand(parts, Length(okm.len())).ok()?.fill(okm).ok()
    }
}

/// How many salts are derived together: AWS-LC derives one at a time.
pub(crate) fn lanes() -> usize {
    1
}

/// One key for each salt, on the thread that calls.
pub(crate) fn pbkdf2_many(secret: &[u8], salts: &[Vec<u8>]) -> Vec<Key> {
    let derive = |salt: &Vec<u8>| {
        let mut key = Zeroizing::new([0; Key::LEN]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, salt, secret, &mut *key);
        Key::from_bytes(*key)
    };
    salts.iter().map(derive).collect()
}
