//! The SHA-256 instructions of ARMv8.

#![allow(
    inline_always_mismatching_target_features,
    reason = "the methods are inlined first, into `advance`, which has the features"
)]

use core::arch::aarch64::{
    uint32x4_t, vaddq_u32, veorq_u32, vld1q_u32, vsha256h2q_u32, vsha256hq_u32, vsha256su0q_u32,
    vsha256su1q_u32, vst1q_u32,
};
use std::arch::is_aarch64_feature_detected;

use crate::chain::{Chain, Kernel};
use crate::prf::Prf;
use crate::sha256::State;
use crate::streams::{self, Unit};

#[cfg(all(target_endian = "little", not(miri)))]
mod single;

/// The proof that the processor has NEON and the SHA-256 instructions.
#[derive(Clone, Copy)]
pub(crate) struct Armv8(());

impl Armv8 {
    pub(crate) fn detect() -> Option<Self> {
        let complete = is_aarch64_feature_detected!("neon") && is_aarch64_feature_detected!("sha2");
        complete.then_some(Self(()))
    }

    /// What takes one salt alone.
    #[cfg(all(target_endian = "little", not(miri)))]
    pub(crate) fn single(self) -> impl Kernel<1> {
        crate::single::Single(self)
    }

    /// What takes one salt alone; the assembly is for the other byte order.
    #[cfg(not(all(target_endian = "little", not(miri))))]
    pub(crate) fn single(self) -> impl Kernel<1> {
        self
    }
}

impl<const N: usize> Kernel<N> for Armv8 {
    fn advance(self, chains: &mut [Chain; N], prf: &Prf, steps: u32) {
        // SAFETY: `self` exists, so the processor has what `advance` enables.
        unsafe { advance(self, chains, prf, steps) }
    }
}

#[target_feature(enable = "neon,sha2")]
fn advance<const N: usize>(unit: Armv8, chains: &mut [Chain; N], prf: &Prf, steps: u32) {
    streams::advance(unit, chains, prf, steps);
}

/// An instruction of NEON or the SHA-256 extension.
macro_rules! sha {
    ($call:expr) => {{
        // SAFETY: an `Armv8` exists, so the processor has these instructions.
        unsafe { $call }
    }};
}

/// States are packed as they are written: `a b c d` and `e f g h`, lowest first.
impl Unit for Armv8 {
    type Vector = uint32x4_t;

    #[inline(always)]
    fn words(self, words: [u32; 4]) -> uint32x4_t {
        // SAFETY: an `Armv8` exists, so the processor has NEON; the array is 16 readable bytes.
        unsafe { vld1q_u32(words.as_ptr()) }
    }

    #[inline(always)]
    fn add(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
        sha!(vaddq_u32(a, b))
    }

    #[inline(always)]
    fn xor(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
        sha!(veorq_u32(a, b))
    }

    #[inline(always)]
    fn pack(self, &[a, b, c, d, e, f, g, h]: &State) -> [uint32x4_t; 2] {
        [self.words([a, b, c, d]), self.words([e, f, g, h])]
    }

    #[inline(always)]
    fn unpack(self, [low, high]: [uint32x4_t; 2]) -> State {
        let mut words = [[0u32; 4]; 2];
        // SAFETY: an `Armv8` exists, so the processor has NEON; each half is 16 writable bytes.
        unsafe {
            vst1q_u32(words[0].as_mut_ptr(), low);
            vst1q_u32(words[1].as_mut_ptr(), high);
        }
        let [[a, b, c, d], [e, f, g, h]] = words;
        [a, b, c, d, e, f, g, h]
    }

    #[inline(always)]
    fn message(self, pair: [uint32x4_t; 2]) -> [uint32x4_t; 2] {
        pair
    }

    #[inline(always)]
    fn rounds(self, [abcd, efgh]: [uint32x4_t; 2], kw: uint32x4_t) -> [uint32x4_t; 2] {
        sha!([vsha256hq_u32(abcd, efgh, kw), vsha256h2q_u32(efgh, abcd, kw)])
    }

    #[inline(always)]
    fn add_sigma0(self, w16: uint32x4_t, w12: uint32x4_t) -> uint32x4_t {
        sha!(vsha256su0q_u32(w16, w12))
    }

    #[inline(always)]
    fn schedule(self, sum: uint32x4_t, w8: uint32x4_t, w4: uint32x4_t) -> uint32x4_t {
        sha!(vsha256su1q_u32(sum, w8, w4))
    }
}
