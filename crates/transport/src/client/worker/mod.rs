//! The worker thread: takes messages, seals them, spools them, and decides what is sent when.
//!
//! `taking` is from the queue to sealed entries, `spooling` the disk, `sending` from there to a
//! sender thread, `answers` what comes back, and `ending` the last words of a process or of a worker
//! that failed. A step does all of these once, and says how long nothing is to be done then.

mod answers;
mod ending;
#[cfg(test)]
mod model;
mod sending;
mod spooling;
mod taking;

use std::cell::Cell;
use std::mem;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use logflux_wire::limits::BATCH_MAX;

use self::ending::{Exiting, LastWords};
use self::spooling::Spooling;
use super::outbox::Outbox;
use super::pace::Urgency;
use super::queue::Queue;
use super::report::{Reporter, Statistician};
use super::schedule::Schedule;
use super::state::{Shared, State, count};
use super::tickets::Epoch;
use crate::api::Api;

/// While messages come fast the worker looks after so long by itself, and no caller wakes it.
const TICK: Duration = Duration::from_millis(5);
/// How long after a full batch messages count as coming fast.
const FAST_FOR: Duration = Duration::from_millis(100);
/// After so long without a message, the next one wakes the worker.
const IDLE_AFTER: Duration = Duration::from_secs(10);
/// How often the worker looks after what nobody asks for: the spool, and folders that are abandoned.
const ROUND: Duration = Duration::from_secs(60);

thread_local! {
    /// For which client this thread works: where its state is.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
}

pub(super) struct Worker<'a> {
    shared: &'a Arc<Shared>,
    outbox: Outbox,
    /// What the schedule was made for.
    api: Arc<Api>,
    schedule: Schedule,
    reporter: Reporter,
    statistician: Statistician,
    spooling: Spooling,
    taken: Vec<(Epoch, Queue)>,
    fast_until: Option<Instant>,
    /// When the last message was taken.
    busy: Instant,
    /// When what waits in the outbox should go, full or not.
    due: Option<Instant>,
    /// Since when what was taken last had been waiting.
    taken_since: Option<Instant>,
    /// Until when entries wait that something before the API finds too large.
    stuck_until: Option<Instant>,
    /// Until when no sender is asked for, as no thread could be had.
    no_sender_until: Option<Instant>,
    /// Why messages are held, as it was told.
    trouble: Option<String>,
    /// Since when the server's limit has held many messages back, and whether that was told.
    held_back_since: Option<Instant>,
    told_of_limit: bool,
    exiting: Option<Exiting>,
}

/// Whether this is the client's worker, in a callback: it must not wait for itself.
pub(super) fn is_this_thread(shared: &Shared) -> bool {
    WORKS_FOR.get() == ptr::from_ref(shared).addr()
}

/// Starts the worker, if it does not run; false where no thread can be had, and then the next caller
/// tries again.
pub(super) fn start(shared: &Arc<Shared>, state: &State) -> bool {
    if state.stopped || shared.worker_runs.swap(true, Ordering::SeqCst) {
        return true;
    }
    let worker = Arc::clone(shared);
    let started = logflux_process::start_thread("logflux-worker", move || run(&worker));
    if started.is_err() {
        shared.worker_runs.store(false, Ordering::SeqCst);
    }
    started.is_ok()
}

/// Runs until the client is stopped.
fn run(shared: &Arc<Shared>) {
    WORKS_FOR.set(ptr::from_ref(&**shared).addr());
    let _last_words = LastWords(shared);
    let mut worker = Worker::new(shared, Instant::now());
    worker.open_spool(Instant::now());
    while worker.step(Instant::now()) {
        worker.wait();
    }
}

impl<'a> Worker<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>, now: Instant) -> Self {
        let config = &shared.config;
        Self {
            shared,
            outbox: Outbox::new(None),
            api: config.rotating.api(),
            schedule: Schedule::new(config.settings.retry, config.settings.max_in_flight.get()),
            reporter: Reporter::new(config.on_drop.clone()),
            statistician: Statistician::new(config.on_stats.clone(), now),
            spooling: Spooling::new(now),
            taken: Vec::new(),
            fast_until: None,
            busy: now,
            due: None,
            taken_since: None,
            stuck_until: None,
            no_sender_until: None,
            trouble: None,
            held_back_since: None,
            told_of_limit: false,
            exiting: None,
        }
    }

    /// Does what there is to do; false when the client is stopped.
    pub(super) fn step(&mut self, now: Instant) -> bool {
        self.look_for_exit(now);
        self.look_for_rotation();
        let mut state = self.shared.lock();
        let answers = mem::take(&mut state.answers);
        drop(state);
        for answered in answers {
            self.answered(answered, now);
        }
        self.bury(now);

        let mut state = self.shared.lock();
        let stopped = state.stopped;
        let hurried = stopped || state.is_hurried();
        if !stopped && self.may_take(&state, now).is_some_and(|wait| wait.is_zero()) {
            self.take(&mut state, now);
        } else if self.shared.set_aside(&mut state) {
            self.fast_until = Some(now + FAST_FOR);
        }
        drop(state);
        self.seal(now);
        self.sync(hurried, now);
        self.look_after_spool(stopped, now);
        if !stopped {
            self.send(now);
            self.give_up(now);
        }

        let mut state = self.shared.lock();
        let only_stuck = self.outbox.has_only_stuck();
        if mem::replace(&mut state.only_stuck, only_stuck) != only_stuck {
            self.shared.tell_progress(state);
            state = self.shared.lock();
        }
        let stats = self.shared.snapshot(&state);
        let report = self.reporter.due(&mut state.told, &stats, now, stopped);
        drop(state);
        if let Some(report) = report {
            self.reporter.tell(&report);
        }
        self.statistician.tell(|| self.shared.stats(), now, stopped);
        self.answer_exit(now);
        !stopped
    }

    /// After a rotation the replaced secret is let go of, and what waits for a key that is taken is
    /// tried at once.
    fn look_for_rotation(&mut self) {
        let mut state = self.shared.lock();
        if !mem::take(&mut state.rotated) {
            return;
        }
        let rotating = &self.shared.config.rotating;
        state.take_sealer(rotating.sealer());
        drop(state);
        let api = rotating.api();
        if Arc::ptr_eq(&self.api, &api) {
            return;
        }
        self.api = api;
        self.schedule.renew();
        // If the new one is refused as well, that is news.
        if let Some(trouble) = &mut self.trouble {
            self.reporter.forget(trouble);
            trouble.clear();
        }
    }

    /// How urgent the next request is.
    fn urgency(&self, state: &State) -> Urgency {
        let waiting = self.shared.intake.queued().0 + self.outbox.waiting();
        if state.closed || self.exiting.is_some() {
            Urgency::Last
        } else if state.is_hurried() || waiting >= count(BATCH_MAX) {
            Urgency::Full
        } else {
            Urgency::Patient
        }
    }

    /// Waits until there is, or may be, something to do.
    fn wait(&mut self) {
        let now = Instant::now();
        let shared = Arc::clone(self.shared);
        let state = shared.lock();
        let Some((time, deep)) = self.idle(&state, now) else { return };
        let intake = &shared.intake;
        // In this order, which is the reverse of the callers'.
        let fast = self.fast_until.is_some_and(|until| now < until);
        if !fast && (deep || self.wants_batch(&state, now)) {
            shared.sleep.begin(deep);
        }
        let missed = if deep { intake.queued().0 > 0 } else { intake.holds_a_batch() };
        // After a deep sleep the message may wait for others, but not as long as this would last.
        if missed && (deep || self.may_take(&state, now).is_some_and(|wait| wait.is_zero())) {
            shared.sleep.end();
            return;
        }
        let waited = shared.work.wait_timeout(state, time);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        shared.sleep.end();
        if deep && waited.timed_out() {
            intake.shrink();
            state.gathered.spare.clear();
        }
    }

    /// How long there is nothing to do, and whether the next message should end that; `None` where
    /// there is something already.
    fn idle(&self, state: &State, now: Instant) -> Option<(Duration, bool)> {
        if !state.answers.is_empty() || state.stopped || state.rotated {
            return None;
        }
        let nothing = self.outbox.waiting() == 0
            && self.shared.intake.waiting() == 0
            && self.spooling.is_synced()
            && self.exiting.is_none();
        let fast = self.fast_until.is_some_and(|until| now < until);
        let deep = nothing && !fast && now.duration_since(self.busy) >= IDLE_AFTER;
        let poll = if fast { TICK } else { self.interval() };
        let mut longest = if deep { ROUND } else { poll.min(ROUND) };
        let mut within = |wait: Option<Duration>| longest = longest.min(wait.unwrap_or(longest));
        let until = |at: Option<Instant>| at.map(|at| at.saturating_duration_since(now));
        within(self.may_take(state, now));
        within(self.may_send(state, now));
        within(until(self.spooling.next(&self.shared.config.settings)));
        within(self.statistician.wait(now));
        within(self.reporter.wait(now));
        within(until(self.spent_at()));
        within(until(self.exiting.as_ref().map(Exiting::deadline)));
        (!longest.is_zero()).then_some((longest, deep))
    }

    /// How long a message may wait in the queue: with a spool, until it is to be durable.
    fn interval(&self) -> Duration {
        let settings = &self.shared.config.settings;
        let flush = settings.flush_interval.get();
        let spooled = self.outbox.spool.is_some();
        if spooled { flush.min(settings.sync_interval.get()) } else { flush }
    }

    /// Says what a person should know, and keeps it as the last error.
    fn say(&mut self, sentence: String, now: Instant) {
        self.reporter.say(&sentence, now);
        self.shared.lock().deeds.last_error = Some(sentence);
    }

    fn note(&self, error: &impl ToString) {
        self.shared.lock().deeds.last_error = Some(error.to_string());
    }
}
