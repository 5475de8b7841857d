//! What callers, the worker and the senders share: the intake, where a logging call puts its
//! message, and the state under one lock, which is never held while anything is sealed, written or
//! sent.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use logflux_envelope::Sealer;
use logflux_wire::limits::BATCH_MAX;

use super::builder::Config;
use super::exit::Exit;
use super::intake::{Gathered, Intake, earlier};
use super::ledger::{Ledger, Load};
use super::outbox::{BatchName, Weight};
use super::queue::Queue;
use super::sender::{Answered, Request};
use super::stats::{ClientStats, DropReason, Dropped};
use super::tickets::{Epoch, Epochs, Watch};
use crate::spool::Spool;

/// How long a caller waits before it looks whether there is a worker.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What the threads of a client share.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) intake: Intake,
    pub(crate) sleep: Sleep,
    pub(crate) exit: Exit,
    pub(crate) worker_runs: AtomicBool,
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

/// What is under the lock.
pub(crate) struct State {
    /// Messages out of the intake that the worker has not taken.
    pub(crate) gathered: Gathered,
    gathered_messages: u64,
    /// Which messages flushes wait for.
    pub(crate) epochs: Epochs,
    pub(crate) ledger: Ledger,
    /// What the client did, beside the ledger.
    pub(crate) deeds: ClientStats,
    /// The drops that people were told of.
    pub(crate) told: Dropped,
    pub(crate) requests: VecDeque<Request>,
    pub(crate) idle_senders: usize,
    pub(crate) answers: Vec<Answered>,
    /// The name of the next batch. It outlives a worker, as answers do.
    next_batch: BatchName,
    /// What the worker seals with.
    sealer: Arc<Sealer>,
    /// How many keys the sealers before it derived.
    derived_before: u64,
    /// Whether there was a rotation that the worker has not seen.
    pub(crate) rotated: bool,
    /// How many callers wait for room.
    pub(crate) blocked: u64,
    /// Whether the last call failed, so that waiting for the server is of no use.
    pub(crate) failing: bool,
    /// Whether nothing is left to send but what something before the server refuses.
    pub(crate) only_stuck: bool,
    pub(crate) closed: bool,
    pub(crate) stopped: bool,
    /// What was opened when the client was built; the worker takes it.
    pub(crate) spool: Option<Spool>,
}

impl State {
    fn new(spool: Option<Spool>, sealer: Arc<Sealer>) -> Self {
        let mut ledger = Ledger::default();
        ledger.find(spool.as_ref().map_or(0, Spool::len));
        Self {
            gathered: Gathered::default(),
            gathered_messages: 0,
            epochs: Epochs::default(),
            ledger,
            deeds: ClientStats::default(),
            told: Dropped::default(),
            requests: VecDeque::new(),
            idle_senders: 0,
            answers: Vec::new(),
            next_batch: BatchName::default(),
            sealer,
            derived_before: 0,
            rotated: false,
            blocked: 0,
            failing: false,
            only_stuck: false,
            closed: false,
            stopped: false,
            spool,
        }
    }

    /// A name that no batch has had.
    pub(crate) fn name_batch(&mut self) -> BatchName {
        let name = self.next_batch;
        self.next_batch = BatchName(name.0 + 1);
        name
    }

    /// What to seal with now. One that is replaced must not be in use: what it derives later is not
    /// counted.
    pub(crate) fn take_sealer(&mut self, newest: Arc<Sealer>) -> Arc<Sealer> {
        if !Arc::ptr_eq(&self.sealer, &newest) {
            self.derived_before += self.sealer.stats().derivations;
            self.sealer = newest;
        }
        Arc::clone(&self.sealer)
    }

    /// Whether somebody waits for messages to go.
    pub(crate) fn is_hurried(&self) -> bool {
        self.closed || self.blocked > 0 || self.epochs.is_watched()
    }
}

impl Shared {
    pub(crate) fn new(config: Arc<Config>, spool: Option<Spool>) -> Self {
        let state = State::new(spool, config.rotating.sealer());
        Self {
            intake: Intake::new(config.settings.queue_size, config.settings.queue_bytes),
            config,
            sleep: Sleep::default(),
            exit: Exit::default(),
            worker_runs: AtomicBool::new(false),
            state: Mutex::new(state),
            work: Condvar::new(),
            requests: Condvar::new(),
            progress: Condvar::new(),
            room: Condvar::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is settled, or the time is over.
    pub(crate) fn wait_for_progress<'a>(
        &self,
        state: MutexGuard<'a, State>,
        time: Duration,
    ) -> MutexGuard<'a, State> {
        self.progress.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Lets the state go, and tells those who wait that something was settled.
    pub(crate) fn tell_progress(&self, mut state: MutexGuard<'_, State>) {
        let finished = state.epochs.take_finished();
        drop(state);
        self.progress.notify_all();
        self.room.notify_all();
        finished.into_iter().for_each(std::task::Waker::wake);
    }

    /// Takes out of the intake all that was logged before; no callers are held up meanwhile.
    pub(crate) fn gather(&self, state: &mut State) {
        let messages = self.intake.gather(&mut state.gathered, state.epochs.current());
        state.gathered_messages += messages;
        state.epochs.enter(messages);
    }

    /// Copies what must wait out of the buffers that callers write to, where that is a batch or more;
    /// true if it was.
    ///
    /// Those buffers would grow, and a caller that comes to a new page waits microseconds for it.
    pub(crate) fn set_aside(&self, state: &mut State) -> bool {
        if self.intake.queued().0 - state.gathered_messages < count(BATCH_MAX) {
            return false;
        }
        // What was dropped since left empty queues.
        state.gathered.queues.retain(|(_, queue)| queue.count() > 0);
        let before = state.gathered.queues.len();
        self.gather(state);
        state.gathered.compact_after(before);
        true
    }

    /// Watches all that was logged before.
    pub(crate) fn watch(&self, state: &mut State) -> Arc<Watch> {
        self.gather(state);
        let dropped = self.snapshot(state).dropped.total();
        state.epochs.watch(dropped)
    }

    /// Since when the oldest message that the worker has not taken has been waiting.
    pub(crate) fn queued_since(&self, state: &State) -> Option<Instant> {
        earlier(state.gathered.since, self.intake.since())
    }

    /// What was gathered counts as held in memory from now on.
    pub(crate) fn take_gathered(&self, state: &mut State) -> Vec<(Epoch, Queue)> {
        let taken = mem::take(&mut state.gathered.queues);
        self.take_queues(state, taken)
    }

    /// The oldest of what was gathered counts as held in memory from now on: at most so many
    /// messages and so many bytes, and at least one message.
    pub(crate) fn take_some(
        &self,
        state: &mut State,
        messages: usize,
        bytes: usize,
    ) -> Vec<(Epoch, Queue)> {
        let mut taken: Vec<(Epoch, Queue)> = Vec::new();
        let (mut messages_left, mut bytes_left) = (messages, bytes);
        while let Some((epoch, queue)) = state.gathered.queues.first_mut() {
            let all = queue.count() <= messages_left && queue.bytes() <= bytes_left;
            if !all && !taken.is_empty() {
                break;
            }
            let front = match all {
                true => state.gathered.queues.remove(0),
                false => (*epoch, queue.split_off_front(messages_left, bytes_left)),
            };
            messages_left = messages_left.saturating_sub(front.1.count());
            bytes_left = bytes_left.saturating_sub(front.1.bytes());
            taken.push(front);
        }
        // One that was taken whole by its front is empty.
        state.gathered.queues.retain(|(_, queue)| queue.count() > 0);
        self.take_queues(state, taken)
    }

    fn take_queues(&self, state: &mut State, taken: Vec<(Epoch, Queue)>) -> Vec<(Epoch, Queue)> {
        let messages = taken.iter().map(|(_, queue)| count(queue.count())).sum();
        let load = Load { messages, bytes: taken.iter().map(|(_, queue)| queue.bytes()).sum() };
        state.gathered_messages -= messages;
        if state.gathered_messages == 0 {
            state.gathered.since = None;
        }
        state.ledger.take(load);
        self.intake.taken(load.messages, load.bytes);
        taken
    }

    /// Drops the oldest message that the worker has not taken.
    pub(crate) fn drop_oldest(&self, state: &mut State) -> bool {
        let mut gathered = state.gathered.queues.iter_mut();
        let oldest = gathered.find_map(|(epoch, queue)| Some((*epoch, queue.drop_oldest()?)));
        let Some((epoch, cost)) = oldest else { return self.intake.drop_oldest() };
        self.intake.taken(1, cost);
        self.intake.release(1, cost);
        state.gathered_messages -= 1;
        state.ledger.drop_queued(DropReason::QueueFull, 1);
        state.epochs.drop(epoch, 1);
        true
    }

    /// Messages that were held in memory are dropped.
    pub(crate) fn drop_held(&self, state: &mut State, reason: DropReason, weights: &[Weight]) {
        let left = state.ledger.drop_held(reason, load(weights));
        self.leave(state, left, weights, Epochs::drop);
    }

    /// Messages that were held in memory are delivered.
    pub(crate) fn deliver_held(&self, state: &mut State, weights: &[Weight]) {
        let left = state.ledger.deliver_held(load(weights));
        self.leave(state, left, weights, Epochs::settle);
    }

    /// Entries of the spool that were not durable are dropped.
    pub(crate) fn drop_unsynced(&self, state: &mut State, reason: DropReason, weights: &[Weight]) {
        let left = state.ledger.drop_unsynced(reason, load(weights));
        self.leave(state, left, weights, Epochs::drop);
    }

    /// Entries of the spool that were not durable are delivered.
    pub(crate) fn deliver_unsynced(&self, state: &mut State, weights: &[Weight]) {
        let left = state.ledger.deliver_unsynced(load(weights));
        self.leave(state, left, weights, Epochs::settle);
    }

    /// Entries of the spool are durable.
    pub(crate) fn sync(&self, state: &mut State, weights: &[Weight]) {
        let left = state.ledger.sync(load(weights));
        self.leave(state, left, weights, Epochs::settle);
    }

    /// Durable entries are dropped.
    pub(crate) fn drop_spooled(&self, state: &mut State, reason: DropReason, entries: u64) {
        state.ledger.drop_spooled(reason, entries);
        state.epochs.drop_durable(entries);
    }

    /// Everything that the worker took is dropped, and nobody waits for it any more.
    pub(crate) fn drop_memory(&self, state: &mut State, drop: impl FnOnce(&mut Ledger) -> Load) {
        let left = drop(&mut state.ledger);
        self.intake.release(left.messages, left.bytes);
    }

    fn leave(
        &self,
        state: &mut State,
        left: Load,
        weights: &[Weight],
        settle: fn(&mut Epochs, Epoch, u64),
    ) {
        self.intake.release(left.messages, left.bytes);
        // At the end of the client all were settled.
        if left.is_empty() {
            return;
        }
        for alike in weights.chunk_by(|one, other| one.epoch == other.epoch) {
            if let Some(first) = alike.first() {
                settle(&mut state.epochs, first.epoch, count(alike.len()));
            }
        }
    }

    pub(crate) fn stats(&self) -> ClientStats {
        let state = self.lock();
        let mut stats = self.snapshot(&state);
        stats.derivations = state.derived_before + state.sealer.stats().derivations;
        stats
    }

    /// What became of all messages until now.
    pub(crate) fn snapshot(&self, state: &State) -> ClientStats {
        // While the state is locked nothing leaves the intake, so that it may be counted piece by
        // piece.
        let intake = self.intake.counts();
        debug_assert_eq!(
            intake.accepted,
            intake.dropped.total() + intake.queued + state.gathered_messages + state.ledger.taken(),
        );
        let mut stats = state.deeds.clone();
        stats.accepted = intake.accepted;
        stats.dropped = intake.dropped;
        stats.pending = intake.queued + state.gathered_messages;
        state.ledger.add_to(&mut stats);
        stats
    }
}

fn load(weights: &[Weight]) -> Load {
    let mut load = Load::default();
    weights.iter().for_each(|weight| load.add(weight.load()));
    load
}

pub(crate) fn count(items: usize) -> u64 {
    // A `usize` has at most 64 bits on every system that Rust supports.
    items as u64
}

/// When the worker, while it sleeps, wants to be woken by a logging call.
#[derive(Debug, Default)]
pub(crate) struct Sleep(AtomicU8);

impl Sleep {
    const AWAKE: u8 = 0;
    const UNTIL_BATCH: u8 = 1;
    const UNTIL_MESSAGE: u8 = 2;

    /// The worker is about to sleep. It looks at the queue after this, and a caller looks here
    /// after it has put its message into the queue, so that one of them sees the other.
    pub(crate) fn begin(&self, until_message: bool) {
        let until = if until_message { Self::UNTIL_MESSAGE } else { Self::UNTIL_BATCH };
        self.0.store(until, Ordering::SeqCst);
    }

    pub(crate) fn end(&self) {
        self.0.store(Self::AWAKE, Ordering::SeqCst);
    }

    /// Whether a caller is to wake the worker now. True for one caller.
    pub(crate) fn wants_waking(&self, intake: &Intake) -> bool {
        let until = self.0.load(Ordering::SeqCst);
        until != Self::AWAKE
            && (until == Self::UNTIL_MESSAGE || intake.holds_a_batch())
            && self.0.swap(Self::AWAKE, Ordering::SeqCst) != Self::AWAKE
    }
}
