//! The end of a process, and of a worker that failed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::super::ledger::Ledger;
use super::super::state::{Shared, count};
use super::super::stats::DropReason;
use super::super::tickets::{FlushTicket, Watch};
use super::Worker;

/// A flush that the end of the process asked for.
pub(super) struct Exiting {
    ticket: FlushTicket,
    dropped_before: u64,
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
        let dropped_before = self.shared.snapshot(&state).dropped.total();
        drop(state);
        let ticket = FlushTicket { shared: Arc::clone(self.shared), watch };
        // A time beyond what the clock can say is as good as a year.
        let year = Duration::from_secs(365 * 24 * 3_600);
        self.exiting = Some(Exiting { ticket, dropped_before, deadline: now + time.min(year) });
    }

    /// Answers when all is flushed, or when the time is over and the loss is told.
    pub(super) fn answer_exit(&mut self, now: Instant) {
        let Some(exiting) = &self.exiting else { return };
        if !exiting.ticket.is_done() && now < exiting.deadline {
            return;
        }
        let mut lost = exiting.ticket.wait(Duration::ZERO).err();
        // What was dropped earlier was told of then.
        if let Some(unflushed) = &mut lost {
            unflushed.dropped = unflushed.dropped.saturating_sub(exiting.dropped_before);
        }
        let lost = lost.filter(|unflushed| unflushed.dropped + unflushed.left > 0);
        if let Some(unflushed) = &lost {
            let cause = self.shared.lock().deeds.last_error.clone();
            self.reporter.tell_at_exit(unflushed, cause.as_deref());
        }
        self.exiting = None;
        self.shared.exit.answer(lost.is_some());
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
