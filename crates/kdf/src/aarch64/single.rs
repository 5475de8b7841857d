//! The loop of one stream of SHA-256 instructions.
//!
//! `v0` and `v1` hold the state as `a b c d` and `e f g h`, lowest first; `v2` to `v5` sixteen schedule
//! words; `v16` to `v19` the two states that compressions start from; `v20` and `v21` `T`; `v22` and
//! `v23` the padding. `v6` and `v7` are free.

use core::arch::asm;

use super::Armv8;
use crate::sha256::State;
use crate::single::{Frame, Loop, Table};

/// Four rounds; `v6` has the sums of their constants and schedule words.
macro_rules! rounds {
    () => {
        "mov v7.16b, v0.16b
         sha256h q0, q1, v6.4s
         sha256h2 q1, q7, v6.4s
        "
    };
}

/// Four rounds whose schedule words are the digest; `at` is the place of their constants.
macro_rules! of_digest {
    ($at:literal, $words:literal) => {
        concat!(
            "ldr q6, [{table}, #", $at, "]\n",
            "add v6.4s, v6.4s, ", $words, ".4s\n",
            rounds!(),
        )
    };
}

/// Four rounds whose schedule words are the padding, which the constants include.
macro_rules! of_padding {
    ($at:literal) => {
        concat!("ldr q6, [{table}, #", $at, "]\n", rounds!())
    };
}

/// Four rounds, after the four schedule words that replace the oldest four.
macro_rules! of_schedule {
    ($at:literal, $w16:literal, $w12:literal, $w8:literal, $w4:literal) => {
        concat!(
            "sha256su0 ",
            $w16,
            ".4s, ",
            $w12,
            ".4s\n",
            "sha256su1 ",
            $w16,
            ".4s, ",
            $w8,
            ".4s, ",
            $w4,
            ".4s\n",
            of_digest!($at, $w16),
        )
    };
}

/// One compression of the block `state ‖ padding`, from the state in the two registers.
macro_rules! compress {
    ($start0:literal, $start1:literal) => {
        concat!(
            "mov v2.16b, v0.16b
             mov v3.16b, v1.16b
             mov v4.16b, v22.16b
             mov v5.16b, v23.16b
            ",
            "mov v0.16b, ",
            $start0,
            ".16b\n",
            "mov v1.16b, ",
            $start1,
            ".16b\n",
            of_digest!("0", "v2"),
            of_digest!("16", "v3"),
            of_padding!("32"),
            of_padding!("48"),
            of_schedule!("64", "v2", "v3", "v4", "v5"),
            of_schedule!("80", "v3", "v4", "v5", "v2"),
            of_schedule!("96", "v4", "v5", "v2", "v3"),
            of_schedule!("112", "v5", "v2", "v3", "v4"),
            of_schedule!("128", "v2", "v3", "v4", "v5"),
            of_schedule!("144", "v3", "v4", "v5", "v2"),
            of_schedule!("160", "v4", "v5", "v2", "v3"),
            of_schedule!("176", "v5", "v2", "v3", "v4"),
            of_schedule!("192", "v2", "v3", "v4", "v5"),
            of_schedule!("208", "v3", "v4", "v5", "v2"),
            of_schedule!("224", "v4", "v5", "v2", "v3"),
            of_schedule!("240", "v5", "v2", "v3", "v4"),
            "add v0.4s, v0.4s, ",
            $start0,
            ".4s\n",
            "add v1.4s, v1.4s, ",
            $start1,
            ".4s\n",
        )
    };
}

impl Loop for Armv8 {
    fn pack(state: &State) -> State {
        *state
    }

    fn unpack(packed: &State) -> State {
        *packed
    }

    fn run(self, frame: &mut Frame, table: &Table, steps: u32) {
        // SAFETY: `self` exists, so the processor has what `run` enables.
        unsafe { run(frame, table, steps) }
    }
}

/// The assembler takes the instructions where the function enables them.
#[target_feature(enable = "neon,sha2")]
fn run(frame: &mut Frame, table: &Table, steps: u32) {
    // SAFETY: the function's features are the processor's. `frame` is 128 bytes that are read and of
    // which the first 64 are written, `table` is 288 bytes that are read. Every register that is
    // written is named, and the stack is left alone.
    unsafe {
        asm!(
            "ldp q0, q1, [{frame}]",
            "ldp q20, q21, [{frame}, #32]",
            "ldp q16, q17, [{frame}, #64]",
            "ldp q18, q19, [{frame}, #96]",
            "ldr q22, [{table}, #256]",
            "ldr q23, [{table}, #272]",
            "2:",
            compress!("v16", "v17"),
            compress!("v18", "v19"),
            "eor v20.16b, v20.16b, v0.16b",
            "eor v21.16b, v21.16b, v1.16b",
            "subs {steps:w}, {steps:w}, #1",
            "b.ne 2b",
            "stp q0, q1, [{frame}]",
            "stp q20, q21, [{frame}, #32]",
            frame = in(reg) &raw mut *frame,
            table = in(reg) &raw const *table,
            steps = inout(reg) steps => _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            options(nostack),
        );
    }
}
