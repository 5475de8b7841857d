//! The end of a process, and of a worker that failed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::super::ledger::Ledger;
use super::super::state::{Shared, count};
use super::super::stats::DropReason;
use super::super::tickets::{FlushTicket, Unflushed, Watch};
use super::Worker;

/// A flush that the end of the process asked for.
pub(super) struct Exiting {
    ticket: FlushTicket,
    deadline: Instant,
}

impl Exiting {
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl Worker<'_> {
    /// Begins to flush, where the process ends.
    pub(super) fn look_for_exit(&mut self, now: Instant) {
        let Some(time) = self.shared.exit.asked() else { return };
        if self.exiting.is_some() {
            return;
        }
        let mut state = self.shared.lock();
        let watch: Arc<Watch> = self.shared.watch(&mut state);
        drop(state);
        let ticket = FlushTicket { shared: Arc::clone(self.shared), watch };
        // A time beyond what the clock can say is as good as a year.
        let year = Duration::from_secs(365 * 24 * 3_600);
        self.exiting = Some(Exiting { ticket, deadline: now + time.min(year) });
    }

    /// Answers when all is flushed, or when the time is over and the loss is told.
    pub(super) fn answer_exit(&mut self, now: Instant) {
        let Some(exiting) = &self.exiting else { return };
        if !exiting.ticket.is_done() && now < exiting.deadline {
            return;
        }
        let left = exiting.ticket.answer().err().map_or(0, |unflushed| unflushed.left);
        // What was dropped earlier is told now, too, unless it was told of then.
        let mut state = self.shared.lock();
        let stats = self.shared.snapshot(&state);
        let dropped = stats.dropped.since(&state.told).total();
        state.told = stats.dropped;
        drop(state);
        let lost = dropped + left > 0;
        if lost {
            let unflushed = Unflushed { dropped, left };
            self.reporter.tell_at_exit(&unflushed, stats.last_error.as_deref());
        }
        self.exiting = None;
        self.shared.exit.answer(lost);
    }
}

/// Should the worker ever panic, what it held is counted as dropped, and the next call that logs
/// starts another, which opens the spool anew.
pub(super) struct LastWords<'a>(pub(super) &'a Shared);

impl Drop for LastWords<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if std::thread::panicking() {
            let failed = |ledger: &mut Ledger| ledger.drop_memory(DropReason::WorkerFailed);
            self.0.drop_memory(&mut state, failed);
            // What it had not taken, the next worker takes.
            let mut queued = BTreeMap::new();
            for (epoch, queue) in &state.gathered.queues {
                *queued.entry(*epoch).or_default() += count(queue.count());
            }
            state.epochs.drop_all_but(&queued);
            state.requests.clear();
            state.answers.clear();
        }
        self.0.worker_runs.store(false, Ordering::SeqCst);
        self.0.tell_progress(state);
    }
}
