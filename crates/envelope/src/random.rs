//! The operating system's random generator.
//!
//! Salts and ivs come from nowhere else: the state of a generator in user space is copied when a
//! process is duplicated, and would repeat an iv (PROTOCOL 6). For the same reason no bytes are
//! drawn ahead: what was drawn is used by the call that drew it. A call costs hundreds of
//! nanoseconds whatever it draws, so a batch of entries draws for all of them together.

use crate::error::RandomError;

/// Draws `N` bytes.
pub(crate) fn draw<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes`.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    Ok(getrandom::fill(bytes)?)
}
