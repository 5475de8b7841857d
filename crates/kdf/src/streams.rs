//! One salt in every stream of SHA-256 instructions: the iteration, written once for x86 and ARM.
//!
//! A round instruction is ready after several cycles, and the next one of its stream waits for it.
//! Other streams, with other salts, fill the time. As in the module `lanes`, digests stay in
//! registers and the padding is constant.

use crate::chain::Chain;
use crate::prf::Prf;
use crate::sha256::{K, PADDING, State};
use crate::unroll::sixteen;

#[cfg(test)]
pub(crate) mod portable;

/// The SHA-256 instructions of a processor, on vectors of four words.
///
/// A value of the implementing type is the proof that the processor has them, which is why the
/// methods are safe.
pub(crate) trait Unit: Copy {
    /// Four 32-bit words.
    type Vector: Copy;

    /// The vector of four words, word 0 lowest.
    fn words(self, words: [u32; 4]) -> Self::Vector;
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// Lays a state out as the round instruction wants it.
    fn pack(self, state: &State) -> [Self::Vector; 2];
    fn unpack(self, pair: [Self::Vector; 2]) -> State;
    /// A packed state as eight words of a block.
    fn message(self, pair: [Self::Vector; 2]) -> [Self::Vector; 2];

    /// Called before every iteration, for instruction sets that have to be entered cleanly.
    fn enter(self) {}
    /// Four rounds; `kw` holds the sums of their constants and schedule words.
    fn rounds(self, pair: [Self::Vector; 2], kw: Self::Vector) -> [Self::Vector; 2];
    /// Each word of `w16` plus `σ0` of its successor; the last one's is the first of `w12`.
    fn add_sigma0(self, w16: Self::Vector, w12: Self::Vector) -> Self::Vector;
    /// The next four schedule words: `sum`, the words seven before them, and `σ1` of those two
    /// before. `w8` and `w4` are the last eight words.
    fn schedule(self, sum: Self::Vector, w8: Self::Vector, w4: Self::Vector) -> Self::Vector;
}

/// One derivation in flight: its packed state, its packed `T`, and sixteen schedule words.
#[derive(Clone, Copy)]
struct Stream<U: Unit> {
    state: [U::Vector; 2],
    t: [U::Vector; 2],
    w: [U::Vector; 4],
}

/// Advances each of `chains` by `steps` iterations.
///
/// Inlined into a function per instruction set, which enables it for the whole loop.
#[inline(always)]
pub(crate) fn advance<U: Unit, const N: usize>(
    unit: U,
    chains: &mut [Chain; N],
    prf: &Prf,
    steps: u32,
) {
    let unset = unit.words([0; 4]);
    let mut streams = [Stream::<U> { state: [unset; 2], t: [unset; 2], w: [unset; 4] }; N];
    for (stream, chain) in streams.iter_mut().zip(chains.iter()) {
        stream.state = unit.pack(&chain.u);
        stream.t = unit.pack(&chain.t);
    }

    let inner = unit.pack(&prf.inner);
    let outer = unit.pack(&prf.outer);
    for _ in 0..steps {
        unit.enter();
        compress(unit, inner, &mut streams);
        compress(unit, outer, &mut streams);
        for stream in &mut streams {
            let ([t0, t1], [u0, u1]) = (stream.t, stream.state);
            stream.t = [unit.xor(t0, u0), unit.xor(t1, u1)];
        }
    }

    for (stream, chain) in streams.iter().zip(chains.iter_mut()) {
        chain.u = unit.unpack(stream.state);
        chain.t = unit.unpack(stream.t);
    }
}

/// In every stream, one compression of the block `state ‖ padding` from the state `start`.
#[inline(always)]
fn compress<U: Unit, const N: usize>(unit: U, start: [U::Vector; 2], streams: &mut [Stream<U>; N]) {
    for stream in streams.iter_mut() {
        let [low, high] = unit.message(stream.state);
        stream.w = [low, high, padding(unit, 2), padding(unit, 3)];
        stream.state = start;
    }
    sixteen!(I => {
        for stream in streams.iter_mut() {
            let kw = group(unit, &mut stream.w, I);
            stream.state = unit.rounds(stream.state, kw);
        }
    });
    for stream in streams.iter_mut() {
        let ([s0, s1], [start0, start1]) = (stream.state, start);
        stream.state = [unit.add(s0, start0), unit.add(s1, start1)];
    }
}

/// Constants plus schedule words of the rounds 4 × `i` to 4 × `i` + 3; `w` is brought up to them.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "all below 4, 8 and 64, and constants when unrolled")]
fn group<U: Unit>(unit: U, w: &mut [U::Vector; 4], i: usize) -> U::Vector {
    let k = [K[4 * i], K[4 * i + 1], K[4 * i + 2], K[4 * i + 3]];
    if i == 2 || i == 3 {
        let j = 4 * i - 8;
        let word = |n: usize| k[n].wrapping_add(PADDING[j + n]);
        return unit.words([word(0), word(1), word(2), word(3)]);
    }
    if i >= 4 {
        // Words 9 to 12 are zero, and so is their σ0.
        let sum = if i == 6 { w[2] } else { unit.add_sigma0(w[i % 4], w[(i + 1) % 4]) };
        w[i % 4] = unit.schedule(sum, w[(i + 2) % 4], w[(i + 3) % 4]);
    }
    unit.add(w[i % 4], unit.words(k))
}

/// The padding's words 4 × `i` to 4 × `i` + 3 of the block.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "called with 2 and 3, so all below 8")]
fn padding<U: Unit>(unit: U, i: usize) -> U::Vector {
    let j = 4 * i - 8;
    unit.words([PADDING[j], PADDING[j + 1], PADDING[j + 2], PADDING[j + 3]])
}
