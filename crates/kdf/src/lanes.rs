//! One salt in every lane of a vector: the iteration, written once for every vector width.
//!
//! All lanes share one secret, so the two states that HMAC starts from are the same in each. The
//! block is always eight words of digest and eight of constant padding, so the digest that leaves
//! one compression enters the next as it is, in registers, without byte swapping or buffering.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::chain::Chain;
use crate::prf::Prf;
use crate::sha256::{K, PADDING, State, small_sigma0, small_sigma1};
use crate::unroll::sixteen;

#[cfg(test)]
pub(crate) mod portable;

/// The vector instructions that the iteration needs.
///
/// A value of the implementing type is the proof that the processor has them, which is why the
/// methods are safe.
pub(crate) trait Simd: Copy {
    /// A vector of 32-bit words.
    type Vector: Copy;
    /// The same in memory.
    type Words: Copy + AsRef<[u32]> + AsMut<[u32]> + Zeroize;
    /// Whether a round waits for its longest chain of additions rather than for free pipes.
    const LATENCY_BOUND: bool;

    fn splat(self, word: u32) -> Self::Vector;
    fn load(self, words: &Self::Words) -> Self::Vector;
    fn store(self, vector: Self::Vector) -> Self::Words;

    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Rotates right by `R` bits, which is left by `L` = 32 - `R`.
    fn rotate<const R: i32, const L: i32>(self, a: Self::Vector) -> Self::Vector;
    fn shift<const R: u32>(self, a: Self::Vector) -> Self::Vector;
    fn xor3(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `e` chooses between `f` (bit set) and `g`.
    fn choose(self, e: Self::Vector, f: Self::Vector, g: Self::Vector) -> Self::Vector;
    /// The majority of `a`, `b` and `c`. `bc` holds `b ⊕ c` and is left holding `a ⊕ b`, which is
    /// the next round's: instruction sets with a majority instruction ignore it.
    fn majority(
        self,
        a: Self::Vector,
        b: Self::Vector,
        c: Self::Vector,
        bc: &mut Self::Vector,
    ) -> Self::Vector;
}

/// Advances the derivation in every lane by `steps` iterations.
///
/// Inlined into a function per instruction set, which enables it for the whole loop.
#[inline(always)]
pub(crate) fn advance<S: Simd>(simd: S, chains: &mut [Chain], prf: &Prf, steps: u32) {
    let mut group = Group::gather(simd, chains);
    let mut u = load(simd, &group.u);
    let starts = [Start::new(&prf.inner), Start::new(&prf.outer)];
    for _ in 0..steps {
        // A loop, not two calls: the code of one compression is what fits the cache of decoded
        // instructions.
        for start in &starts {
            u = compress(simd, start, u);
        }
        for (t, u) in group.t.iter_mut().zip(u) {
            *t = simd.store(simd.xor(simd.load(t), u));
        }
    }
    for (place, u) in group.u.iter_mut().zip(u) {
        *place = simd.store(u);
    }
    group.scatter(chains);
}

/// The states of as many derivations as a vector has lanes, word by word.
struct Group<S: Simd> {
    u: [S::Words; 8],
    t: [S::Words; 8],
}

impl<S: Simd> Group<S> {
    #[inline(always)]
    fn gather(simd: S, chains: &[Chain]) -> Self {
        let zero = simd.store(simd.splat(0));
        let mut group = Self { u: [zero; 8], t: [zero; 8] };
        for (lane, chain) in chains.iter().enumerate() {
            set_lane(&mut group.u, lane, &chain.u);
            set_lane(&mut group.t, lane, &chain.t);
        }
        group
    }

    #[inline(always)]
    fn scatter(&self, chains: &mut [Chain]) {
        for (lane, chain) in chains.iter_mut().enumerate() {
            get_lane(&self.u, lane, &mut chain.u);
            get_lane(&self.t, lane, &mut chain.t);
        }
    }
}

impl<S: Simd> Drop for Group<S> {
    fn drop(&mut self) {
        self.u.zeroize();
        self.t.zeroize();
    }
}

fn set_lane<W: AsMut<[u32]>>(words: &mut [W; 8], lane: usize, state: &State) {
    for (word, value) in words.iter_mut().zip(state) {
        if let Some(place) = word.as_mut().get_mut(lane) {
            *place = *value;
        }
    }
}

fn get_lane<W: AsRef<[u32]>>(words: &[W; 8], lane: usize, state: &mut State) {
    for (word, place) in words.iter().zip(state) {
        if let Some(value) = word.as_ref().get(lane) {
            *place = *value;
        }
    }
}

#[inline(always)]
fn load<S: Simd>(simd: S, words: &[S::Words; 8]) -> [S::Vector; 8] {
    let [a, b, c, d, e, f, g, h] = words;
    [
        simd.load(a),
        simd.load(b),
        simd.load(c),
        simd.load(d),
        simd.load(e),
        simd.load(f),
        simd.load(g),
        simd.load(h),
    ]
}

/// The state that compressions start from, the same in every lane, with all of the first round that
/// does not depend on the message.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Start {
    state: State,
    /// What the first word is added to for the first round's `a`.
    a: u32,
    /// What the first word is added to for the first round's `e`.
    e: u32,
}

impl Start {
    fn new(state: &State) -> Self {
        let [a, b, c, d, e, f, g, h] = *state;
        let [k, ..] = K;
        let sigma1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let sigma0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let choice = (e & f) ^ (!e & g);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let t1 = h.wrapping_add(k).wrapping_add(sigma1).wrapping_add(choice);
        Self {
            state: *state,
            a: t1.wrapping_add(sigma0).wrapping_add(majority),
            e: t1.wrapping_add(d),
        }
    }
}

/// One compression of the block `message ‖ padding`, from the state `start`.
#[inline(always)]
fn compress<S: Simd>(simd: S, start: &Start, message: [S::Vector; 8]) -> [S::Vector; 8] {
    let [w0, w1, w2, w3, w4, w5, w6, w7] = message;
    let mut state = Working::after_first_round(simd, start, w0);
    let unset = simd.splat(0);
    let mut w =
        [w0, w1, w2, w3, w4, w5, w6, w7, unset, unset, unset, unset, unset, unset, unset, unset];

    sixteen!(I => {
        if I == 0 {
            // Done in `after_first_round`.
        } else if I < 8 {
            state.round(simd, simd.add(w[I], simd.splat(K[I])));
        } else {
            state.round(simd, simd.splat(K[I].wrapping_add(PADDING[I % 8])));
        }
    });
    sixteen!(I => {
        w[I] = schedule_after_padding(simd, &w, I);
        state.round(simd, simd.add(w[I], simd.splat(K[I + 16])));
    });
    sixteen!(I => {
        w[I] = schedule(simd, &w, I);
        state.round(simd, simd.add(w[I], simd.splat(K[I + 32])));
    });
    sixteen!(I => {
        w[I] = schedule(simd, &w, I);
        state.round(simd, simd.add(w[I], simd.splat(K[I + 48])));
    });
    state.end(simd, start)
}

/// The working variables `a` to `h`, and `b ⊕ c`.
struct Working<S: Simd> {
    state: [S::Vector; 8],
    bc: S::Vector,
}

impl<S: Simd> Working<S> {
    #[inline(always)]
    fn after_first_round(simd: S, start: &Start, word: S::Vector) -> Self {
        let [a, b, c, _, e, f, g, _] = start.state;
        let state = [
            simd.add(word, simd.splat(start.a)),
            simd.splat(a),
            simd.splat(b),
            simd.splat(c),
            simd.add(word, simd.splat(start.e)),
            simd.splat(e),
            simd.splat(f),
            simd.splat(g),
        ];
        Self { state, bc: simd.splat(a ^ b) }
    }

    /// One round; `kw` is the sum of its constant and its schedule word.
    #[inline(always)]
    fn round(&mut self, simd: S, kw: S::Vector) {
        let [a, b, c, d, e, f, g, h] = self.state;
        let sigma1 =
            simd.xor3(simd.rotate::<6, 26>(e), simd.rotate::<11, 21>(e), simd.rotate::<25, 7>(e));
        let sigma0 =
            simd.xor3(simd.rotate::<2, 30>(a), simd.rotate::<13, 19>(a), simd.rotate::<22, 10>(a));
        let choice = simd.choose(e, f, g);
        let majority = simd.majority(a, b, c, &mut self.bc);
        let known = simd.add(h, kw);

        let (new_a, new_e);
        if S::LATENCY_BOUND {
            // From one `e` to the next, and from one `a` to the next, a rotation, an exclusive or
            // and one addition; for one subtraction more than the other order.
            new_e = simd.add(simd.add(simd.add(known, d), choice), sigma1);
            new_a = simd.add(simd.add(simd.sub(new_e, d), majority), sigma0);
        } else {
            let t1 = simd.add(simd.add(known, choice), sigma1);
            new_e = simd.add(d, t1);
            new_a = simd.add(t1, simd.add(sigma0, majority));
        }
        self.state = [new_a, a, b, c, new_e, e, f, g];
    }

    #[inline(always)]
    fn end(self, simd: S, start: &Start) -> [S::Vector; 8] {
        let [a, b, c, d, e, f, g, h] = self.state;
        let [a0, b0, c0, d0, e0, f0, g0, h0] = start.state;
        [
            simd.add(a, simd.splat(a0)),
            simd.add(b, simd.splat(b0)),
            simd.add(c, simd.splat(c0)),
            simd.add(d, simd.splat(d0)),
            simd.add(e, simd.splat(e0)),
            simd.add(f, simd.splat(f0)),
            simd.add(g, simd.splat(g0)),
            simd.add(h, simd.splat(h0)),
        ]
    }
}

/// Word `t` of the schedule, `t ≡ i` (mod 16); `w` holds the sixteen words before it.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "modulo the length, and constant when unrolled")]
fn schedule<S: Simd>(simd: S, w: &[S::Vector; 16], i: usize) -> S::Vector {
    let sum = simd.add(w[i % 16], w[(i + 9) % 16]);
    let sum = simd.add(sum, small_sigma0_of(simd, w[(i + 1) % 16]));
    simd.add(sum, small_sigma1_of(simd, w[(i + 14) % 16]))
}

/// Word 16 + `i`, where words 8 to 15 of `w` are not set: the padding is added as one constant.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "modulo the length, and constant when unrolled")]
fn schedule_after_padding<S: Simd>(simd: S, w: &[S::Vector; 16], i: usize) -> S::Vector {
    let mut sum = if i < 8 { w[i % 16] } else { w[(i + 9) % 16] };
    if i == 7 {
        sum = simd.add(sum, w[0]);
    }
    if i < 7 || i == 15 {
        sum = simd.add(sum, small_sigma0_of(simd, w[(i + 1) % 16]));
    }
    let constant = padding_in_schedule(i);
    if constant != 0 {
        sum = simd.add(sum, simd.splat(constant));
    }
    if i >= 2 {
        sum = simd.add(sum, small_sigma1_of(simd, w[(i + 14) % 16]));
    }
    sum
}

/// What the padding adds to word 16 + `i` of the schedule.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "modulo the length, and constant when unrolled")]
const fn padding_in_schedule(i: usize) -> u32 {
    let mut sum = 0u32;
    if i >= 8 {
        sum = sum.wrapping_add(PADDING[i % 8]);
    }
    if i < 7 {
        sum = sum.wrapping_add(PADDING[(i + 1) % 8]);
    }
    if i >= 7 && i < 15 {
        sum = sum.wrapping_add(small_sigma0(PADDING[(i + 1) % 8]));
    }
    if i < 2 {
        sum = sum.wrapping_add(small_sigma1(PADDING[(i + 6) % 8]));
    }
    sum
}

#[inline(always)]
fn small_sigma0_of<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    simd.xor3(simd.rotate::<7, 25>(x), simd.rotate::<18, 14>(x), simd.shift::<3>(x))
}

#[inline(always)]
fn small_sigma1_of<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    simd.xor3(simd.rotate::<17, 15>(x), simd.rotate::<19, 13>(x), simd.shift::<10>(x))
}
