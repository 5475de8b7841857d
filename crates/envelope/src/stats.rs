//! What a sealer counts.

/// What a sealer has done in this process. Nothing in it tells of a message or a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealerStats {
    /// Entries that no other entry shares a key with.
    pub unique: u64,
    /// Entries that share their key with others.
    pub shared: u64,
    /// Keys derived from the secret.
    pub derivations: u64,
    /// How often sealing had to wait for a key.
    pub waits: u64,
    /// Keys that are derived ahead now.
    pub pool_level: usize,
}
