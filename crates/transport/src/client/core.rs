//! What callers, the worker and the senders share: the intake, where a logging call puts its
//! message, and the state under one lock, which is never held while anything is sealed, written or
//! sent.

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Timestamp};

use super::Unflushed;
use super::builder::Config;
use super::intake::{Gathered, Intake, Offered, earlier};
use super::ledger::{ClientStats, DropReason};
use super::queue::{Queue, Queued, WhenFull};
use super::sender::{Answered, Request};
use super::worker;
use crate::spool::Spool;

/// How long the last handle of a client waits, when it is dropped, for what is left.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// A client's life in one process.
pub(crate) struct Core {
    generation: u64,
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) intake: Intake,
    /// Set while the worker sleeps until it is woken.
    pub(crate) worker_sleeps: AtomicBool,
    worker_runs: AtomicBool,
    state: Mutex<State>,
    /// The worker waits here for messages, answers and requests to flush.
    pub(crate) work: Condvar,
    /// Senders wait here for requests.
    pub(crate) requests: Condvar,
    /// Those that flush wait here.
    pub(crate) progress: Condvar,
    /// Callers that block wait here for room.
    pub(crate) room: Condvar,
}

pub(crate) struct State {
    /// Messages out of the intake that the worker has not taken.
    pub(crate) gathered: Gathered,
    /// The number of the next message that is gathered.
    pub(crate) next_number: u64,
    /// The number of the next message that the worker takes.
    pub(crate) next_taken: u64,
    /// The first messages' numbers of batches that are neither delivered nor durable.
    pub(crate) unsettled: BTreeSet<u64>,
    /// Messages, and their bytes, that the worker took and that wait in memory.
    pub(crate) held: u64,
    pub(crate) held_bytes: usize,
    pub(crate) stats: ClientStats,
    pub(crate) requests: VecDeque<Request>,
    pub(crate) idle_senders: usize,
    pub(crate) answers: Vec<Answered>,
    /// Everything below this number is to be settled without waiting for more.
    pub(crate) flush_below: u64,
    /// Whether the last call failed, so that waiting for the server is of no use.
    pub(crate) failing: bool,
    pub(crate) closed: bool,
    pub(crate) stopped: bool,
    /// What was opened when the client was built; the worker takes it.
    pub(crate) spool: Option<Spool>,
}

impl State {
    /// The number below which every message is settled.
    pub(crate) fn settled_below(&self) -> u64 {
        self.unsettled.first().map_or(self.next_taken, |first| self.next_taken.min(*first))
    }
}

impl Core {
    pub(crate) fn new(config: Arc<Config>, spool: Option<Spool>) -> Self {
        let spooled = spool.as_ref().map_or(0, Spool::len);
        let stats = ClientStats { accepted: spooled, spooled, ..ClientStats::default() };
        let state = State {
            gathered: Gathered::default(),
            next_number: 0,
            next_taken: 0,
            unsettled: BTreeSet::new(),
            held: 0,
            held_bytes: 0,
            stats,
            requests: VecDeque::new(),
            idle_senders: 0,
            answers: Vec::new(),
            flush_below: 0,
            failing: false,
            closed: false,
            stopped: false,
            spool,
        };
        let shared = Shared {
            intake: Intake::new(config.settings.queue_size, config.settings.queue_bytes),
            config,
            worker_sleeps: AtomicBool::new(false),
            worker_runs: AtomicBool::new(false),
            state: Mutex::new(state),
            work: Condvar::new(),
            requests: Condvar::new(),
            progress: Condvar::new(),
            room: Condvar::new(),
        };
        Self { generation: logflux_process::generation(), shared: Arc::new(shared) }
    }

    pub(crate) fn log(&self, level: Level, bytes: &[u8], timestamp: Timestamp) {
        let shared = &*self.shared;
        let intake = &shared.intake;
        let message = Queued { level, timestamp, bytes };
        if bytes.len() > shared.config.sealer.mode().message_max() {
            intake.count_dropped(DropReason::TooLong);
        } else if intake.offer(message, false) == Offered::NoRoom
            && (shared.config.settings.when_full == WhenFull::DropNewest
                || !self.offer_again(message))
        {
            intake.count_dropped(DropReason::QueueFull);
        }
        // It tells of what was dropped, too.
        if !shared.worker_runs.load(Ordering::SeqCst) {
            self.start(&mut shared.lock());
        }
        // In this order, which is the reverse of the worker's.
        if shared.worker_sleeps.load(Ordering::SeqCst)
            && intake.holds_a_batch()
            && shared.worker_sleeps.swap(false, Ordering::SeqCst)
        {
            // The worker has let go of the lock, and so waits.
            drop(shared.lock());
            shared.work.notify_one();
        }
    }

    /// Makes room for a message, as it is set; false where it is to be dropped.
    #[cold]
    fn offer_again(&self, message: Queued<'_>) -> bool {
        let shared = &*self.shared;
        let cost = Queue::cost(message.bytes.len());
        let mut state = shared.lock();
        while !state.closed && !shared.intake.reserve(cost) {
            match shared.config.settings.when_full {
                WhenFull::DropOldest if shared.drop_oldest(&mut state) => {}
                WhenFull::DropOldest | WhenFull::DropNewest => return false,
                WhenFull::Block if worker::is_this_thread(shared) => return false,
                WhenFull::Block => {
                    // Where nothing is on its way, only what is in the queue can make room, however
                    // little it is. Else batches are left to fill up.
                    if state.held == 0 {
                        shared.gather(&mut state);
                        state.flush_below = state.next_number;
                    }
                    self.start(&mut state);
                    shared.work.notify_one();
                    state = shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        let room = !state.closed;
        drop(state);
        shared.intake.offer(message, room) == Offered::Settled
    }

    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), Unflushed> {
        let (state, settled) = self.wait_settled(Instant::now(), timeout, false);
        if settled { Ok(()) } else { Err(self.shared.unflushed(&state)) }
    }

    pub(crate) fn close(&self, timeout: Duration) -> Result<(), Unflushed> {
        let begun = Instant::now();
        self.shared.lock().closed = true;
        self.shared.intake.close();
        self.shared.room.notify_all();
        let (mut state, settled) = self.wait_settled(begun, timeout, true);
        let left = self.shared.unflushed(&state);
        if !state.stopped {
            state.stopped = true;
            self.shared.gather(&mut state);
            self.shared.take_gathered(&mut state);
            let (held, bytes) = (state.held, state.held_bytes);
            self.shared.release(&mut state, held, bytes);
            state.stats.dropped.add(DropReason::Closed, held);
            state.unsettled.clear();
            drop(state);
            self.shared.work.notify_all();
            self.shared.requests.notify_all();
            self.shared.progress.notify_all();
        }
        if settled { Ok(()) } else { Err(left) }
    }

    pub(crate) fn stats(&self) -> ClientStats {
        self.shared.stats()
    }

    /// Waits until all that was logged before is settled, and, with `delivered`, until the spool is
    /// empty as well or the server is seen to fail. True if it is settled.
    fn wait_settled(
        &self,
        begun: Instant,
        timeout: Duration,
        delivered: bool,
    ) -> (MutexGuard<'_, State>, bool) {
        let mut state = self.shared.lock();
        self.shared.gather(&mut state);
        let below = state.next_number;
        loop {
            let settled = state.settled_below() >= below;
            let done = settled && (!delivered || state.stats.spooled == 0 || state.failing);
            let left = timeout.saturating_sub(begun.elapsed());
            if done || state.stopped || left.is_zero() {
                return (state, settled);
            }
            state.flush_below = state.flush_below.max(below);
            self.start(&mut state);
            self.shared.work.notify_one();
            state = self
                .shared
                .progress
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Starts the worker, if it does not run. Where no thread can be had, the next call tries again.
    fn start(&self, state: &mut State) {
        if state.stopped || self.shared.worker_runs.swap(true, Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new()
            .name("logflux-worker".to_owned())
            .spawn(move || worker::run(&shared));
        if started.is_err() {
            self.shared.worker_ended();
        }
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

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call that logs starts a worker.
    pub(crate) fn worker_ended(&self) {
        self.worker_runs.store(false, Ordering::SeqCst);
    }

    /// Takes out of the intake all that was logged before; no callers are held up meanwhile.
    pub(crate) fn gather(&self, state: &mut State) {
        state.next_number += self.intake.gather(&mut state.gathered);
    }

    /// Since when the oldest message that the worker has not taken has been waiting.
    pub(crate) fn queued_since(&self, state: &State) -> Option<Instant> {
        earlier(state.gathered.since, self.intake.since())
    }

    /// What was gathered counts as held in memory from now on.
    pub(crate) fn take_gathered(&self, state: &mut State) -> Vec<Queue> {
        let taken = mem::take(&mut state.gathered.queues);
        state.gathered.since = None;
        let messages = state.next_number - state.next_taken;
        let bytes = taken.iter().map(Queue::bytes).sum();
        state.next_taken = state.next_number;
        state.held += messages;
        state.held_bytes += bytes;
        self.intake.taken(messages, bytes);
        taken
    }

    /// Drops the oldest message that the worker has not taken.
    fn drop_oldest(&self, state: &mut State) -> bool {
        let mut gathered = state.gathered.queues.iter_mut();
        let Some(cost) = gathered.find_map(Queue::drop_oldest) else {
            return self.intake.drop_oldest();
        };
        self.intake.taken(1, cost);
        self.intake.release(1, cost);
        state.next_taken += 1;
        state.stats.dropped.add(DropReason::QueueFull, 1);
        true
    }

    /// Messages that the worker took are dropped. At the end of the client they all were already.
    pub(crate) fn drop_held(
        &self,
        state: &mut State,
        reason: DropReason,
        dropped: u64,
        bytes: usize,
    ) {
        if state.stopped {
            return;
        }
        self.release(state, dropped, bytes);
        state.stats.dropped.add(reason, dropped);
    }

    /// Messages that the worker took do not wait in memory any more.
    pub(crate) fn release(&self, state: &mut State, messages: u64, bytes: usize) {
        let (messages, bytes) = (messages.min(state.held), bytes.min(state.held_bytes));
        state.held -= messages;
        state.held_bytes -= bytes;
        self.intake.release(messages, bytes);
    }

    pub(crate) fn stats(&self) -> ClientStats {
        let mut stats = self.snapshot(&self.lock());
        stats.derivations = self.config.sealer.stats().derivations;
        stats
    }

    /// What became of all messages until now.
    pub(crate) fn snapshot(&self, state: &State) -> ClientStats {
        // While the state is locked nothing leaves the intake, so that it may be counted piece by
        // piece.
        let intake = self.intake.counts();
        let mut stats = state.stats.clone();
        stats.accepted += intake.accepted;
        stats.dropped += intake.dropped;
        stats.pending = intake.queued + (state.next_number - state.next_taken) + state.held;
        stats
    }

    fn unflushed(&self, state: &State) -> Unflushed {
        Unflushed { left: self.intake.queued().0 + state.held }
    }
}

pub(crate) fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
