//! Entries of random bytes: a server cannot tell them from sealed ones.

use logflux_wire::{Entry, Iv, Level, Mode, Node, Payload, Salt, Timestamp};

use super::{MESSAGE, NODES};

/// Makes entries, none twice.
pub(super) struct Entries {
    state: u64,
}

impl Entries {
    /// Each seed gives others.
    pub(super) fn new(seed: u64) -> Self {
        let mut bytes = [0; 8];
        // Not the same as in the run before, whose entries are stored.
        getrandom::fill(&mut bytes).ok();
        Self { state: u64::from_le_bytes(bytes) ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next().to_le_bytes();
            for (byte, value) in chunk.iter_mut().zip(random) {
                *byte = value;
            }
        }
    }

    /// An entry of a node and a time.
    fn entry(&mut self, node: &Node, timestamp: Timestamp) -> Option<Entry> {
        let (mut payload, mut iv, mut salt) = (vec![0; MESSAGE + 16], [0; 12], [0; 32]);
        self.fill(&mut payload);
        self.fill(&mut iv);
        self.fill(&mut salt);
        // One in 100 is an error, one in a million an emergency, as logs are.
        let level = match self.next() % 1_000_000 {
            0 => Level::Emergency,
            1..10_000 => Level::Error,
            10_000..100_000 => Level::Warning,
            100_000..500_000 => Level::Debug,
            _ => Level::Info,
        };
        Entry::new(
            node.clone(),
            Payload::new(payload).ok()?,
            level,
            timestamp,
            Mode::Pbkdf2,
            Iv::new(iv),
            Salt::new(salt),
        )
        .ok()
    }

    /// So many of one node, as a client's are, and of this moment.
    pub(super) fn many(&mut self, count: usize) -> Vec<Entry> {
        self.many_at(count, NODES, Timestamp::now())
    }

    /// So many of one node of a number of nodes, of a moment.
    pub(super) fn many_at(&mut self, count: usize, nodes: u64, at: Timestamp) -> Vec<Entry> {
        let Ok(node) = Node::new(format!("node-{}", self.next() % nodes)) else {
            return Vec::new();
        };
        (0..count).filter_map(|_| self.entry(&node, at)).collect()
    }
}
