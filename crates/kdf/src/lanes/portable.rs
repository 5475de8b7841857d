//! Lanes without vector instructions: what every machine, and Miri, can check the others by.

use std::array::from_fn;

use super::Simd;
use crate::chain::{Chain, Kernel, check};
use crate::prf::Prf;

/// `LANES` lanes in an array. `LATENCY_BOUND` picks the order of a round's additions.
#[derive(Clone, Copy)]
pub(crate) struct Portable<const LANES: usize, const LATENCY_BOUND: bool>;

impl<const LANES: usize, const LATENCY_BOUND: bool> Simd for Portable<LANES, LATENCY_BOUND> {
    type Vector = [u32; LANES];
    type Words = [u32; LANES];
    const LATENCY_BOUND: bool = LATENCY_BOUND;

    fn splat(self, word: u32) -> [u32; LANES] {
        [word; LANES]
    }

    fn load(self, words: &[u32; LANES]) -> [u32; LANES] {
        *words
    }

    fn store(self, vector: [u32; LANES]) -> [u32; LANES] {
        vector
    }

    fn add(self, a: [u32; LANES], b: [u32; LANES]) -> [u32; LANES] {
        from_fn(|i| a[i].wrapping_add(b[i]))
    }

    fn sub(self, a: [u32; LANES], b: [u32; LANES]) -> [u32; LANES] {
        from_fn(|i| a[i].wrapping_sub(b[i]))
    }

    fn xor(self, a: [u32; LANES], b: [u32; LANES]) -> [u32; LANES] {
        from_fn(|i| a[i] ^ b[i])
    }

    fn rotate<const R: i32, const L: i32>(self, a: [u32; LANES]) -> [u32; LANES] {
        assert_eq!(R + L, 32);
        a.map(|word| word.rotate_right(R.unsigned_abs()))
    }

    fn shift<const R: u32>(self, a: [u32; LANES]) -> [u32; LANES] {
        a.map(|word| word >> R)
    }

    fn xor3(self, a: [u32; LANES], b: [u32; LANES], c: [u32; LANES]) -> [u32; LANES] {
        from_fn(|i| a[i] ^ b[i] ^ c[i])
    }

    fn choose(self, e: [u32; LANES], f: [u32; LANES], g: [u32; LANES]) -> [u32; LANES] {
        from_fn(|i| (e[i] & f[i]) ^ (!e[i] & g[i]))
    }

    fn majority(
        self,
        a: [u32; LANES],
        b: [u32; LANES],
        c: [u32; LANES],
        bc: &mut [u32; LANES],
    ) -> [u32; LANES] {
        assert_eq!(*bc, self.xor(b, c), "the cached b ^ c is stale");
        *bc = self.xor(a, b);
        from_fn(|i| (a[i] & b[i]) ^ (a[i] & c[i]) ^ (b[i] & c[i]))
    }
}

impl<const LANES: usize, const LATENCY_BOUND: bool> Kernel<LANES>
    for Portable<LANES, LATENCY_BOUND>
{
    fn advance(self, chains: &mut [Chain; LANES], prf: &Prf, steps: u32) {
        super::advance(self, chains, prf, steps);
    }
}

#[test]
fn lanes_derive_what_pbkdf2_derives() {
    check(Portable::<1, true>);
    check(Portable::<2, false>);
    if !cfg!(miri) {
        check(Portable::<8, false>);
        check(Portable::<16, true>);
    }
}
