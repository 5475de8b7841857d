//! What callers, the worker and the senders share: one lock, held for nanoseconds by callers and
//! never while anything is sealed, written or sent.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Timestamp};
use logflux_wire::limits::BATCH_MAX;

use super::Unflushed;
use super::builder::Config;
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
    pub(crate) queue: Queue,
    /// Since when the oldest message has been in the queue.
    pub(crate) queued_since: Option<Instant>,
    /// The number of the next message; the queue's first has `next_number - queue.count()`.
    pub(crate) next_number: u64,
    /// The first messages' numbers of batches that are neither delivered nor durable.
    pub(crate) unsettled: BTreeSet<u64>,
    /// Messages, and their bytes, that left the queue and wait in memory.
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
    pub(crate) worker_runs: bool,
    pub(crate) worker_sleeps: bool,
    pub(crate) closed: bool,
    pub(crate) stopped: bool,
    /// What was opened when the client was built; the worker takes it.
    pub(crate) spool: Option<Spool>,
}

impl State {
    /// The number below which every message is settled.
    pub(crate) fn settled_below(&self) -> u64 {
        let queued = self.next_number - count(self.queue.count());
        self.unsettled.first().map_or(queued, |first| queued.min(*first))
    }

    fn snapshot(&self) -> ClientStats {
        let pending = count(self.queue.count()) + self.held;
        ClientStats { pending, ..self.stats.clone() }
    }

    /// Messages that had left the queue are dropped. At the end of the client they all were already.
    pub(crate) fn drop_held(&mut self, reason: DropReason, dropped: u64, bytes: usize) {
        if self.stopped {
            return;
        }
        self.release(dropped, bytes);
        self.stats.dropped.add(reason, dropped);
    }

    /// Messages that had left the queue do not wait in memory any more.
    pub(crate) fn release(&mut self, messages: u64, bytes: usize) {
        self.held -= messages.min(self.held);
        self.held_bytes -= bytes.min(self.held_bytes);
    }
}

impl Core {
    pub(crate) fn new(config: Arc<Config>, spool: Option<Spool>) -> Self {
        let spooled = spool.as_ref().map_or(0, Spool::len);
        let stats = ClientStats { accepted: spooled, spooled, ..ClientStats::default() };
        let state = State {
            queue: Queue::default(),
            queued_since: None,
            next_number: 0,
            unsettled: BTreeSet::new(),
            held: 0,
            held_bytes: 0,
            stats,
            requests: VecDeque::new(),
            idle_senders: 0,
            answers: Vec::new(),
            flush_below: 0,
            failing: false,
            worker_runs: false,
            worker_sleeps: false,
            closed: false,
            stopped: false,
            spool,
        };
        let shared = Shared {
            config,
            state: Mutex::new(state),
            work: Condvar::new(),
            requests: Condvar::new(),
            progress: Condvar::new(),
            room: Condvar::new(),
        };
        Self { generation: logflux_process::generation(), shared: Arc::new(shared) }
    }

    pub(crate) fn log(&self, level: Level, bytes: &[u8], timestamp: Timestamp) {
        let shared = &self.shared;
        let config = &shared.config;
        let mut state = shared.lock();
        if bytes.len() > config.sealer.mode().message_max() {
            state.stats.accepted += 1;
            return state.stats.dropped.add(DropReason::TooLong, 1);
        }
        let fits = |state: &State| {
            let waiting = count(state.queue.count()) + state.held;
            let taken = state.queue.bytes() + state.held_bytes;
            waiting < count(config.settings.queue_size)
                // A message larger than the bound is taken where nothing else waits.
                && (taken + Queue::cost(bytes.len()) <= config.queue_bytes || waiting == 0)
        };
        while !state.closed && !fits(&state) {
            match config.when_full {
                WhenFull::DropNewest => break,
                WhenFull::DropOldest => {
                    if !state.queue.drop_oldest() {
                        break;
                    }
                    state.stats.dropped.add(DropReason::QueueFull, 1);
                }
                WhenFull::Block => {
                    // Where nothing is on its way, only what is in the queue can make room, however
                    // little it is. Else batches are left to fill up.
                    if state.held == 0 {
                        state.flush_below = state.next_number;
                    }
                    self.start(&mut state);
                    shared.work.notify_one();
                    state = shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        // Not before: while a call waits for room, its message is in none of the places that add up.
        state.stats.accepted += 1;
        if state.closed {
            return state.stats.dropped.add(DropReason::Closed, 1);
        }
        if !fits(&state) {
            return state.stats.dropped.add(DropReason::QueueFull, 1);
        }
        if state.queue.count() == 0 {
            state.queued_since = Some(Instant::now());
        }
        state.queue.push(Queued { level, timestamp, bytes });
        state.next_number += 1;
        let wake = state.worker_sleeps && shared.batch_is_full(&state);
        if wake {
            state.worker_sleeps = false;
        }
        if !state.worker_runs {
            self.start(&mut state);
        }
        drop(state);
        if wake {
            shared.work.notify_one();
        }
    }

    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), Unflushed> {
        let (state, settled) = self.wait_settled(Instant::now(), timeout, false);
        if settled { Ok(()) } else { Err(unflushed(&state)) }
    }

    pub(crate) fn close(&self, timeout: Duration) -> Result<(), Unflushed> {
        let begun = Instant::now();
        self.shared.lock().closed = true;
        self.shared.room.notify_all();
        let (mut state, settled) = self.wait_settled(begun, timeout, true);
        let left = unflushed(&state);
        if !state.stopped {
            state.stopped = true;
            let waiting = count(state.queue.count()) + state.held;
            state.stats.dropped.add(DropReason::Closed, waiting);
            state.queue.clear();
            (state.held, state.held_bytes) = (0, 0);
            state.unsettled.clear();
            drop(state);
            self.shared.work.notify_all();
            self.shared.requests.notify_all();
            self.shared.progress.notify_all();
        }
        if settled { Ok(()) } else { Err(left) }
    }

    pub(crate) fn stats(&self) -> ClientStats {
        let mut stats = self.shared.lock().snapshot();
        stats.derivations = self.shared.config.sealer.stats().derivations;
        stats
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
        if state.worker_runs || state.stopped {
            return;
        }
        let shared = Arc::clone(&self.shared);
        state.worker_runs = thread::Builder::new()
            .name("logflux-worker".to_owned())
            .spawn(move || worker::run(&shared))
            .is_ok();
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
    /// Whether the queue holds enough to be worth a request, or is so small that it soon is full.
    pub(crate) fn batch_is_full(&self, state: &State) -> bool {
        let messages = BATCH_MAX.min(self.config.settings.queue_size.div_ceil(2));
        state.queue.count() >= messages || state.queue.bytes() >= self.config.queue_bytes / 2
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unflushed(state: &State) -> Unflushed {
    Unflushed { left: count(state.queue.count()) + state.held }
}

pub(crate) fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
