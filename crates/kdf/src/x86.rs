//! The instruction sets of x86-64.

pub(crate) mod avx2;
pub(crate) mod avx512;
pub(crate) mod sha;
#[cfg(not(miri))]
mod single;
