//! The operating system's random generator.
//!
//! Salts and ivs come from nowhere else: the state of a generator in user space is copied by
//! `fork`, and would repeat an iv (PROTOCOL 6). A call costs hundreds of nanoseconds whatever it
//! draws, so a [`RandomBuffer`] draws for many entries at once; it belongs to one process, and is
//! never used in a child.

use crate::error::RandomError;

/// Draws `N` bytes.
pub(crate) fn draw<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Bytes drawn ahead. Every byte is given out once.
pub(crate) struct RandomBuffer {
    bytes: Box<[u8; Self::LEN]>,
    used: usize,
}

impl RandomBuffer {
    /// The ivs of 128 entries.
    const LEN: usize = 128 * 12;

    pub(crate) fn new() -> Self {
        Self { bytes: Box::new([0; Self::LEN]), used: Self::LEN }
    }

    /// The next `N` bytes, at most [`LEN`](Self::LEN).
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], RandomError> {
        if self.used + N > Self::LEN {
            getrandom::fill(&mut *self.bytes)?;
            self.used = 0;
        }
        let mut taken = [0; N];
        if let Some(next) = self.bytes.get_mut(self.used..self.used + N) {
            taken.copy_from_slice(next);
            next.fill(0);
        }
        self.used += N;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_out_twice() {
        let mut buffer = RandomBuffer::new();
        let mut seen = HashSet::new();
        for _ in 0..5_000 {
            assert!(seen.insert(buffer.take::<12>().unwrap().to_vec()));
            assert!(seen.insert(buffer.take::<16>().unwrap().to_vec()));
        }
        assert!(seen.iter().all(|bytes| bytes.iter().any(|b| *b != 0)));
    }
}
