//! Counts every message that the worker took, wherever it is.
//!
//! A message is in exactly one place: held in memory, appended to the spool and not yet durable,
//! durable in the spool, delivered, or dropped. The counters are private, and every method moves
//! messages from one place to another, so that what came in is at all times what is somewhere:
//!
//! > taken + found in a spool = held + unsynced + spooled + delivered + dropped + elsewhere
//!
//! Debug builds assert this after every move.

use super::stats::{ClientStats, DropReason, Dropped};

/// So many messages, and the bytes that they take in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) messages: u64,
    pub(crate) bytes: usize,
}

impl Load {
    /// One message of this cost.
    pub(crate) fn one(bytes: usize) -> Self {
        Self { messages: 1, bytes }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.messages == 0
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }

    fn take(&mut self, other: Self) {
        self.messages -= other.messages;
        self.bytes -= other.bytes;
    }
}

/// Where all messages are that the worker took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    taken: u64,
    found: u64,
    held: Load,
    unsynced: Load,
    spooled: u64,
    delivered: u64,
    dropped: Dropped,
    /// What another process counts now.
    elsewhere: u64,
    stopped: bool,
}

impl Ledger {
    /// The worker takes messages out of the queue.
    pub(crate) fn take(&mut self, load: Load) {
        self.taken += load.messages;
        self.held.add(load);
        self.check();
    }

    /// Messages are dropped that the worker had not taken.
    pub(crate) fn drop_queued(&mut self, reason: DropReason, messages: u64) {
        self.taken += messages;
        self.dropped.add(reason, messages);
        self.check();
    }

    /// The spool has entries of an earlier process, or of one that is gone.
    pub(crate) fn find(&mut self, entries: u64) {
        self.found += entries;
        self.spooled += entries;
        self.check();
    }

    /// Another process has the spool's folder now, and counts these entries.
    pub(crate) fn lose_sight(&mut self, entries: u64) {
        self.elsewhere += entries;
        self.spooled -= entries;
        self.check();
    }

    /// Messages in memory are sealed and appended to the spool.
    pub(crate) fn spool(&mut self, load: Load) {
        if !self.stopped {
            self.held.take(load);
            self.unsynced.add(load);
            self.check();
        }
    }

    /// Appended entries are durable. Gives what leaves memory.
    #[must_use]
    pub(crate) fn sync(&mut self, load: Load) -> Load {
        if self.stopped {
            // They were dropped when the client ended, and are in the spool all the same.
            self.find(load.messages);
            return Load::default();
        }
        self.leave_unsynced(load, |ledger| ledger.spooled += load.messages)
    }

    /// Messages in memory are delivered. Gives what leaves memory.
    #[must_use]
    pub(crate) fn deliver_held(&mut self, load: Load) -> Load {
        self.leave_held(load, |ledger| ledger.delivered += load.messages)
    }

    /// Entries are delivered before they were durable. Gives what leaves memory.
    #[must_use]
    pub(crate) fn deliver_unsynced(&mut self, load: Load) -> Load {
        self.leave_unsynced(load, |ledger| ledger.delivered += load.messages)
    }

    /// Durable entries are delivered.
    pub(crate) fn deliver_spooled(&mut self, entries: u64) {
        self.spooled -= entries;
        self.delivered += entries;
        self.check();
    }

    /// Messages in memory are dropped. Gives what leaves memory.
    #[must_use]
    pub(crate) fn drop_held(&mut self, reason: DropReason, load: Load) -> Load {
        self.leave_held(load, |ledger| ledger.dropped.add(reason, load.messages))
    }

    /// Entries are dropped before they were durable. Gives what leaves memory.
    #[must_use]
    pub(crate) fn drop_unsynced(&mut self, reason: DropReason, load: Load) -> Load {
        self.leave_unsynced(load, |ledger| ledger.dropped.add(reason, load.messages))
    }

    /// Durable entries are dropped.
    pub(crate) fn drop_spooled(&mut self, reason: DropReason, entries: u64) {
        self.spooled -= entries;
        self.dropped.add(reason, entries);
        self.check();
    }

    /// Everything in memory is dropped. Gives what leaves memory.
    #[must_use]
    pub(crate) fn drop_memory(&mut self, reason: DropReason) -> Load {
        let mut all = std::mem::take(&mut self.held);
        all.add(std::mem::take(&mut self.unsynced));
        self.dropped.add(reason, all.messages);
        self.check();
        all
    }

    /// The client ends: what is in memory is dropped, and whatever becomes of it later counts no
    /// more. Gives what leaves memory.
    #[must_use]
    pub(crate) fn stop(&mut self) -> Load {
        self.stopped = true;
        self.drop_memory(DropReason::Closed)
    }

    /// What waits in memory.
    pub(crate) fn memory(&self) -> Load {
        let mut all = self.held;
        all.add(self.unsynced);
        all
    }

    /// How many messages wait in memory.
    pub(crate) fn in_memory(&self) -> u64 {
        self.held.messages + self.unsynced.messages
    }

    /// How many entries are durable in the spool.
    pub(crate) fn spooled(&self) -> u64 {
        self.spooled
    }

    /// What was dropped after it left the queue.
    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// How many messages left the queue.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Adds the ledger to statistics.
    pub(crate) fn add_to(&self, stats: &mut ClientStats) {
        stats.accepted += self.found;
        // They were counted as logged, or as found, before.
        stats.accepted -= self.elsewhere;
        stats.delivered += self.delivered;
        stats.dropped += self.dropped;
        stats.pending += self.in_memory();
        stats.spooled += self.spooled;
    }

    fn leave_held(&mut self, load: Load, enter: impl FnOnce(&mut Self)) -> Load {
        if self.stopped {
            return Load::default();
        }
        self.held.take(load);
        enter(self);
        self.check();
        load
    }

    fn leave_unsynced(&mut self, load: Load, enter: impl FnOnce(&mut Self)) -> Load {
        if self.stopped {
            return Load::default();
        }
        self.unsynced.take(load);
        enter(self);
        self.check();
        load
    }

    fn check(&self) {
        debug_assert_eq!(
            self.taken + self.found,
            self.in_memory()
                + self.spooled
                + self.delivered
                + self.dropped.total()
                + self.elsewhere,
            "{self:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(messages: u64) -> Load {
        Load { messages, bytes: 10 * usize::try_from(messages).unwrap() }
    }

    #[test]
    fn every_move_keeps_the_sum() {
        let mut ledger = Ledger::default();
        ledger.find(3);
        ledger.take(load(10));
        ledger.drop_queued(DropReason::QueueFull, 1);
        ledger.spool(load(6));
        assert_eq!(ledger.sync(load(4)), load(4));
        assert_eq!(ledger.deliver_unsynced(load(1)), load(1));
        assert_eq!(ledger.drop_unsynced(DropReason::SpoolFull, load(1)), load(1));
        ledger.deliver_spooled(2);
        ledger.drop_spooled(DropReason::SpoolFull, 1);
        assert_eq!(ledger.deliver_held(load(1)), load(1));
        assert_eq!(ledger.drop_held(DropReason::Refused, load(1)), load(1));
        let mut stats = ClientStats { accepted: 11, ..ClientStats::default() };
        ledger.add_to(&mut stats);
        assert_eq!((stats.accepted, stats.delivered, stats.pending), (14, 4, 2));
        assert_eq!((stats.spooled, stats.dropped.total()), (4, 4));
    }

    #[test]
    fn after_the_end_memory_counts_no_more_and_the_spool_does() {
        let mut ledger = Ledger::default();
        ledger.take(load(5));
        ledger.spool(load(3));
        let durable = ledger.sync(load(1));
        assert_eq!(durable, load(1));
        assert_eq!(ledger.stop(), load(4));
        assert!(ledger.deliver_held(load(2)).is_empty());
        // What is durable after the end is delivered by the next process, or by the last answer.
        assert!(ledger.sync(load(2)).is_empty());
        ledger.deliver_spooled(3);
        let mut stats = ClientStats::default();
        ledger.add_to(&mut stats);
        assert_eq!((stats.delivered, stats.pending, stats.spooled), (3, 0, 0));
        assert_eq!(stats.dropped.by(DropReason::Closed), 4);
    }

    #[test]
    fn what_another_process_took_over_is_its_own() {
        let mut ledger = Ledger::default();
        ledger.find(2);
        ledger.take(load(3));
        ledger.spool(load(3));
        let durable = ledger.sync(load(3));
        assert_eq!(durable, load(3));
        ledger.lose_sight(4);
        assert_eq!((ledger.spooled(), ledger.in_memory(), ledger.taken()), (1, 0, 3));
        let mut stats = ClientStats { accepted: 3, ..ClientStats::default() };
        ledger.add_to(&mut stats);
        assert_eq!((stats.accepted, stats.spooled), (1, 1));
    }
}
