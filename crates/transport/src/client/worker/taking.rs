//! From the queue to sealed entries.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use logflux_envelope::{Message, Sealer};
use logflux_wire::limits::BATCH_MAX;

use super::super::outbox::{Home, Item, Weight};
use super::super::pace::Urgency;
use super::super::queue::{Queue, WhenFull};
use super::super::state::State;
use super::super::stats::DropReason;
use super::{FAST_FOR, Worker};

/// How many batches for every request under way are sealed ahead, where there is no spool.
const AHEAD: usize = 2;

impl Worker<'_> {
    /// How long until messages may be taken from the queue; `None` where something else must happen
    /// first.
    ///
    /// With a spool they are taken to become durable. Without one they wait in the queue, where
    /// newer ones join them, until a request may be made or fills up.
    pub(super) fn may_take(&self, state: &State, now: Instant) -> Option<Duration> {
        let since = self.shared.queued_since(state)?;
        if self.room_for_taken(state) == Some((0, 0)) {
            return None;
        }
        let full = self.shared.intake.holds_a_batch();
        let hurried = state.is_hurried() || self.exiting.is_some();
        let old = if full || hurried {
            Duration::ZERO
        } else {
            (since + self.interval()).saturating_duration_since(now)
        };
        if self.outbox.spool.is_some() {
            return Some(old);
        }
        if full && self.wants_batch(state, now) {
            return Some(Duration::ZERO);
        }
        Some(old.max(self.schedule.wait(self.urgency(state), now)?))
    }

    /// How many messages, and bytes, may be taken, where that is bounded; (0, 0) where none may.
    ///
    /// Where the oldest messages are to make room for new ones, at least half of what may wait stays
    /// in the queue, since what is taken can be under way and so cannot be dropped.
    fn room_for_taken(&self, state: &State) -> Option<(usize, usize)> {
        let settings = &self.shared.config.settings;
        if self.outbox.spool.is_some() || settings.when_full != WhenFull::DropOldest {
            return None;
        }
        let held = state.ledger.memory();
        let messages = usize::try_from(held.messages).unwrap_or(usize::MAX);
        let bytes = usize::try_from(settings.queue_bytes.get()).unwrap_or(usize::MAX);
        let messages = (settings.queue_size.get() / 2).max(1).saturating_sub(messages);
        let bytes = (bytes / 2).saturating_sub(held.bytes);
        // A message that is larger than that is taken where nothing else is.
        let none = messages == 0 || (bytes == 0 && held.messages > 0);
        Some(if none { (0, 0) } else { (messages, bytes) })
    }

    /// Whether a full batch in the queue would be taken.
    pub(super) fn wants_batch(&self, state: &State, now: Instant) -> bool {
        if self.room_for_taken(state) == Some((0, 0)) {
            return false;
        }
        self.outbox.spool.is_some()
            || !self.outbox.is_ahead(self.shared.config.settings.max_in_flight.get() * AHEAD)
            || self.schedule.wait(self.urgency(state).max(Urgency::Full), now)
                == Some(Duration::ZERO)
    }

    /// Takes all that is queued.
    pub(super) fn take(&mut self, state: &mut State, now: Instant) {
        let since = self.shared.queued_since(state);
        if self.shared.intake.holds_a_batch() {
            self.fast_until = Some(now + FAST_FOR);
        }
        self.busy = now;
        self.shared.gather(state);
        self.taken = match self.room_for_taken(state) {
            None => self.shared.take_gathered(state),
            Some((messages, bytes)) => self.shared.take_some(state, messages, bytes),
        };
        let flush_interval = self.shared.config.settings.flush_interval.get();
        self.taken_since = since;
        let due = since.map(|since| since + flush_interval);
        self.due = self.due.into_iter().chain(due).min();
    }

    /// Seals what was taken, and puts it into the outbox or the spool.
    pub(super) fn seal(&mut self, now: Instant) {
        if self.taken.is_empty() {
            return;
        }
        let mut taken = mem::take(&mut self.taken);
        let shared = Arc::clone(self.shared);
        let config = &shared.config;
        let mut messages: Vec<(Message<'_>, Weight)> = taken
            .iter()
            .flat_map(|(epoch, queue)| queue.iter().map(|message| (*epoch, message)))
            .map(|(epoch, message)| {
                let weight = Weight { epoch, cost: Queue::cost(message.bytes.len()) };
                let message = Message {
                    bytes: message.bytes,
                    node: &config.node,
                    level: message.level,
                    timestamp: message.timestamp,
                };
                (message, weight)
            })
            .collect();
        // What several threads logged travels in the order of its time.
        if taken.len() > 1 {
            messages.sort_by_key(|(message, _)| message.timestamp);
        }
        let sealer = shared.lock().take_sealer(config.rotating.sealer());
        for chunk in messages.chunks(BATCH_MAX) {
            self.seal_chunk(&sealer, chunk, now);
        }
        drop(messages);
        taken.iter_mut().for_each(|(_, queue)| queue.clear());
        let mut state = shared.lock();
        state.gathered.keep(taken.into_iter().map(|(_, queue)| queue).collect());
        shared.tell_progress(state);
    }

    fn seal_chunk(&mut self, sealer: &Sealer, chunk: &[(Message<'_>, Weight)], now: Instant) {
        let messages: Vec<Message<'_>> = chunk.iter().map(|(message, _)| *message).collect();
        let mut out = Vec::new();
        let results = sealer.seal_many(&messages, &mut out);
        let out = Arc::new(out);
        let mut unsealed = Vec::new();
        let mut sealed = Vec::with_capacity(chunk.len());
        let mut fault = None;
        for ((_, weight), result) in chunk.iter().zip(results) {
            match result {
                Ok(range) => sealed.push((range, *weight)),
                Err(error) => {
                    unsealed.push(*weight);
                    fault = Some(error);
                }
            }
        }
        if let Some(fault) = fault {
            self.note(&fault);
            let mut state = self.shared.lock();
            self.shared.drop_held(&mut state, DropReason::Unsealed, &unsealed);
            self.shared.tell_progress(state);
        }
        if self.outbox.spool.is_some() {
            let entries = sealed
                .iter()
                .map(|(range, weight)| (out.get(range.clone()).unwrap_or_default(), *weight));
            self.spool(entries, now);
        } else {
            for (range, weight) in sealed {
                self.outbox.push(Item::new(&out, range, Home::Memory(weight)));
            }
        }
    }
}
