//! Many PBKDF2-HMAC-SHA256 keys at once (RFC 8018, section 5.2; NIST SP 800-132).
//!
//! Everything that a LogFlux key costs is here: 600,000 iterations a key, spent on one salt by
//! [`derive`] or on any number of salts of one secret by [`derive_many`].

use std::num::NonZeroU32;

use pbkdf2::sha2::Sha256;

mod key;

pub use key::Key;

/// The iteration count of the standard mode, OWASP's figure for PBKDF2-HMAC-SHA256 (PROTOCOL 4).
pub const ITERATIONS: NonZeroU32 = match NonZeroU32::new(600_000) {
    Some(n) => n,
    None => NonZeroU32::MIN,
};

/// Derives one 256-bit key from `secret` and `salt`, both of any length.
#[must_use]
pub fn derive(secret: &[u8], salt: &[u8], iterations: NonZeroU32) -> Key {
    let mut key = Key::zero();
    pbkdf2::pbkdf2_hmac::<Sha256>(secret, salt, iterations.get(), key.as_mut_bytes());
    key
}

/// Derives one key for each of `salts`, in their order.
#[must_use]
pub fn derive_many<S: AsRef<[u8]>>(secret: &[u8], salts: &[S], iterations: NonZeroU32) -> Vec<Key> {
    salts.iter().map(|salt| derive(secret, salt.as_ref(), iterations)).collect()
}
