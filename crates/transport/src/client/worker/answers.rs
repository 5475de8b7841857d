//! What the worker does with an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use logflux_wire::Timestamp;
use logflux_wire::response::Failure;

use super::super::outbox::{Batch, Home, Item, Weight};
use super::super::schedule::Ended;
use super::super::sender::Answered;
use super::super::state::count;
use super::super::stats::DropReason;
use super::Worker;
use crate::api::Api;
use crate::call_error::{CallError, Disposition, complete};
use crate::spool::{DeadLetter, RecordId};

/// How long the worker waits before it tries again to keep dead letters.
const BURY_AGAIN: Duration = Duration::from_secs(1);
/// How long an entry waits that a proxy finds too large, before it is tried again.
const STUCK: Duration = Duration::from_secs(60);
/// How many of them wait beside the others.
const STUCK_MAX: usize = 16;
const CHECK_PROXY: &str = "check the server URL, and whatever is in front of the server";

impl Worker<'_> {
    /// Delivers, tries again or gives up, as the answer says.
    pub(super) fn answered(&mut self, answered: Answered, now: Instant) {
        let Some(batch) = self.outbox.end(answered.batch) else { return };
        let rate = answered.answer.rate;
        let error = match complete(answered.answer.result, batch.len()) {
            Ok(response) => {
                self.outbox.body_bound.lengthen();
                self.ended(Ended::Well, rate, now);
                return self.settle(batch, &response.failures, now);
            }
            Err(error) => error,
        };
        if let Some(failures) = error.refusals(batch.len()) {
            self.ended(Ended::Well, rate, now);
            return self.settle(batch, failures, now);
        }
        match error.disposition(batch.len()) {
            Disposition::Split => {
                // A proxy that finds a body too large says nothing of the API behind it.
                let from_api = matches!(error, CallError::Refused { from_api: true, .. });
                self.ended(if from_api { Ended::Well } else { Ended::Aside }, rate, now);
                self.outbox.split(batch);
            }
            Disposition::Refused => {
                self.ended(Ended::Well, rate, now);
                let refusals = BTreeMap::from([(0, Refusal::of(&error))]);
                self.settle_with(batch, refusals, now);
            }
            Disposition::Retry => {
                self.ended(Ended::Failed(error.retry_after()), rate, now);
                self.note(&error);
                if matches!(error, CallError::TimedOut(_)) {
                    self.outbox.body_bound.shorten();
                }
                let mut batch = batch;
                // A server that limits requests is not out of order: it says when to come again.
                if !error.is_rate_limited() {
                    batch.items.iter_mut().for_each(|item| item.attempts += 1);
                }
                self.outbox.again(batch);
                self.due = Some(now);
            }
            Disposition::Hold if self.is_outdated(&answered.api) => {
                self.ended(Ended::Aside, None, now);
                self.outbox.again(batch);
                self.due = Some(now);
            }
            Disposition::Hold if self.is_too_large_alone(&batch, &error) => {
                self.ended(Ended::Aside, rate, now);
                self.say(format!("{error}; one entry waits, and others go on: {CHECK_PROXY}"), now);
                self.outbox.stick(batch);
                self.stuck_until = Some(now + STUCK);
            }
            Disposition::Hold => {
                self.ended(Ended::Held(error.retry_after()), rate, now);
                self.hold(&error, now);
                self.outbox.again(batch);
                self.due = Some(now);
            }
        }
    }

    /// Whether a proxy before the API finds this one entry too large, so that it must not hold up the
    /// others. Where it finds many too large, the route is wrong.
    fn is_too_large_alone(&self, batch: &Batch, error: &CallError) -> bool {
        let too_large = matches!(error, CallError::Refused { status: 413, .. });
        batch.len() == 1 && too_large && self.outbox.stuck() < STUCK_MAX
    }

    fn ended(&mut self, ended: Ended, rate: Option<crate::api::RateLimit>, now: Instant) {
        self.schedule.ended(ended, rate, now);
        let mut state = self.shared.lock();
        if ended != Ended::Aside {
            state.failing = ended != Ended::Well;
        }
        // Those that wait for the end of a spool need not wait for a server that fails.
        self.shared.tell_progress(state);
        if ended == Ended::Well && self.trouble.take().is_some() {
            self.reporter.say("the server accepts messages again", now);
        }
    }

    /// Whether calls are made with another key, or trust others, by now.
    fn is_outdated(&self, api: &Arc<Api>) -> bool {
        !Arc::ptr_eq(api, &self.shared.config.rotating.api())
    }

    /// Says, once, why messages are held.
    fn hold(&mut self, error: &CallError, now: Instant) {
        let cause = match error {
            CallError::Refused { status: 401 | 403, from_api: true, .. } => "replace the API key",
            CallError::Tls(_) => "check the certificate and the CA file",
            _ => CHECK_PROXY,
        };
        let sentence = format!("{error}; messages wait until this is fixed: {cause}");
        if self.trouble.as_ref() == Some(&sentence) {
            return;
        }
        self.trouble = Some(sentence.clone());
        self.say(sentence, now);
    }

    /// The server has taken the batch, but for the failures.
    fn settle(&mut self, batch: Batch, failures: &[Failure], now: Instant) {
        // Whatever the server says, no entry is refused twice.
        let refusals =
            failures.iter().rev().map(|failure| (failure.index, Refusal::named(failure))).collect();
        self.settle_with(batch, refusals, now);
    }

    fn settle_with(&mut self, batch: Batch, mut refusals: BTreeMap<usize, Refusal>, now: Instant) {
        let mut delivered = Vec::with_capacity(batch.items.len());
        let mut refused = Vec::new();
        for (index, item) in batch.items.into_iter().enumerate() {
            match refusals.remove(&index) {
                Some(refusal) => refused.push((item, refusal)),
                None => delivered.push(item),
            }
        }
        self.settle_items(&delivered, None, now);
        self.refuse(refused, now);
    }

    /// Refused entries that are in the spool become dead letters; the others are dropped.
    fn refuse(&mut self, refused: Vec<(Item, Refusal)>, now: Instant) {
        let Some((_, last)) = refused.last() else { return };
        self.note(&last.sentence());
        let time = Timestamp::now();
        let (spooled, held): (Vec<_>, Vec<_>) =
            refused.into_iter().partition(|(item, _)| matches!(item.home, Home::Spool(_)));
        let held: Vec<Item> = held.into_iter().map(|(item, _)| item).collect();
        self.settle_items(&held, Some(DropReason::Refused), now);
        let letters = spooled.into_iter().map(|(item, refusal)| {
            let letter = DeadLetter {
                entry: item.bytes().to_vec(),
                status: Some(refusal.status),
                code: refusal.code,
                message: refusal.message,
                time,
            };
            (item, letter)
        });
        self.outbox.unburied.extend(letters);
        self.spooling.bury_at = None;
        self.bury(now);
    }

    /// Puts refused entries into the dead-letter file. Only when they are durable there do they
    /// leave the spool.
    pub(super) fn bury(&mut self, now: Instant) {
        if self.outbox.unburied.is_empty() || self.spooling.bury_at.is_some_and(|at| now < at) {
            return;
        }
        let Some(letters) = &mut self.spooling.letters else { return };
        let dead: Vec<DeadLetter> =
            self.outbox.unburied.iter().map(|(_, letter)| letter.clone()).collect();
        match letters.append(&dead) {
            Ok(()) => {
                self.spooling.bury_at = None;
                self.shared.lock().deeds.dead_letters += count(dead.len());
                let items: Vec<Item> =
                    self.outbox.unburied.drain(..).map(|(item, _)| item).collect();
                self.settle_items(&items, Some(DropReason::Refused), now);
            }
            Err(error) => {
                self.spooling.bury_at = Some(now + BURY_AGAIN);
                self.say(
                    format!("refused entries stay in the spool, because the dead-letter file cannot be written: {error}"),
                    now,
                );
            }
        }
    }

    /// Entries are delivered, or dropped for this reason. They leave memory or the spool.
    fn settle_items(&mut self, items: &[Item], dropped: Option<DropReason>, now: Instant) {
        if items.is_empty() {
            return;
        }
        let mut held: Vec<Weight> = Vec::new();
        let mut records: Vec<RecordId> = Vec::new();
        for item in items {
            match item.home {
                Home::Memory(weight) => held.push(weight),
                Home::Spool(id) => records.push(id),
            }
        }
        let (durable, unsynced) = self.acknowledge(&records, now);
        let mut state = self.shared.lock();
        match dropped {
            None => {
                self.shared.deliver_held(&mut state, &held);
                self.shared.deliver_unsynced(&mut state, &unsynced);
                state.ledger.deliver_spooled(durable);
            }
            Some(reason) => {
                self.shared.drop_held(&mut state, reason, &held);
                self.shared.drop_unsynced(&mut state, reason, &unsynced);
                self.shared.drop_spooled(&mut state, reason, durable);
            }
        }
        self.shared.tell_progress(state);
    }
}

/// Why the server refused an entry for good.
struct Refusal {
    status: u16,
    code: String,
    message: String,
}

impl Refusal {
    fn named(failure: &Failure) -> Self {
        Self {
            status: failure.code.http_status(),
            code: failure.code.to_string(),
            message: failure.message.clone(),
        }
    }

    fn of(error: &CallError) -> Self {
        match error {
            CallError::Refused { status, code, message, .. } => Self {
                status: *status,
                code: code.map_or_else(|| format!("http_{status}"), |code| code.to_string()),
                message: message.clone(),
            },
            other => Self { status: 0, code: "refused".to_owned(), message: other.to_string() },
        }
    }

    fn sentence(&self) -> String {
        format!("the server refused an entry: {} {}: {}", self.status, self.code, self.message)
    }
}
