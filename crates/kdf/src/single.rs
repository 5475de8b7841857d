//! One salt in one stream of SHA-256 instructions, in assembly.
//!
//! One stream alone waits for its round instructions and for nothing else, so assembly is as fast as
//! what the compiler makes of the module `streams`. But it is as fast in a build without optimisation
//! as well, where that module takes a hundred times as long. Each architecture writes the loop in its
//! own instructions, from the same memory.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::chain::{Chain, Kernel};
use crate::prf::Prf;
use crate::sha256::{K, PADDING, State};

/// An architecture's loop.
///
/// A value of the implementing type is the proof that the processor has the instructions.
pub(crate) trait Loop: Copy {
    /// Lays a state out as the round instruction wants it.
    fn pack(state: &State) -> State;
    fn unpack(packed: &State) -> State;
    /// Takes `steps` iterations, at least one.
    fn run(self, frame: &mut Frame, table: &Table, steps: u32);
}

/// What the loop reads and writes, as its offsets say. The states are packed.
#[derive(Zeroize, ZeroizeOnDrop)]
#[repr(C, align(16))]
pub(crate) struct Frame {
    u: State,
    t: State,
    inner: State,
    outer: State,
}

/// What the loop adds and starts from in every compression.
#[repr(C, align(16))]
pub(crate) struct Table {
    /// The round constants; for rounds 8 to 15 the sums of these and of the padding, which are the
    /// schedule words there.
    k: [u32; 64],
    padding: [u32; 8],
}

static TABLE: Table = Table::new();

impl Table {
    const fn new() -> Self {
        let mut k = K;
        let mut round = 8;
        #[expect(clippy::indexing_slicing, reason = "below 16 and 8, and computed when compiling")]
        while round < 16 {
            k[round] = k[round].wrapping_add(PADDING[round - 8]);
            round += 1;
        }
        Self { k, padding: PADDING }
    }
}

/// The loop of one stream as a kernel.
#[derive(Clone, Copy)]
pub(crate) struct Single<L>(pub(crate) L);

impl<L: Loop> Kernel<1> for Single<L> {
    fn advance(self, [chain]: &mut [Chain; 1], prf: &Prf, steps: u32) {
        if steps == 0 {
            return;
        }
        let mut frame = Frame {
            u: L::pack(&chain.u),
            t: L::pack(&chain.t),
            inner: L::pack(&prf.inner),
            outer: L::pack(&prf.outer),
        };
        self.0.run(&mut frame, &TABLE, steps);
        chain.u = L::unpack(&frame.u);
        chain.t = L::unpack(&frame.t);
    }
}

#[cfg(test)]
mod tests {
    use crate::chain::check;

    #[cfg(target_arch = "aarch64")]
    use crate::aarch64::Armv8 as Streams;
    #[cfg(target_arch = "x86_64")]
    use crate::x86::sha::ShaNi as Streams;

    #[test]
    fn assembly_derives_what_pbkdf2_derives() {
        if let Some(streams) = Streams::detect() {
            check(super::Single(streams));
        }
    }
}
