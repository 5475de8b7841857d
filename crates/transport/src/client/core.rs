//! A client's life in one process: what logging, flushing and closing do.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Timestamp};

use super::builder::Config;
use super::exit::ExitFlush;
use super::intake::Offered;
use super::queue::{Queue, Queued, WhenFull};
use super::report;
use super::state::{LOOK_AGAIN, Shared, State};
use super::stats::{ClientStats, DropReason};
use super::tickets::{FlushTicket, Unflushed};
use super::worker;
use crate::spool::Spool;

/// How long the last handle of a client waits, when it is dropped, for what is left.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// How long the end of a client waits for the worker to tell of what was dropped.
const LAST_WORDS: Duration = Duration::from_millis(40);
/// How long a caller waits for room where no thread can be had.
const WITHOUT_WORKER: Duration = Duration::from_secs(5);

/// A client's life in one process.
pub(crate) struct Core {
    generation: u64,
    shared: Arc<Shared>,
}

impl Core {
    pub(crate) fn new(config: Arc<Config>, spool: Option<Spool>) -> Self {
        let shared = Arc::new(Shared::new(config, spool));
        Self { generation: logflux_process::generation(), shared }
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn log(&self, level: Level, bytes: &[u8], timestamp: Timestamp) {
        self.take(level, bytes, timestamp, true);
    }

    /// As [`log`](Self::log), but false where it would wait for room.
    pub(crate) fn offer(&self, level: Level, bytes: &[u8], timestamp: Timestamp) -> bool {
        self.take(level, bytes, timestamp, false)
    }

    fn take(&self, level: Level, bytes: &[u8], timestamp: Timestamp, may_wait: bool) -> bool {
        let shared = &*self.shared;
        let intake = &shared.intake;
        let when_full = shared.config.settings.when_full;
        let message = Queued { level, timestamp, bytes };
        let mut taken = true;
        if bytes.len() > shared.config.message_max {
            intake.count_dropped(DropReason::TooLong);
        } else if intake.offer(message, false) == Offered::NoRoom {
            if when_full == WhenFull::Block && !may_wait {
                taken = false;
                // The worker need not wait for more messages.
                shared.work.notify_one();
            } else if when_full == WhenFull::DropNewest || !self.offer_again(message) {
                intake.count_dropped(DropReason::QueueFull);
            }
        }
        // It tells of what was dropped, too.
        if !shared.worker_runs.load(Ordering::SeqCst) {
            self.start(&shared.lock());
        }
        if shared.sleep.wants_waking(intake) {
            // The worker has let go of the lock, and so waits.
            drop(shared.lock());
            shared.work.notify_one();
        }
        taken
    }

    /// Makes room for a message, as it is set; false where it is to be dropped.
    #[cold]
    fn offer_again(&self, message: Queued<'_>) -> bool {
        let shared = &*self.shared;
        let cost = Queue::cost(message.bytes.len());
        let mut state = shared.lock();
        let mut without_worker = None;
        while !state.closed && !shared.intake.reserve(cost) {
            match shared.config.settings.when_full {
                WhenFull::DropOldest if shared.drop_oldest(&mut state) => {}
                WhenFull::DropOldest | WhenFull::DropNewest => return false,
                WhenFull::Block if worker::is_this_thread(shared) => return false,
                WhenFull::Block => {
                    if self.start(&state) {
                        without_worker = None;
                    } else if without_worker.get_or_insert_with(Instant::now).elapsed()
                        >= WITHOUT_WORKER
                    {
                        return false;
                    }
                    state.blocked += 1;
                    shared.work.notify_one();
                    let waited = shared.room.wait_timeout(state, LOOK_AGAIN);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                    state.blocked -= 1;
                }
            }
        }
        let room = !state.closed;
        drop(state);
        shared.intake.offer(message, room) == Offered::Settled
    }

    pub(crate) fn flush_begin(&self) -> FlushTicket {
        let mut state = self.shared.lock();
        let watch = self.shared.watch(&mut state);
        if !watch.is_done() {
            self.start(&state);
        }
        drop(state);
        self.shared.work.notify_one();
        FlushTicket { shared: Arc::clone(&self.shared), watch }
    }

    pub(crate) fn close(&self, timeout: Duration) -> Result<(), Unflushed> {
        let begun = Instant::now();
        self.shared.lock().closed = true;
        self.shared.intake.close();
        self.shared.room.notify_all();
        let dropped_before = self.shared.intake.counts().dropped.total();
        let _ = self.flush_begin().wait(timeout);
        self.wait_delivered(begun, timeout);
        self.stop();
        // Also what was durable and then refused, or lost on the disk. Nothing is left any more.
        let dropped = dropped_before + self.shared.lock().ledger.dropped().total();
        if dropped == 0 { Ok(()) } else { Err(Unflushed { dropped, left: 0 }) }
    }

    /// Waits until the spool is empty, or what is left will not go soon: the server is seen to fail, or
    /// something before it refuses the last entries.
    fn wait_delivered(&self, begun: Instant, timeout: Duration) {
        if worker::is_this_thread(&self.shared) {
            return;
        }
        let mut state = self.shared.lock();
        while state.ledger.spooled() > 0 && !(state.failing || state.only_stuck || state.stopped) {
            let left = timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return;
            }
            self.start(&state);
            self.shared.work.notify_one();
            state = self.shared.wait_for_progress(state, left);
        }
    }

    /// Ends the client: what is in memory is dropped, and counted.
    fn stop(&self) {
        let shared = &*self.shared;
        let mut state = shared.lock();
        if state.stopped {
            return;
        }
        state.stopped = true;
        shared.gather(&mut state);
        shared.take_gathered(&mut state);
        shared.drop_memory(&mut state, super::ledger::Ledger::stop);
        state.epochs.drop_all_but(&BTreeMap::new());
        shared.tell_progress(state);
        shared.work.notify_all();
        shared.requests.notify_all();
        // The worker tells of what was dropped.
        let begun = Instant::now();
        let mut state = shared.lock();
        while shared.worker_runs.load(Ordering::SeqCst) && !worker::is_this_thread(shared) {
            let left = LAST_WORDS.saturating_sub(begun.elapsed());
            if left.is_zero() {
                break;
            }
            state = shared.wait_for_progress(state, left);
        }
        // Where it has no time, or there is none, this thread does, since the process may end now.
        // A callback is the worker's alone.
        if shared.config.on_drop.is_none() {
            let stats = shared.snapshot(&state);
            let report = report::untold(&mut state.told, &stats);
            drop(state);
            if let Some(report) = report {
                report.write_to_stderr();
            }
        }
    }

    pub(crate) fn stats(&self) -> ClientStats {
        self.shared.stats()
    }

    /// The worker learns of a rotation. With `other_calls`, the next call may succeed where the last
    /// one failed.
    pub(crate) fn rotated(&self, other_calls: bool) {
        let mut state = self.shared.lock();
        state.rotated = true;
        state.failing &= !other_calls;
        drop(state);
        self.shared.work.notify_one();
    }

    pub(crate) fn flush_at_exit(&self, timeout: Duration) -> ExitFlush {
        self.shared.flush_at_exit(timeout)
    }

    fn start(&self, state: &State) -> bool {
        worker::start(&self.shared, state)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // The locks and threads of another process are not ours.
        if self.generation == logflux_process::generation() {
            let _ = self.close(LAST_WAIT);
        }
    }
}
