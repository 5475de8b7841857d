//! What becomes of every message.

use std::fmt;
use std::ops::AddAssign;

/// Why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue was full.
    QueueFull,
    /// The message is longer than an entry can hold.
    TooLong,
    /// The client was closed before, or before the message was delivered.
    Closed,
    /// The server refused the entry for good; it is in the dead-letter file, where there is one.
    Refused,
    /// Every attempt failed, and there is no spool.
    Undeliverable,
    /// The spool was full, or its disk.
    SpoolFull,
    /// The system gave no random bytes or no memory to seal it.
    Unsealed,
    /// The spool could not read the entry back: its disk has damaged it, or its file was removed.
    SpoolDamaged,
    /// The worker thread failed, which is a fault of this library. Another goes on.
    WorkerFailed,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::QueueFull,
        Self::TooLong,
        Self::Closed,
        Self::Refused,
        Self::Undeliverable,
        Self::SpoolFull,
        Self::Unsealed,
        Self::SpoolDamaged,
        Self::WorkerFailed,
    ];

    /// The reason in a few words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue full",
            Self::TooLong => "too long",
            Self::Closed => "client closed",
            Self::Refused => "refused by the server",
            Self::Undeliverable => "undeliverable",
            Self::SpoolFull => "spool full",
            Self::Unsealed => "not sealed",
            Self::SpoolDamaged => "damaged in the spool",
            Self::WorkerFailed => "worker failed",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many messages were dropped, by reason.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped([u64; DropReason::ALL.len()]);

impl Dropped {
    /// How many for this reason.
    #[must_use]
    pub fn by(&self, reason: DropReason) -> u64 {
        DropReason::ALL.iter().zip(self.0).find(|(r, _)| **r == reason).map_or(0, |(_, n)| n)
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Every reason with its number.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.into_iter().zip(self.0)
    }

    pub(crate) fn add(&mut self, reason: DropReason, count: u64) {
        for (r, n) in DropReason::ALL.iter().zip(&mut self.0) {
            if *r == reason {
                *n += count;
            }
        }
    }

    /// What was dropped since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let mut since = Self::default();
        for (n, (now, then)) in since.0.iter_mut().zip(self.0.iter().zip(before.0)) {
            *n = now - then;
        }
        since
    }
}

/// Shows the reasons for which messages were dropped, each with its number.
impl fmt::Debug for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dropped ")?;
        f.debug_map().entries(self.iter().filter(|(_, count)| *count > 0)).finish()
    }
}

impl AddAssign for Dropped {
    fn add_assign(&mut self, more: Self) {
        for (n, more) in self.0.iter_mut().zip(more.0) {
            *n += more;
        }
    }
}

/// What became of all messages. At every read
/// `accepted = delivered + dropped.total() + pending + spooled`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStats {
    /// Messages that were logged.
    pub accepted: u64,
    /// Entries that the server has taken, duplicates included.
    pub delivered: u64,
    /// Messages that were dropped.
    pub dropped: Dropped,
    /// Messages that wait in memory: to be sealed, to be sent, or for an answer.
    pub pending: u64,
    /// Entries that are durable in the spool and wait to be sent or for an answer. Those that an
    /// earlier process left there are counted as accepted when the spool is opened.
    pub spooled: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Requests among them that carried entries again, after a failure.
    pub retries: u64,
    /// Bytes of request bodies that were sent.
    pub bytes: u64,
    /// Entries that were put into the dead-letter file.
    pub dead_letters: u64,
    /// Keys that were derived.
    pub derivations: u64,
    /// What failed last: a call, the spool or the dead-letter file.
    pub last_error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_shown_by_the_names_of_their_reasons() {
        let mut dropped = Dropped::default();
        assert_eq!(format!("{dropped:?}"), "Dropped {}");
        dropped.add(DropReason::QueueFull, 3);
        dropped.add(DropReason::Refused, 1);
        assert_eq!(format!("{dropped:?}"), "Dropped {QueueFull: 3, Refused: 1}");
    }

    #[test]
    fn drops_are_counted_by_reason() {
        let mut dropped = Dropped::default();
        for (count, reason) in (1..).zip(DropReason::ALL) {
            dropped.add(reason, count);
        }
        let before = dropped;
        dropped.add(DropReason::Refused, 10);
        assert_eq!(dropped.by(DropReason::TooLong), 2);
        assert_eq!(dropped.by(DropReason::Refused), 14);
        assert_eq!(dropped.total(), 55);
        assert_eq!(dropped.since(&before).by(DropReason::Refused), 10);
        assert_eq!(dropped.since(&before).total(), 10);
    }
}
