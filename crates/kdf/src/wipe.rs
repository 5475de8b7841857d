//! Clearing what a loop leaves on the stack.

use std::hint::black_box;

use zeroize::Zeroize;

/// Overwrites the stack below the caller's frame, where a loop that has just returned kept what
/// did not fit into registers.
///
/// The compiler places those copies, so nothing in the source can name them. This is a best effort:
/// it clears four times the largest frame of the loops, and clears no registers, which the work that
/// follows overwrites.
#[inline(never)]
pub(crate) fn wipe_stack() {
    const WORDS: usize = if cfg!(miri) { 16 } else { 2_048 };
    let mut frame = [0u64; WORDS];
    black_box(&mut frame).zeroize();
}
