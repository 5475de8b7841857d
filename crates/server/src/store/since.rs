//! Entries in the order in which they came, for those who wait for more.

use logflux_wire::{Entry, Level, Node};

/// Which entries are wanted. Numbers are those of the tenant's own entries, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinceRequest {
    /// The number of the last entry that is known already; 0 for none.
    pub after: i64,
    /// The least severe level.
    pub level: Option<Level>,
    /// The sender, exactly.
    pub node: Option<Node>,
}

impl SinceRequest {
    /// Everything after this number.
    #[must_use]
    pub const fn new(after: i64) -> Self {
        Self { after, level: None, node: None }
    }
}

/// What has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Since {
    /// Entries with their numbers, which only grow.
    pub entries: Vec<(i64, Entry)>,
    /// How far the store was read: nothing else that is wanted has a number up to this one.
    pub upto: i64,
    /// How many entries among them could not be read.
    pub damaged: u64,
}
