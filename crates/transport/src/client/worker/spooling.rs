//! The disk: what is appended, made durable, found, and lost there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::outbox::Weight;
use super::super::stats::DropReason;
use super::{ROUND, Worker};
use crate::config::ClientConfig;
use crate::spool::{DeadLetters, RecordId, Skipped, SpoolChanges};

/// The most bytes that are taken at once from the folder of a process that is gone.
const ADOPTED_AT_ONCE: u64 = 8 << 20;
/// How long the worker does other things before it takes more of them.
const ADOPT_AGAIN: Duration = Duration::from_secs(1);

/// What the worker knows of the spool, beside the spool itself.
pub(super) struct Spooling {
    pub(super) letters: Option<DeadLetters>,
    /// Entries that are appended and not durable.
    unsynced: BTreeMap<RecordId, Weight>,
    unsynced_since: Option<Instant>,
    /// When dead letters that could not be kept are tried again.
    pub(super) bury_at: Option<Instant>,
    /// When to look after the spool without being asked.
    round_at: Instant,
    /// Folders of others that were told of.
    skipped: BTreeSet<PathBuf>,
}

impl Spooling {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            letters: None,
            unsynced: BTreeMap::new(),
            unsynced_since: None,
            bury_at: None,
            round_at: now + ROUND,
            skipped: BTreeSet::new(),
        }
    }

    pub(super) fn is_synced(&self) -> bool {
        self.unsynced_since.is_none()
    }

    /// When there is something to do.
    pub(super) fn next(&self, settings: &ClientConfig) -> Option<Instant> {
        settings.spool_dir.as_ref()?;
        let sync = self.unsynced_since.map(|since| since + settings.sync_interval.get());
        sync.into_iter().chain(self.bury_at).chain([self.round_at]).min()
    }

    fn take(&mut self, ids: &[RecordId]) -> Vec<Weight> {
        ids.iter().filter_map(|id| self.unsynced.remove(id)).collect()
    }
}

impl Worker<'_> {
    /// The spool that was opened with the client; in the child of a fork, and after a failure, one
    /// of its own. Where none can be opened, entries wait in memory and the next round tries again.
    pub(super) fn open_spool(&mut self, now: Instant) {
        let config = &self.shared.config;
        let Some(folder) = config.settings.spool_dir.as_ref() else { return };
        let opened = self.shared.lock().spool.take();
        let spool = match opened {
            // What it holds was counted when the client was built.
            Some(spool) => spool,
            None => match config.disk.open_own(folder, config.spool) {
                Ok((spool, recovery)) => {
                    self.count_found(spool.len());
                    self.tell_skipped(recovery.skipped, now);
                    if recovery.more {
                        self.spooling.round_at = now + ADOPT_AGAIN;
                    }
                    spool
                }
                Err(error) => {
                    self.say(
                        format!("the spool cannot be opened, and messages are kept in memory only: {error}"),
                        now,
                    );
                    return;
                }
            },
        };
        self.spooling.letters = Some(config.disk.dead_letters(&spool));
        self.due = Some(now);
        self.outbox.spool = Some(spool);
    }

    /// Counts what is in a spool that was opened. After a failed worker it is what that one left, and
    /// may be what it had appended and not synced.
    fn count_found(&self, entries: u64) {
        let mut state = self.shared.lock();
        let left = state.ledger.spooled();
        state.ledger.find(entries.saturating_sub(left));
        // Whoever has them now, this client cannot vouch for them.
        let missing = left.saturating_sub(entries);
        self.shared.drop_spooled(&mut state, DropReason::SpoolDamaged, missing);
        self.shared.tell_progress(state);
    }

    /// Appends sealed entries to the spool.
    pub(super) fn spool<'e>(
        &mut self,
        entries: impl Iterator<Item = (&'e [u8], Weight)>,
        now: Instant,
    ) {
        let mut lost = Vec::new();
        let mut fault = None;
        for (entry, weight) in entries {
            let Some(spool) = &mut self.outbox.spool else { return };
            match spool.append(entry) {
                Ok(appended) => {
                    self.spooling.unsynced.insert(appended.id, weight);
                    self.shared.lock().ledger.spool(weight.load());
                }
                Err(error) => {
                    lost.push(weight);
                    fault = Some(error);
                }
            }
            // It may have dropped or synced others.
            self.take_changes(now);
        }
        // What waited in the queue has waited already.
        let since = self.taken_since.unwrap_or(now);
        self.spooling.unsynced_since.get_or_insert(since);
        if let Some(fault) = fault {
            self.note(&fault);
            let mut state = self.shared.lock();
            self.shared.drop_held(&mut state, DropReason::SpoolFull, &lost);
            self.shared.tell_progress(state);
        }
    }

    /// Makes the spool durable, if it is time to.
    pub(super) fn sync(&mut self, now_please: bool, now: Instant) {
        let Some(since) = self.spooling.unsynced_since else { return };
        let interval = self.shared.config.settings.sync_interval.get();
        if now_please || now.saturating_duration_since(since) >= interval {
            self.sync_spool(now);
        }
    }

    fn sync_spool(&mut self, now: Instant) {
        let Some(spool) = &mut self.outbox.spool else { return };
        let synced = spool.sync();
        self.take_changes(now);
        match synced {
            Ok(()) => self.spooling.unsynced_since = None,
            Err(error) => {
                self.spooling.unsynced_since = Some(now);
                self.say(error.to_string(), now);
            }
        }
    }

    /// Once in a while: is the spool still there, and has a process that is gone left entries?
    pub(super) fn look_after_spool(&mut self, stopped: bool, now: Instant) {
        if stopped || now < self.spooling.round_at {
            return;
        }
        self.spooling.round_at = now + ROUND;
        let Some(folder) = self.shared.config.settings.spool_dir.clone() else { return };
        if self.outbox.spool.is_none() {
            return self.open_spool(now);
        }
        self.sync_spool(now);
        let Some(spool) = &mut self.outbox.spool else { return };
        let adopted = spool.adopt_abandoned(&folder, ADOPTED_AT_ONCE);
        self.take_changes(now);
        match adopted {
            Ok(adopted) => {
                if adopted.entries > 0 {
                    self.due = Some(now);
                }
                if adopted.more {
                    self.spooling.round_at = now + ADOPT_AGAIN;
                }
                self.tell_skipped(adopted.skipped, now);
            }
            Err(error) => self.note(&error),
        }
    }

    /// Entries leave the spool: gives how many were durable, and those that were not.
    pub(super) fn acknowledge(&mut self, ids: &[RecordId], now: Instant) -> (u64, Vec<Weight>) {
        let Some(spool) = &mut self.outbox.spool else { return (0, Vec::new()) };
        if ids.is_empty() {
            return (0, Vec::new());
        }
        let acknowledged = spool.acknowledge(ids);
        self.take_changes(now);
        match acknowledged {
            Ok(acknowledged) => (acknowledged.durable, self.spooling.take(&acknowledged.unsynced)),
            Err(error) => {
                self.note(&error);
                (0, Vec::new())
            }
        }
    }

    /// Counts what became of records in the spool.
    pub(super) fn take_changes(&mut self, now: Instant) {
        let Some(spool) = &mut self.outbox.spool else { return };
        let changes = spool.take_changes();
        if changes == SpoolChanges::default() {
            return;
        }
        if changes.moved {
            self.spooling.letters = Some(self.shared.config.disk.dead_letters(spool));
        }
        self.outbox.restore(&changes.wanted);
        let durable = self.spooling.take(&changes.durable);
        let dropped = self.spooling.take(&changes.dropped_unsynced);
        let mut state = self.shared.lock();
        // A flush that is done by what is durable now has lost what was dropped for it.
        let lost = changes.damaged + changes.swept;
        state.epochs.drop_durable(changes.dropped + lost);
        state.ledger.find(changes.adopted);
        self.shared.sync(&mut state, &durable);
        self.shared.drop_unsynced(&mut state, DropReason::SpoolFull, &dropped);
        state.ledger.drop_spooled(DropReason::SpoolFull, changes.dropped);
        state.ledger.drop_spooled(DropReason::SpoolDamaged, lost);
        state.ledger.lose_sight(changes.taken_over);
        self.shared.tell_progress(state);
        if changes.damaged > 0 {
            self.note(&format!("{} entries in the spool are damaged", changes.damaged));
        }
        if changes.swept > 0 {
            self.say(
                format!(
                    "{} entries are lost: their files were removed from the spool",
                    changes.swept
                ),
                now,
            );
        }
        for sentence in changes.healed {
            self.say(sentence, now);
        }
    }

    fn tell_skipped(&mut self, skipped: Vec<Skipped>, now: Instant) {
        for skipped in skipped {
            if self.spooling.skipped.insert(skipped.path.clone()) {
                self.say(skipped.to_string(), now);
            }
        }
    }
}
