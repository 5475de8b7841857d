//! Many PBKDF2-HMAC-SHA256 keys at once (RFC 8018, section 5.2; NIST SP 800-132).
//!
//! Everything that a LogFlux key costs is here: 600,000 iterations a key, spent on one salt by
//! [`derive()`] or on any number of salts of one secret by [`derive_many`].
//!
//! # Backends
//! Which instructions are used is found out once, when the process first asks: see [`Backend`] and
//! [`backend`]. All derive the same keys. Each call uses the thread that makes it and no other.
//!
//! # What was run, and what only compiled
//! The tests run on every backend of the machine that runs them. AVX-512, SHA-NI, AVX2 and the
//! portable backend were run on hardware, ARMv8 under QEMU's emulation only. `docs/derivation.md` has
//! the measurements and the commands.
//!
//! # Builds without optimisation
//! Where the processor has SHA-256 instructions, one salt is derived in assembly, which takes as long
//! whatever the `opt-level`. A build without optimisation therefore derives its salts one by one. On
//! other processors such a build takes seconds for a key: see [`takes_seconds`].
//!
//! # Traces in memory
//! Derivation states are zeroed when they are dropped, and so is the stack that the loops used.
//! Registers are not cleared but overwritten by what runs next.
//!
//! # Examples
//! ```
//! use logflux_kdf::{ITERATIONS, backend, derive_many};
//!
//! let salts = [[1; 16], [2; 16]];
//! let keys = derive_many(b"correct horse battery staple", &salts, ITERATIONS);
//! assert_ne!(keys[0].as_bytes(), keys[1].as_bytes());
//! println!("two keys by {}, which takes {} at a time", backend(), backend().lanes());
//! ```

#![deny(unsafe_op_in_unsafe_fn)]

use std::num::NonZeroU32;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(not(target_arch = "x86_64"))]
mod absent;
mod backend;
mod chain;
mod engine;
mod key;
#[cfg(any(target_arch = "x86_64", test))]
mod lanes;
mod prf;
mod profile;
mod sha256;
#[cfg(all(
    any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")),
    not(miri)
))]
mod single;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", test))]
mod streams;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", test))]
mod unroll;
mod wipe;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use backend::{Backend, backend, backends};
pub use key::Key;
pub use profile::{is_unoptimised, takes_seconds};

use engine::Engine;

/// The iteration count of the standard mode, OWASP's figure for PBKDF2-HMAC-SHA256 (PROTOCOL 4).
pub const ITERATIONS: NonZeroU32 = match NonZeroU32::new(600_000) {
    Some(n) => n,
    None => NonZeroU32::MIN,
};

/// Derives one 256-bit key from `secret` and `salt`, both of any length.
///
/// It runs on the calling thread. Two salts together cost little more than one alone: with several,
/// call [`derive_many`].
#[must_use]
pub fn derive(secret: &[u8], salt: &[u8], iterations: NonZeroU32) -> Key {
    derive_many(secret, &[salt], iterations).pop().unwrap_or_else(Key::zero)
}

/// Derives one key for each of `salts`, in their order.
///
/// It runs on the calling thread: a caller with more threads gives each a share of the salts, by
/// multiples of [`Backend::lanes`].
#[must_use]
pub fn derive_many<S: AsRef<[u8]>>(secret: &[u8], salts: &[S], iterations: NonZeroU32) -> Vec<Key> {
    derive_many_with(backend(), secret, salts, iterations)
}

/// [`derive_many`] on a backend of the caller's choice, or on [`Backend::Portable`] where this
/// machine lacks its instructions.
#[doc(hidden)]
#[must_use]
pub fn derive_many_with<S: AsRef<[u8]>>(
    backend: Backend,
    secret: &[u8],
    salts: &[S],
    iterations: NonZeroU32,
) -> Vec<Key> {
    let salts: Vec<&[u8]> = salts.iter().map(AsRef::as_ref).collect();
    Engine::new(backend).unwrap_or_default().derive(secret, &salts, iterations)
}
