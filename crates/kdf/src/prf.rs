//! HMAC-SHA256 keyed once: the two states that every iteration starts from.

use sha2::block_api::compress256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::sha256::{BLOCK, INITIAL, State, write_bytes};

/// The SHA-256 states after the block `secret ⊕ ipad` and after `secret ⊕ opad`.
///
/// HMAC under one secret always starts from these two, so they are computed once for all salts and
/// all iterations.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Prf {
    pub(crate) inner: State,
    pub(crate) outer: State,
}

impl Prf {
    /// Keys HMAC with `secret`; one longer than a block is hashed first (RFC 2104, section 2).
    pub(crate) fn new(secret: &[u8]) -> Self {
        let mut pad = [0u8; BLOCK];
        if secret.len() > BLOCK {
            let mut state = INITIAL;
            absorb(&mut state, 0, &[secret]);
            let mut digest = [0; 32];
            write_bytes(&state, &mut digest);
            copy_to_front(&mut pad, &digest);
            state.zeroize();
            digest.zeroize();
        } else {
            copy_to_front(&mut pad, secret);
        }

        let mut prf = Self { inner: INITIAL, outer: INITIAL };
        pad.iter_mut().for_each(|byte| *byte ^= 0x36);
        compress256(&mut prf.inner, &[pad]);
        pad.iter_mut().for_each(|byte| *byte ^= 0x36 ^ 0x5c);
        compress256(&mut prf.outer, &[pad]);
        pad.zeroize();
        prf
    }

    /// The first PBKDF2 iteration of block 1: `HMAC(secret, salt ‖ 00000001)`.
    pub(crate) fn first(&self, salt: &[u8], output: &mut State) {
        let mut digest = [0; 32];
        *output = self.inner;
        absorb(output, BLOCK, &[salt, &1u32.to_be_bytes()]);
        write_bytes(output, &mut digest);
        *output = self.outer;
        absorb(output, BLOCK, &[&digest]);
        digest.zeroize();
    }
}

/// Hashes `parts` to the end, with padding, into `state`, which has taken `before` bytes already.
fn absorb(state: &mut State, before: usize, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bits = (before as u64 + length as u64) * 8;
    let zeros = (BLOCK - (length + 9) % BLOCK) % BLOCK;

    let mut block = [0u8; BLOCK];
    let mut filled = 0;
    let content = parts.iter().flat_map(|part| part.iter().copied());
    let padding = std::iter::once(0x80).chain(std::iter::repeat_n(0, zeros));
    for byte in content.chain(padding).chain(bits.to_be_bytes()) {
        if let Some(place) = block.get_mut(filled) {
            *place = byte;
        }
        filled += 1;
        if filled == BLOCK {
            compress256(state, &[block]);
            filled = 0;
        }
    }
    block.zeroize();
}

fn copy_to_front(block: &mut [u8; BLOCK], bytes: &[u8]) {
    block.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
}
