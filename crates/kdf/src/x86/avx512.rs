//! Sixteen lanes in AVX-512 registers.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_loadu_si512, _mm512_ror_epi32, _mm512_set1_epi32,
    _mm512_srli_epi32, _mm512_storeu_si512, _mm512_sub_epi32, _mm512_ternarylogic_epi32,
    _mm512_xor_si512,
};

use crate::chain::{Chain, Kernel};
use crate::lanes::{self, Simd};
use crate::prf::Prf;

/// The proof that the processor has AVX-512F.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

impl Kernel<16> for Avx512 {
    fn advance(self, chains: &mut [Chain; 16], prf: &Prf, steps: u32) {
        // SAFETY: `self` exists, so the processor has AVX-512F.
        unsafe { advance(self, chains, prf, steps) }
    }
}

#[target_feature(enable = "avx512f")]
fn advance(simd: Avx512, chains: &mut [Chain; 16], prf: &Prf, steps: u32) {
    lanes::advance(simd, chains, prf, steps);
}

/// An instruction of AVX-512F.
macro_rules! avx512 {
    ($call:expr) => {{
        // SAFETY: an `Avx512` exists, so the processor has AVX-512F.
        unsafe { $call }
    }};
}

impl Simd for Avx512 {
    type Vector = __m512i;
    type Words = [u32; 16];
    const LATENCY_BOUND: bool = true;

    #[inline(always)]
    fn splat(self, word: u32) -> __m512i {
        avx512!(_mm512_set1_epi32(word.cast_signed()))
    }

    #[inline(always)]
    fn load(self, words: &[u32; 16]) -> __m512i {
        // SAFETY: an `Avx512` exists, so the processor has AVX-512F; the array is 64 readable bytes.
        unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, vector: __m512i) -> [u32; 16] {
        let mut words = [0; 16];
        // SAFETY: an `Avx512` exists, so the processor has AVX-512F; the array is 64 writable bytes.
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
