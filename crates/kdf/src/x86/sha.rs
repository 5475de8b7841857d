//! The SHA instructions of x86 ("SHA-NI").
//!
//! They exist only in the encoding without VEX. Every change between them and 256-bit vectors was
//! measured at 170 cycles on a Zen 3, so nothing here may use AVX.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_set_epi32, _mm_sha256msg1_epu32,
    _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi32, _mm_storeu_si128,
    _mm_unpackhi_epi64, _mm_unpacklo_epi64, _mm_xor_si128,
};

use crate::chain::{Chain, Kernel};
use crate::prf::Prf;
use crate::sha256::State;
use crate::streams::{self, Unit};

/// The proof that the processor has the SHA instructions, and SSSE3 and SSE4.1 as all such do.
#[derive(Clone, Copy)]
pub(crate) struct ShaNi(());

impl ShaNi {
    pub(crate) fn detect() -> Option<Self> {
        let complete = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1");
        complete.then_some(Self(()))
    }

    /// What takes one salt alone.
    #[cfg(not(miri))]
    pub(crate) fn single(self) -> impl Kernel<1> {
        crate::single::Single(self)
    }

    /// What takes one salt alone; Miri interprets no assembly.
    #[cfg(miri)]
    pub(crate) fn single(self) -> impl Kernel<1> {
        self
    }
}

impl<const N: usize> Kernel<N> for ShaNi {
    fn advance(self, chains: &mut [Chain; N], prf: &Prf, steps: u32) {
        // SAFETY: `self` exists, so the processor has what `advance` enables.
        unsafe { advance(self, chains, prf, steps) }
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn advance<const N: usize>(unit: ShaNi, chains: &mut [Chain; N], prf: &Prf, steps: u32) {
    streams::advance(unit, chains, prf, steps);
}

/// An instruction of SSE2, SSSE3, SSE4.1 or the SHA extensions.
macro_rules! sha {
    ($call:expr) => {{
        // SAFETY: a `ShaNi` exists, so the processor has these instructions.
        unsafe { $call }
    }};
}

/// States are packed as the round instruction wants them: `f e b a` and `h g d c`, lowest first.
impl Unit for ShaNi {
    type Vector = __m128i;

    #[inline(always)]
    fn words(self, words: [u32; 4]) -> __m128i {
        let [w0, w1, w2, w3] = words.map(u32::cast_signed);
        sha!(_mm_set_epi32(w3, w2, w1, w0))
    }

    #[inline(always)]
    fn add(self, a: __m128i, b: __m128i) -> __m128i {
        sha!(_mm_add_epi32(a, b))
    }

    #[inline(always)]
    fn xor(self, a: __m128i, b: __m128i) -> __m128i {
        sha!(_mm_xor_si128(a, b))
    }

    #[inline(always)]
    fn pack(self, &[a, b, c, d, e, f, g, h]: &State) -> [__m128i; 2] {
        [self.words([f, e, b, a]), self.words([h, g, d, c])]
    }

    #[inline(always)]
    fn unpack(self, pair: [__m128i; 2]) -> State {
        let [low, high] = self.message(pair);
        let mut words = [[0u32; 4]; 2];
        // SAFETY: a `ShaNi` exists, so the processor has SSE2; each half is 16 writable bytes.
        unsafe {
            _mm_storeu_si128(words[0].as_mut_ptr().cast(), low);
            _mm_storeu_si128(words[1].as_mut_ptr().cast(), high);
        }
        let [[a, b, c, d], [e, f, g, h]] = words;
        [a, b, c, d, e, f, g, h]
    }

    #[inline(always)]
    fn message(self, [abef, cdgh]: [__m128i; 2]) -> [__m128i; 2] {
        const SWAP_PAIRS: i32 = 0b10_11_00_01;
        sha!([
            _mm_shuffle_epi32::<SWAP_PAIRS>(_mm_unpackhi_epi64(abef, cdgh)),
            _mm_shuffle_epi32::<SWAP_PAIRS>(_mm_unpacklo_epi64(abef, cdgh)),
        ])
    }

    #[inline(always)]
    fn enter(self) {
        // A build that takes AVX for granted (`-C target-cpu`) may have used 256-bit vectors here.
        #[cfg(target_feature = "avx")]
        sha!(core::arch::x86_64::_mm256_zeroupper());
    }

    #[inline(always)]
    fn rounds(self, [abef, cdgh]: [__m128i; 2], kw: __m128i) -> [__m128i; 2] {
        // Two rounds make the new `a b e f`; the old one is then `c d g h`.
        const UPPER_HALF: i32 = 0b00_00_11_10;
        sha!({
            let cdgh = _mm_sha256rnds2_epu32(cdgh, abef, kw);
            let abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<UPPER_HALF>(kw));
            [abef, cdgh]
        })
    }

    #[inline(always)]
    fn add_sigma0(self, w16: __m128i, w12: __m128i) -> __m128i {
        sha!(_mm_sha256msg1_epu32(w16, w12))
    }

    #[inline(always)]
    fn schedule(self, sum: __m128i, w8: __m128i, w4: __m128i) -> __m128i {
        sha!({
            let seven_before = _mm_alignr_epi8::<4>(w4, w8);
            _mm_sha256msg2_epu32(_mm_add_epi32(sum, seven_before), w4)
        })
    }
}
