//! A Bloom filter in blocks of 32 bytes, so that a look costs one cache line.

/// Odd numbers that spread 32 bits differently over the eight words of a block.
const SPREAD: [u32; 8] = [
    0x9e37_79b1,
    0x85eb_ca6b,
    0xc2b2_ae35,
    0x27d4_eb2f,
    0x1656_67b1,
    0xd3a2_646d,
    0xfd70_46c5,
    0xb55a_4f09,
];

/// Twelve bits a hash let about 1 in 200 through that was never put in.
const BITS_A_HASH: usize = 12;

/// Says of a hash that it was not put in, or that it may have been.
#[derive(Debug)]
pub(super) struct Filter {
    blocks: Vec<[u32; 8]>,
}

impl Filter {
    pub(super) fn new(hashes: usize) -> Self {
        Self { blocks: vec![[0; 8]; (hashes * BITS_A_HASH).div_ceil(256).max(1)] }
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let at = self.block(hash);
        if let Some(block) = self.blocks.get_mut(at) {
            for (word, bit) in block.iter_mut().zip(bits(hash)) {
                *word |= bit;
            }
        }
    }

    pub(super) fn may_have(&self, hash: u64) -> bool {
        self.blocks
            .get(self.block(hash))
            .is_some_and(|block| block.iter().zip(bits(hash)).all(|(word, bit)| word & bit != 0))
    }

    fn block(&self, hash: u64) -> usize {
        let scaled = (u128::from(hash) * self.blocks.len() as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }
}

/// One bit for each word.
fn bits(hash: u64) -> [u32; 8] {
    let low = u32::try_from(hash & 0xffff_ffff).unwrap_or(0);
    SPREAD.map(|odd| 1 << (low.wrapping_mul(odd) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_hardly_anything_else() {
        // A generator of evenly spread numbers, the same in every run.
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let mut filter = Filter::new(100_000);
        let inside: Vec<u64> = (0..100_000).map(|_| next()).collect();
        inside.iter().for_each(|hash| filter.insert(*hash));
        assert!(inside.iter().all(|hash| filter.may_have(*hash)));
        let others = (0..100_000).filter(|_| filter.may_have(next())).count();
        assert!(others < 1_500, "{others} of 100,000");
        assert!(!Filter::new(0).may_have(7));
    }
}
