//! From a secret and a salt to a key, in every mode (PROTOCOL 4 and 5).

use std::hint::black_box;

use argon2::{Algorithm, Argon2, Params as Argon2Params, Version};
use logflux_kdf::Key;
use logflux_wire::{Mode, Salt};
use scrypt::Params as ScryptParams;
use zeroize::Zeroizing;

use crate::backend;
use crate::secret::Secret;

/// The memory-hard derivation failed: there was not enough memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutOfMemory;

/// How many bytes at the front of a salt belong to the derivation: all, or the epoch's half.
pub(crate) const EPOCH_SALT_LEN: usize = 16;

const EPOCH_LABEL: &[u8] = b"logflux/128/epoch";

/// The salt as the derivation of `mode` takes it: with a label before the epoch's half in mode 128,
/// as it is in all others. Entries with equal inputs share a derived key.
pub(crate) fn input(mode: Mode, salt: &Salt) -> Vec<u8> {
    match mode {
        Mode::Hkdf => {
            let epoch = salt.as_bytes().first_chunk::<EPOCH_SALT_LEN>();
            [EPOCH_LABEL, epoch.map_or(&[][..], |epoch| epoch)].concat()
        }
        _ => salt.as_bytes().to_vec(),
    }
}

/// How many inputs fill every lane of one derivation.
pub(crate) fn lanes(mode: Mode) -> usize {
    match mode {
        Mode::Pbkdf2 | Mode::Hkdf => backend::lanes(),
        _ => 1,
    }
}

/// One key for each of `inputs`, in their order, on the thread that calls.
pub(crate) fn derive_many(
    secret: &Secret,
    mode: Mode,
    inputs: &[Vec<u8>],
) -> Result<Vec<Key>, OutOfMemory> {
    match mode {
        Mode::Scrypt => inputs.iter().map(|input| scrypt_key(secret, input)).collect(),
        Mode::Argon2 | Mode::ChaCha20Argon2 => {
            inputs.iter().map(|input| argon2_key(secret, input)).collect()
        }
        _ => Ok(backend::pbkdf2_many(secret.as_bytes(), inputs)),
    }
}

/// scrypt (RFC 7914) with N = 2^17, r = 8, p = 1: 128 MiB. These are constants: an entry cannot
/// make an opener spend more.
fn scrypt_key(secret: &Secret, salt: &[u8]) -> Result<Key, OutOfMemory> {
    let params = ScryptParams::new(17, 8, 1).map_err(|_| OutOfMemory)?;
    // The crate would abort the process where they cannot be had.
    let mut memory = Vec::<u8>::new();
    memory.try_reserve_exact(128 << 20).map_err(|_| OutOfMemory)?;
    // The optimiser may leave out memory that nobody looks at.
    drop(black_box(memory));
    let mut key = Zeroizing::new([0; Key::LEN]);
    scrypt::scrypt(secret.as_bytes(), salt, &params, &mut *key).map_err(|_| OutOfMemory)?;
    Ok(Key::from_bytes(*key))
}

/// Argon2id version 1.3 (RFC 9106) with m = 19,456 KiB, t = 2, p = 1. These are constants, too.
fn argon2_key(secret: &Secret, salt: &[u8]) -> Result<Key, OutOfMemory> {
    let params = Argon2Params::new(19_456, 2, 1, Some(Key::LEN)).map_err(|_| OutOfMemory)?;
    let mut key = Zeroizing::new([0; Key::LEN]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret.as_bytes(), salt, &mut *key)
        .map_err(|_| OutOfMemory)?;
    Ok(Key::from_bytes(*key))
}
