//! The loop of one stream of SHA instructions.
//!
//! `xmm1` and `xmm2` hold the state as `f e b a` and `h g d c`, lowest first; `xmm3` to `xmm6` sixteen
//! schedule words; `xmm8` to `xmm11` the two states that compressions start from; `xmm12` and `xmm13`
//! `T`; `xmm14` and `xmm15` the padding. `xmm0` is the round instruction's third operand, and `xmm7`
//! is free. As everywhere beside the SHA instructions, nothing here has the encoding of AVX.

use core::arch::asm;

use super::sha::ShaNi;
use crate::sha256::State;
use crate::single::{Frame, Loop, Table};

/// A build that takes AVX for granted (`-C target-cpu`) may have used 256-bit vectors before.
#[cfg(target_feature = "avx")]
macro_rules! enter {
    () => {
        "vzeroupper"
    };
}
#[cfg(not(target_feature = "avx"))]
macro_rules! enter {
    () => {
        ""
    };
}

/// Two rounds and two more; `xmm0` has the sums of their constants and schedule words. Two rounds
/// make the new `a b e f`; the old one is then `c d g h`.
macro_rules! rounds {
    () => {
        "sha256rnds2 xmm2, xmm1, xmm0
         pshufd xmm0, xmm0, 0x0e
         sha256rnds2 xmm1, xmm2, xmm0
        "
    };
}

/// Four rounds whose schedule words are the digest; `at` is the place of their constants.
macro_rules! of_digest {
    ($at:literal, $words:literal) => {
        concat!("movdqa xmm0, [{table} + ", $at, "]\n", "paddd xmm0, ", $words, "\n", rounds!(),)
    };
}

/// Four rounds whose schedule words are the padding, which the constants include.
macro_rules! of_padding {
    ($at:literal) => {
        concat!("movdqa xmm0, [{table} + ", $at, "]\n", rounds!())
    };
}

/// Four rounds, after the four schedule words that replace the oldest four.
macro_rules! of_schedule {
    ($at:literal, $w16:literal, $w12:literal, $w8:literal, $w4:literal) => {
        concat!(
            "movdqa xmm7, ",
            $w4,
            "\n",
            "palignr xmm7, ",
            $w8,
            ", 4\n",
            "sha256msg1 ",
            $w16,
            ", ",
            $w12,
            "\n",
            "paddd ",
            $w16,
            ", xmm7\n",
            "sha256msg2 ",
            $w16,
            ", ",
            $w4,
            "\n",
            of_digest!($at, $w16),
        )
    };
}

/// One compression of the block `state ‖ padding`, from the state in the two registers.
macro_rules! compress {
    ($start0:literal, $start1:literal) => {
        concat!(
            // The packed state as eight words of the block.
            "movdqa xmm3, xmm1
             punpckhqdq xmm3, xmm2
             pshufd xmm3, xmm3, 0xb1
             movdqa xmm4, xmm1
             punpcklqdq xmm4, xmm2
             pshufd xmm4, xmm4, 0xb1
             movdqa xmm5, xmm14
             movdqa xmm6, xmm15
            ",
            "movdqa xmm1, ",
            $start0,
            "\n",
            "movdqa xmm2, ",
            $start1,
            "\n",
            of_digest!("0", "xmm3"),
            of_digest!("16", "xmm4"),
            of_padding!("32"),
            of_padding!("48"),
            of_schedule!("64", "xmm3", "xmm4", "xmm5", "xmm6"),
            of_schedule!("80", "xmm4", "xmm5", "xmm6", "xmm3"),
            of_schedule!("96", "xmm5", "xmm6", "xmm3", "xmm4"),
            of_schedule!("112", "xmm6", "xmm3", "xmm4", "xmm5"),
            of_schedule!("128", "xmm3", "xmm4", "xmm5", "xmm6"),
            of_schedule!("144", "xmm4", "xmm5", "xmm6", "xmm3"),
            of_schedule!("160", "xmm5", "xmm6", "xmm3", "xmm4"),
            of_schedule!("176", "xmm6", "xmm3", "xmm4", "xmm5"),
            of_schedule!("192", "xmm3", "xmm4", "xmm5", "xmm6"),
            of_schedule!("208", "xmm4", "xmm5", "xmm6", "xmm3"),
            of_schedule!("224", "xmm5", "xmm6", "xmm3", "xmm4"),
            of_schedule!("240", "xmm6", "xmm3", "xmm4", "xmm5"),
            "paddd xmm1, ",
            $start0,
            "\n",
            "paddd xmm2, ",
            $start1,
            "\n",
        )
    };
}

impl Loop for ShaNi {
    fn pack(&[a, b, c, d, e, f, g, h]: &State) -> State {
        [f, e, b, a, h, g, d, c]
    }

    fn unpack(&[f, e, b, a, h, g, d, c]: &State) -> State {
        [a, b, c, d, e, f, g, h]
    }

    fn run(self, frame: &mut Frame, table: &Table, steps: u32) {
        // SAFETY: `self` exists, so the processor has SSE2, SSSE3 and the SHA instructions. `frame` is
        // 128 bytes that are read and of which the first 64 are written, `table` is 288 bytes that are
        // read; both are aligned to 16. Every register that is written is named, and the stack is left
        // alone. The upper halves of the vector registers, which `vzeroupper` clears, belong to the
        // registers that are named.
        unsafe {
            asm!(
                enter!(),
                "movdqa xmm1, [{frame}]",
                "movdqa xmm2, [{frame} + 16]",
                "movdqa xmm12, [{frame} + 32]",
                "movdqa xmm13, [{frame} + 48]",
                "movdqa xmm8, [{frame} + 64]",
                "movdqa xmm9, [{frame} + 80]",
                "movdqa xmm10, [{frame} + 96]",
                "movdqa xmm11, [{frame} + 112]",
                "movdqa xmm14, [{table} + 256]",
                "movdqa xmm15, [{table} + 272]",
                ".p2align 5",
                "2:",
                compress!("xmm8", "xmm9"),
                compress!("xmm10", "xmm11"),
                "pxor xmm12, xmm1",
                "pxor xmm13, xmm2",
                "dec {steps:e}",
                "jnz 2b",
                "movdqa [{frame}], xmm1",
                "movdqa [{frame} + 16], xmm2",
                "movdqa [{frame} + 32], xmm12",
                "movdqa [{frame} + 48], xmm13",
                frame = in(reg) &raw mut *frame,
                table = in(reg) &raw const *table,
                steps = inout(reg) steps => _,
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(nostack),
            );
        }
    }
}
