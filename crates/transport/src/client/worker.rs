//! The worker thread: takes messages, seals them, spools them, and decides what is sent when.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use logflux_envelope::Message;
use logflux_wire::limits::BATCH_MAX;

use super::core::{Shared, State, count};
use super::ledger::DropReason;
use super::outbox::{BODY_MAX, Batch, Outbox};
use super::queue::Queue;
use super::report::{Reporter, Statistician};
use super::schedule::Schedule;
use super::sender::{self, Request};
use crate::spool::{RecordId, Spool, SpoolError};

mod answers;

/// While messages come fast the worker looks after so long by itself, and no caller wakes it.
const TICK: Duration = Duration::from_millis(5);
/// How long after a full batch messages count as coming fast.
const FAST_FOR: Duration = Duration::from_millis(100);

thread_local! {
    /// For which client this thread works: where its state is.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
}

pub(super) struct Worker<'a> {
    shared: &'a Arc<Shared>,
    outbox: Outbox,
    schedule: Schedule,
    reporter: Reporter,
    statistician: Statistician,
    taken: Vec<Queue>,
    fast_until: Option<Instant>,
    unsynced: Unsynced,
}

/// What was appended to the spool and is not durable yet; it counts as held in memory.
#[derive(Default)]
struct Unsynced {
    records: VecDeque<(RecordId, usize)>,
    numbers: Vec<u64>,
    since: Option<Instant>,
    /// The last record that is durable.
    durable: Option<RecordId>,
}

/// Whether this is the client's worker, in a callback: it must not wait for itself.
pub(super) fn is_this_thread(shared: &Shared) -> bool {
    WORKS_FOR.get() == ptr::from_ref(shared).addr()
}

/// Runs until the client is stopped.
pub(crate) fn run(shared: &Arc<Shared>) {
    // The senders, and the thread of keys where this one starts it, inherit that.
    logflux_process::block_signals();
    WORKS_FOR.set(ptr::from_ref(&**shared).addr());
    let _last_words = LastWords(shared);
    let config = &shared.config;
    let spool = open_spool(shared);
    let mut worker = Worker {
        shared,
        outbox: Outbox::new(spool),
        schedule: Schedule::new(config.settings.retry, config.settings.max_in_flight.get()),
        reporter: Reporter::new(config.on_drop.clone()),
        statistician: Statistician::new(config.on_stats.clone(), Instant::now()),
        taken: Vec::new(),
        fast_until: None,
        unsynced: Unsynced::default(),
    };
    while worker.step() {}
}

/// Should the worker ever panic, what it held is counted as dropped, and the next call that logs
/// starts another, which opens the spool anew.
struct LastWords<'a>(&'a Shared);

impl Drop for LastWords<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let mut state = self.0.lock();
        let (held, bytes) = (state.held, state.held_bytes);
        self.0.drop_held(&mut state, DropReason::WorkerFailed, held, bytes);
        state.unsettled.clear();
        state.requests.clear();
        state.answers.clear();
        // Whoever opens the spool counts what is in it.
        state.stats.accepted -= state.stats.spooled;
        state.stats.spooled = 0;
        drop(state);
        self.0.worker_ended();
        self.0.progress.notify_all();
        self.0.room.notify_all();
    }
}

/// The spool that was opened with the client; in the child of a fork, one of its own.
fn open_spool(shared: &Shared) -> Option<Spool> {
    let config = &shared.config;
    let opened = shared.lock().spool.take();
    let folder = config.settings.spool_dir.as_ref()?;
    if opened.is_some() {
        return opened;
    }
    let result = Spool::open_own(folder, config.spool);
    let mut state = shared.lock();
    match result {
        Ok((spool, _)) => {
            state.stats.accepted += spool.len();
            state.stats.spooled += spool.len();
            Some(spool)
        }
        Err(error) => {
            state.stats.last_error = Some(error.to_string());
            None
        }
    }
}

impl Worker<'_> {
    /// Does what there is to do, and waits for more; false when the client is stopped.
    fn step(&mut self) -> bool {
        let mut state = self.shared.lock();
        let answers = mem::take(&mut state.answers);
        let stopped = state.stopped;
        let hurry = state.flush_below > 0 || state.closed;
        let number = self.take(&mut state, hurry || stopped);
        let dropped = self.shared.snapshot(&state).dropped;
        drop(state);

        for answered in answers {
            self.answered(answered);
        }
        if let Some(number) = number {
            self.seal(number);
        }
        let now = Instant::now();
        self.sync(hurry || stopped, now);
        self.reporter.tell(&dropped, now, stopped);
        self.statistician.tell(|| self.shared.stats(), now, stopped);
        if stopped {
            return false;
        }
        let sent_all = self.send(now);
        self.wait(sent_all);
        true
    }

    /// Takes what is queued, if it is time to; gives the number of its first message.
    fn take(&mut self, state: &mut State, hurry: bool) -> Option<u64> {
        let intake = &self.shared.intake;
        let interval = self.shared.config.settings.flush_interval.get();
        let full = intake.holds_a_batch();
        let old = self.shared.queued_since(state).is_some_and(|since| since.elapsed() >= interval);
        if intake.queued().0 == 0 || !(full || old || hurry) {
            return None;
        }
        if full {
            self.fast_until = Some(Instant::now() + FAST_FOR);
        }
        let first = state.next_taken;
        self.shared.gather(state);
        self.taken = self.shared.take_gathered(state);
        state.unsettled.extend((first..state.next_taken).step_by(BATCH_MAX));
        Some(first)
    }

    /// Seals what was taken, in batches, and puts it into the outbox or the spool.
    fn seal(&mut self, mut number: u64) {
        let config = &self.shared.config;
        let mut taken = mem::take(&mut self.taken);
        let mut messages: Vec<Message<'_>> = taken
            .iter()
            .flat_map(Queue::iter)
            .map(|m| Message {
                bytes: m.bytes,
                node: &config.node,
                level: m.level,
                timestamp: m.timestamp,
            })
            .collect();
        // What several threads logged travels in the order of its time.
        if taken.len() > 1 {
            messages.sort_by_key(|message| message.timestamp);
        }
        for chunk in messages.chunks(BATCH_MAX) {
            let mut out = Vec::new();
            let results = config.sealer.seal_many(chunk, &mut out);
            let mut sealed = Vec::with_capacity(chunk.len());
            let mut fault = None;
            let (mut unsealed, mut unsealed_bytes) = (0, 0);
            for (message, result) in chunk.iter().zip(results) {
                let cost = Queue::cost(message.bytes.len());
                match result {
                    Ok(range) => sealed.push((out.get(range).unwrap_or_default(), cost)),
                    Err(error) => {
                        (unsealed, unsealed_bytes) = (unsealed + 1, unsealed_bytes + cost);
                        fault = Some(error.to_string());
                    }
                }
            }
            if let Some(fault) = fault {
                let mut state = self.shared.lock();
                self.shared.drop_held(&mut state, DropReason::Unsealed, unsealed, unsealed_bytes);
                state.stats.last_error = Some(fault);
            }
            if self.outbox.spool.is_some() {
                self.spool(number, &sealed);
            } else {
                self.hold(number, &sealed);
            }
            number += count(chunk.len());
        }
        drop(messages);
        taken.iter_mut().for_each(Queue::clear);
        self.shared.lock().gathered.keep(taken);
        self.shared.room.notify_all();
    }

    /// Puts sealed entries into the outbox in memory, in batches within the bound of a body.
    fn hold(&mut self, number: u64, mut sealed: &[(&[u8], usize)]) {
        if sealed.is_empty() {
            self.shared.lock().unsettled.remove(&number);
            self.shared.progress.notify_all();
        }
        let mut number = number;
        while !sealed.is_empty() {
            let mut bytes = 0;
            let fitting = sealed.iter().take_while(|(entry, _)| {
                bytes += entry.len();
                bytes <= BODY_MAX
            });
            let (now, later) = sealed.split_at(fitting.count().max(1));
            let mut batch = Batch::new(now.iter().map(|(entry, _)| *entry));
            batch.held_bytes = now.iter().map(|(_, cost)| cost).sum();
            batch.number = Some(number);
            self.outbox.push(batch);
            number += count(now.len());
            if !later.is_empty() {
                self.shared.lock().unsettled.insert(number);
            }
            sealed = later;
        }
    }

    /// Appends sealed entries to the spool.
    fn spool(&mut self, number: u64, sealed: &[(&[u8], usize)]) {
        let Some((spool, _)) = &mut self.outbox.spool else { return };
        let (mut lost, mut lost_bytes, mut fault) = (0, 0, None);
        for (entry, cost) in sealed {
            match spool.append(entry) {
                Ok(appended) => self.unsynced.records.push_back((appended.id, *cost)),
                // It is held in memory, and the next sync tries again.
                Err(error) => {
                    (lost, lost_bytes) = (lost + 1, lost_bytes + cost);
                    fault = Some(error.to_string());
                }
            }
        }
        self.unsynced.numbers.push(number);
        self.unsynced.since.get_or_insert_with(Instant::now);
        self.count_dropped_oldest();
        if lost > 0 {
            let mut state = self.shared.lock();
            self.shared.drop_held(&mut state, DropReason::SpoolFull, lost, lost_bytes);
            state.stats.last_error = fault.or(state.stats.last_error.take());
        }
    }

    /// Counts the entries that the spool dropped to make room, in whatever it did.
    fn count_dropped_oldest(&mut self) {
        let dropped = self.outbox.newly_dropped();
        if dropped == 0 {
            return;
        }
        let mut state = self.shared.lock();
        // The oldest are durable ones, unless the whole spool is as small as what is not yet.
        let durable = dropped.min(state.stats.spooled);
        state.stats.spooled -= durable;
        state.stats.dropped.add(DropReason::SpoolFull, durable);
        for _ in durable..dropped {
            if let Some((_, cost)) = self.unsynced.records.pop_front() {
                self.shared.drop_held(&mut state, DropReason::SpoolFull, 1, cost);
            }
        }
    }

    /// Makes the spool durable, if it is time to.
    fn sync(&mut self, now_please: bool, now: Instant) {
        let interval = self.shared.config.settings.sync_interval.get();
        let Some(since) = self.unsynced.since else { return };
        if !now_please && now.duration_since(since) < interval {
            return;
        }
        let Some((spool, _)) = &mut self.outbox.spool else { return };
        let synced = spool.sync();
        self.count_dropped_oldest();
        match synced {
            Ok(()) => {
                let records = mem::take(&mut self.unsynced.records);
                self.unsynced.durable = records.back().map(|(id, _)| *id).or(self.unsynced.durable);
                self.unsynced.since = None;
                let mut state = self.shared.lock();
                // At the end of the client they were counted as dropped, and are a gift to the next.
                if !state.stopped {
                    let bytes = records.iter().map(|(_, cost)| cost).sum();
                    self.shared.release(&mut state, count(records.len()), bytes);
                    state.stats.spooled += count(records.len());
                }
                self.settle_spooled(&mut state);
            }
            Err(error) => {
                self.unsynced.since = Some(now);
                self.shared.lock().stats.last_error = Some(error.to_string());
            }
        }
    }

    fn settle_spooled(&mut self, state: &mut State) {
        for number in self.unsynced.numbers.drain(..) {
            state.unsettled.remove(&number);
        }
        self.shared.progress.notify_all();
        self.shared.room.notify_all();
    }

    /// Sends what may be sent now; false where something is left.
    fn send(&mut self, now: Instant) -> bool {
        while self.schedule.wait(now) == Some(Duration::ZERO) {
            let begun = self.outbox.begin(now);
            self.count_damaged();
            let (name, body) = match begun {
                Ok(Some(batch)) => batch,
                Ok(None) => return self.outbox.is_empty(),
                Err(error) => {
                    self.spool_failed(&error);
                    return true;
                }
            };
            let retry = self.outbox.attempts(name) > 1;
            let mut state = self.shared.lock();
            state.stats.requests += 1;
            state.stats.retries += u64::from(retry);
            state.stats.bytes += count(body.len());
            if !sender::send(self.shared, &mut state, Request { batch: name, body }) {
                drop(state);
                if let Some(batch) = self.outbox.end(name) {
                    self.outbox.again(batch);
                }
                return true;
            }
            self.schedule.begin(now);
        }
        self.outbox.is_empty()
    }

    /// Counts the entries that the spool could not read back.
    fn count_damaged(&mut self) {
        let damaged = self.outbox.newly_damaged();
        if damaged == 0 {
            return;
        }
        let mut state = self.shared.lock();
        state.stats.spooled -= damaged.min(state.stats.spooled);
        state.stats.dropped.add(DropReason::SpoolDamaged, damaged);
        state.stats.last_error = Some(format!("{damaged} entries in the spool are damaged"));
        drop(state);
        self.shared.progress.notify_all();
    }

    fn spool_failed(&mut self, error: &SpoolError) {
        self.shared.lock().stats.last_error = Some(error.to_string());
    }

    /// Waits until there is, or may be, something to do.
    fn wait(&mut self, sent_all: bool) {
        let now = Instant::now();
        let config = &self.shared.config;
        let interval = config.settings.flush_interval.get();
        let fast = self.fast_until.is_some_and(|until| now < until);
        let mut longest = if fast { TICK } else { interval };
        if let Some(since) = self.unsynced.since {
            longest = longest
                .min((since + config.settings.sync_interval.get()).saturating_duration_since(now));
        }
        if !sent_all && let Some(wait) = self.schedule.wait(now) {
            longest = longest.min(wait);
        }
        if let Some(wait) = self.statistician.wait(now) {
            longest = longest.min(wait);
        }
        let mut state = self.shared.lock();
        if state.flush_below > 0 && state.flush_below <= state.settled_below() {
            state.flush_below = 0;
        }
        let intake = &self.shared.intake;
        let hurry = intake.queued().0 > 0 && (state.flush_below > 0 || state.closed);
        if !state.answers.is_empty() || state.stopped || hurry {
            return;
        }
        if let Some(since) = self.shared.queued_since(&state) {
            longest = longest.min((since + interval).saturating_duration_since(now));
        }
        // In this order, which is the reverse of the callers'.
        self.shared.worker_sleeps.store(!fast, Ordering::SeqCst);
        if longest.is_zero() || intake.holds_a_batch() {
            self.shared.worker_sleeps.store(false, Ordering::SeqCst);
            return;
        }
        let (mut state, waited) =
            self.shared.work.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner);
        self.shared.worker_sleeps.store(false, Ordering::SeqCst);
        if waited.timed_out() && longest >= interval {
            intake.calm();
            state.gathered.spare.clear();
        }
    }
}
