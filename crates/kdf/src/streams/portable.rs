//! The SHA-256 instructions without any, by their definitions: what checks the shared loop.

use super::Unit;
use crate::chain::{Chain, Kernel, check};
use crate::prf::Prf;
use crate::sha256::{State, small_sigma0, small_sigma1};

#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Unit for Portable {
    type Vector = [u32; 4];

    fn words(self, words: [u32; 4]) -> [u32; 4] {
        words
    }

    fn add(self, a: [u32; 4], b: [u32; 4]) -> [u32; 4] {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }

    fn xor(self, a: [u32; 4], b: [u32; 4]) -> [u32; 4] {
        std::array::from_fn(|i| a[i] ^ b[i])
    }

    fn pack(self, &[a, b, c, d, e, f, g, h]: &State) -> [[u32; 4]; 2] {
        [[a, b, c, d], [e, f, g, h]]
    }

    fn unpack(self, [[a, b, c, d], [e, f, g, h]]: [[u32; 4]; 2]) -> State {
        [a, b, c, d, e, f, g, h]
    }

    fn message(self, pair: [[u32; 4]; 2]) -> [[u32; 4]; 2] {
        pair
    }

    fn rounds(self, mut pair: [[u32; 4]; 2], kw: [u32; 4]) -> [[u32; 4]; 2] {
        for kw in kw {
            let [[a, b, c, d], [e, f, g, h]] = pair;
            let sigma1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let sigma0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let choice = (e & f) ^ (!e & g);
            let majority = (a & b) ^ (a & c) ^ (b & c);
            let t1 = h.wrapping_add(sigma1).wrapping_add(choice).wrapping_add(kw);
            let t2 = sigma0.wrapping_add(majority);
            pair = [[t1.wrapping_add(t2), a, b, c], [d.wrapping_add(t1), e, f, g]];
        }
        pair
    }

    fn add_sigma0(self, w16: [u32; 4], w12: [u32; 4]) -> [u32; 4] {
        let next = [w16[1], w16[2], w16[3], w12[0]];
        self.add(w16, next.map(small_sigma0))
    }

    fn schedule(self, sum: [u32; 4], w8: [u32; 4], w4: [u32; 4]) -> [u32; 4] {
        let sum = self.add(sum, [w8[1], w8[2], w8[3], w4[0]]);
        let w0 = sum[0].wrapping_add(small_sigma1(w4[2]));
        let w1 = sum[1].wrapping_add(small_sigma1(w4[3]));
        let w2 = sum[2].wrapping_add(small_sigma1(w0));
        [w0, w1, w2, sum[3].wrapping_add(small_sigma1(w1))]
    }
}

impl<const N: usize> Kernel<N> for Portable {
    fn advance(self, chains: &mut [Chain; N], prf: &Prf, steps: u32) {
        super::advance(self, chains, prf, steps);
    }
}

#[test]
fn streams_derive_what_pbkdf2_derives() {
    check::<1>(Portable);
    check::<4>(Portable);
}
