//! From the outbox to a sender thread.

use std::time::{Duration, Instant};

use logflux_wire::limits::BATCH_MAX;

use super::super::pace::Urgency;
use super::super::sender::{self, Request};
use super::super::state::{State, count};
use super::super::stats::DropReason;
use super::Worker;

/// How long the worker waits for a thread, where none could be had.
const THREADLESS: Duration = Duration::from_millis(100);
/// How many messages a limit may hold back before that is told.
const HELD_BACK: u64 = 5 * BATCH_MAX as u64;
/// How long it may hold back so many.
const HELD_FOR: Duration = Duration::from_secs(30);

impl Worker<'_> {
    /// How long until a request may be sent; `None` where nothing waits, or something else must
    /// happen first.
    pub(super) fn may_send(&self, state: &State, now: Instant) -> Option<Duration> {
        if self.outbox.waiting() == 0 {
            let stuck = self.stuck_until.filter(|_| self.outbox.stuck() > 0)?;
            let wait = self.schedule.wait(Urgency::Patient, now)?;
            return Some(wait.max(stuck.saturating_duration_since(now)));
        }
        let urgency = self.urgency(state);
        let mut wait = self.schedule.wait(urgency, now)?;
        if urgency == Urgency::Patient {
            let due = self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now));
            wait = wait.max(due);
        }
        let thread = self.no_sender_until.map(|at| at.saturating_duration_since(now));
        Some(wait.max(thread.unwrap_or_default()))
    }

    /// Sends what may be sent now.
    pub(super) fn send(&mut self, now: Instant) {
        loop {
            let mut state = self.shared.lock();
            if !self.may_send(&state, now).is_some_and(|wait| wait.is_zero()) {
                let stopped = state.stopped;
                drop(state);
                self.tell_of_limit(stopped, now);
                return;
            }
            let name = state.name_batch();
            drop(state);
            let begun = self.outbox.begin(name, self.stuck_until.is_none_or(|until| now >= until));
            self.take_changes(now);
            let body = match begun {
                Ok(Some(body)) => body,
                Ok(None) => {
                    self.due = None;
                    return;
                }
                Err(error) => return self.note(&error),
            };
            let again = self.outbox.mark_sent(name, now) || self.schedule.is_failing();
            let bytes = count(body.len());
            let mut state = self.shared.lock();
            if !sender::send(self.shared, &mut state, Request { batch: name, body }) {
                drop(state);
                self.outbox.unsend(name);
                self.no_sender_until = Some(now + THREADLESS);
                return;
            }
            state.deeds.requests += 1;
            state.deeds.retries += u64::from(again);
            state.deeds.bytes += bytes;
            drop(state);
            self.schedule.begin();
            self.no_sender_until = None;
            if self.outbox.waiting() == 0 {
                self.due = None;
            }
        }
    }

    /// Says that the server's limit holds messages back, while it does.
    fn tell_of_limit(&mut self, stopped: bool, now: Instant) {
        let waiting = self.shared.intake.queued().0 + self.outbox.waiting();
        let limit = self.schedule.limit(now).filter(|_| waiting >= HELD_BACK && !stopped);
        let Some((requests, window)) = limit else {
            if waiting < HELD_BACK {
                self.held_back_since = None;
                self.told_of_limit = false;
            }
            return;
        };
        let since = *self.held_back_since.get_or_insert(now);
        if now.duration_since(since) < HELD_FOR && waiting < self.queue_is_filling() {
            return;
        }
        if !self.told_of_limit {
            self.told_of_limit = true;
            let seconds = window.as_secs_f64().round();
            let sentence = format!(
                "the server's limit of {requests} requests in {seconds} s holds back {waiting} messages: log less, or ask for a higher limit"
            );
            self.say(sentence, now);
        }
    }

    /// So many messages are half of what may wait.
    fn queue_is_filling(&self) -> u64 {
        count(self.shared.config.settings.queue_size.get() / 2)
    }

    /// Gives up what was tried often or long enough and is in memory alone.
    pub(super) fn give_up(&mut self, now: Instant) {
        let settings = &self.shared.config.settings;
        let retries = settings.retry.max_retries.get();
        let deadline = settings.retry_deadline.get();
        let spent = self.outbox.give_up(|item| {
            let tried = item.first_attempt.map(|first| now.saturating_duration_since(first));
            item.attempts > retries || tried.is_some_and(|tried| tried >= deadline)
        });
        if spent.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        self.shared.drop_held(&mut state, DropReason::Undeliverable, &spent);
        self.shared.tell_progress(state);
    }

    /// When the next entry is given up.
    pub(super) fn spent_at(&self) -> Option<Instant> {
        self.outbox.first_attempt()?.checked_add(self.shared.config.settings.retry_deadline.get())
    }
}
