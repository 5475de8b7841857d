//! Sixteen lanes in AVX-512 registers.

use core::arch::x86_64::{
    __cpuid, __m512i, _mm512_add_epi32, _mm512_loadu_si512, _mm512_ror_epi32, _mm512_set1_epi32,
    _mm512_srli_epi32, _mm512_storeu_si512, _mm512_sub_epi32, _mm512_ternarylogic_epi32,
    _mm512_xor_si512,
};

use crate::chain::{Chain, Kernel};
use crate::lanes::{self, Simd};
use crate::prf::Prf;

/// The proof that the processor has AVX-512F, and which of the two orders of additions suits it.
#[derive(Clone, Copy)]
pub(crate) struct Avx512 {
    /// Intel's: one pipe of two shifts, so that a round waits for free pipes and never for its
    /// longest chain, and SHA instructions that gain little from a second stream.
    intel: bool,
}

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let vendor = __cpuid(0);
        let intel = [vendor.ebx, vendor.edx, vendor.ecx] == INTEL;
        is_x86_feature_detected!("avx512f").then_some(Self { intel })
    }

    /// From how many salts on the sixteen lanes, full or not, cost less than SHA instructions.
    pub(crate) fn from(self) -> usize {
        if self.intel { 8 } else { 9 }
    }
}

/// `GenuineIntel`, as the `cpuid` instruction gives it.
const INTEL: [u32; 3] = [0x756e_6547, 0x4965_6e69, 0x6c65_746e];

impl Kernel<16> for Avx512 {
    fn advance(self, chains: &mut [Chain; 16], prf: &Prf, steps: u32) {
        // SAFETY: `self` exists, so the processor has AVX-512F.
        unsafe {
            if self.intel {
                advance(Lanes::<false>(()), chains, prf, steps);
            } else {
                advance(Lanes::<true>(()), chains, prf, steps);
            }
        }
    }
}

/// Sixteen lanes; only an [`Avx512`] makes one.
#[derive(Clone, Copy)]
struct Lanes<const LATENCY_BOUND: bool>(());

#[target_feature(enable = "avx512f")]
fn advance<const LATENCY_BOUND: bool>(
    simd: Lanes<LATENCY_BOUND>,
    chains: &mut [Chain; 16],
    prf: &Prf,
    steps: u32,
) {
    lanes::advance(simd, chains, prf, steps);
}

/// An instruction of AVX-512F.
macro_rules! avx512 {
    ($call:expr) => {{
        // SAFETY: a `Lanes` exists, so the processor has AVX-512F.
        unsafe { $call }
    }};
}

impl<const LATENCY_BOUND: bool> Simd for Lanes<LATENCY_BOUND> {
    type Vector = __m512i;
    type Words = [u32; 16];
    const LATENCY_BOUND: bool = LATENCY_BOUND;

    #[inline(always)]
    fn splat(self, word: u32) -> __m512i {
        avx512!(_mm512_set1_epi32(word.cast_signed()))
    }

    #[inline(always)]
    fn load(self, words: &[u32; 16]) -> __m512i {
        // SAFETY: a `Lanes` exists, so the processor has AVX-512F; the array is 64 readable bytes.
        unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, vector: __m512i) -> [u32; 16] {
        let mut words = [0; 16];
        // SAFETY: a `Lanes` exists, so the processor has AVX-512F; the array is 64 writable bytes.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), vector) }
        words
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!(_mm512_add_epi32(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!(_mm512_sub_epi32(a, b))
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!(_mm512_xor_si512(a, b))
    }

    #[inline(always)]
    fn rotate<const R: i32, const L: i32>(self, a: __m512i) -> __m512i {
        avx512!(_mm512_ror_epi32::<R>(a))
    }

    #[inline(always)]
    fn shift<const R: u32>(self, a: __m512i) -> __m512i {
        avx512!(_mm512_srli_epi32::<R>(a))
    }

    // The third operand of a ternary operation is its truth table, read with the operands' bits
    // as an index: 0x96 is odd parity, 0xca a choice by the first, 0xe8 the majority.

    #[inline(always)]
    fn xor3(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        avx512!(_mm512_ternarylogic_epi32::<0x96>(a, b, c))
    }

    #[inline(always)]
    fn choose(self, e: __m512i, f: __m512i, g: __m512i) -> __m512i {
        avx512!(_mm512_ternarylogic_epi32::<0xca>(e, f, g))
    }

    #[inline(always)]
    fn majority(self, a: __m512i, b: __m512i, c: __m512i, _bc: &mut __m512i) -> __m512i {
        avx512!(_mm512_ternarylogic_epi32::<0xe8>(a, b, c))
    }
}

#[cfg(test)]
mod tests {
    use super::Avx512;
    use crate::chain::check;

    #[test]
    fn both_orders_derive_the_same() {
        if Avx512::detect().is_some() {
            check(Avx512 { intel: true });
            check(Avx512 { intel: false });
        }
    }
}
