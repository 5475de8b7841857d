//! Eight lanes in AVX2 registers.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_or_si256,
    _mm256_set1_epi32, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_srlv_epi32,
    _mm256_storeu_si256, _mm256_sub_epi32, _mm256_xor_si256,
};

use crate::chain::{Chain, Kernel};
use crate::lanes::{self, Simd};
use crate::prf::Prf;

/// The proof that the processor has AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

impl Kernel<8> for Avx2 {
    fn advance(self, chains: &mut [Chain; 8], prf: &Prf, steps: u32) {
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { advance(self, chains, prf, steps) }
    }
}

#[target_feature(enable = "avx2")]
fn advance(simd: Avx2, chains: &mut [Chain; 8], prf: &Prf, steps: u32) {
    lanes::advance(simd, chains, prf, steps);
}

/// An instruction of AVX2.
macro_rules! avx2 {
    ($call:expr) => {{
        // SAFETY: an `Avx2` exists, so the processor has AVX2.
        unsafe { $call }
    }};
}

impl Simd for Avx2 {
    type Vector = __m256i;
    type Words = [u32; 8];
    const LATENCY_BOUND: bool = false;

    #[inline(always)]
    fn splat(self, word: u32) -> __m256i {
        avx2!(_mm256_set1_epi32(word.cast_signed()))
    }

    #[inline(always)]
    fn load(self, words: &[u32; 8]) -> __m256i {
        // SAFETY: an `Avx2` exists, so the processor has AVX2; the array is 32 readable bytes.
        unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, vector: __m256i) -> [u32; 8] {
        let mut words = [0; 8];
        // SAFETY: an `Avx2` exists, so the processor has AVX2; the array is 32 writable bytes.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), vector) }
        words
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        avx2!(_mm256_add_epi32(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        avx2!(_mm256_sub_epi32(a, b))
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        avx2!(_mm256_xor_si256(a, b))
    }

    #[inline(always)]
    fn rotate<const R: i32, const L: i32>(self, a: __m256i) -> __m256i {
        avx2!(_mm256_or_si256(_mm256_srli_epi32::<R>(a), _mm256_slli_epi32::<L>(a)))
    }

    #[inline(always)]
    fn shift<const R: u32>(self, a: __m256i) -> __m256i {
        // Takes the count as a constant, which becomes the immediate of a plain shift.
        avx2!(_mm256_srlv_epi32(a, _mm256_set1_epi32(R.cast_signed())))
    }

    #[inline(always)]
    fn xor3(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i {
        self.xor(self.xor(a, b), c)
    }

    #[inline(always)]
    fn choose(self, e: __m256i, f: __m256i, g: __m256i) -> __m256i {
        avx2!(_mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g))))
    }

    #[inline(always)]
    fn majority(self, a: __m256i, b: __m256i, _c: __m256i, bc: &mut __m256i) -> __m256i {
        let ab = self.xor(a, b);
        let majority = avx2!(_mm256_xor_si256(b, _mm256_and_si256(ab, *bc)));
        *bc = ab;
        majority
    }
}
