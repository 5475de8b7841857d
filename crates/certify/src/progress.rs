//! What is told while a long task runs.

use std::time::Duration;

/// How far a long task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is done.
    pub done: usize,
    /// All there is to do.
    pub total: usize,
}

/// What a run will take, as far as derivations of keys tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Estimate {
    /// How many keys the subject derives.
    pub derivations: usize,
    /// How long it takes for one, as measured after `hello`.
    pub each: Duration,
    /// How many processes of the subject run at a time.
    pub processes: usize,
}

impl Estimate {
    /// How long all of them take.
    #[must_use]
    pub fn total(&self) -> Duration {
        let derivations = u32::try_from(self.derivations).unwrap_or(u32::MAX);
        let processes = u32::try_from(self.processes.max(1)).unwrap_or(u32::MAX);
        self.each.saturating_mul(derivations) / processes
    }
}

/// What is told of a run, from any thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// How far it is, in cases and seals.
    Progress(Progress),
    /// How long it will take. It is told once, before anything is judged.
    Estimate(Estimate),
}
