//! How much time a subject gets for what takes many derivations.

use std::time::Duration;

use crate::subject::{Identity, KeyPolicy};

/// A derivation may take so many times the time that one took alone: processes of the subject, and others,
/// share the cores.
const CROWD: u32 = 12;

/// How long a derivation takes in a subject.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    pub(crate) derivation: Duration,
}

impl Pace {
    /// What is allowed for sealing so many messages in one mode, beyond the time of any request.
    pub(crate) fn of_seals(self, count: usize, mode: u64, identity: &Identity) -> Duration {
        self.derivation.saturating_mul(CROWD).saturating_mul(derivations(count, mode, identity))
    }
}

/// How many derivations it takes to seal so many messages in one process.
pub(crate) fn derivations(count: usize, mode: u64, identity: &Identity) -> u32 {
    let one_key = mode == 128 || identity.key_policy == KeyPolicy::Bounded;
    if one_key { 1 } else { u32::try_from(count).unwrap_or(u32::MAX) }
}
