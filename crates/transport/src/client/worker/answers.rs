//! What the worker does with an answer.

use std::collections::BTreeSet;
use std::time::Instant;

use logflux_wire::Timestamp;
use logflux_wire::response::Failure;

use super::super::core::count;
use super::super::ledger::DropReason;
use super::super::outbox::Batch;
use super::super::sender::Answered;
use super::Worker;
use crate::call_error::CallError;
use crate::retry::jitter;
use crate::spool::{DeadLetter, RecordId};

impl Worker<'_> {
    /// Delivers, tries again or gives up, as the answer says.
    pub(super) fn answered(&mut self, answered: Answered) {
        let Some(batch) = self.outbox.end(answered.batch) else { return };
        let now = Instant::now();
        let answer = answered.answer;
        match answer.result {
            Ok(response) => {
                self.schedule.succeeded(answer.rate, now);
                self.shared.lock().failing = false;
                self.settle(&batch, &response.failures);
            }
            Err(CallError::Refused { status: 413, .. }) if batch.len() > 1 => {
                self.schedule.succeeded(answer.rate, now);
                let [first, second] = batch.halves();
                self.shared.lock().unsettled.extend(second.number);
                self.outbox.again(second);
                self.outbox.again(first);
            }
            Err(CallError::Refused { status, code, message, .. }) if is_final(status) => {
                self.schedule.succeeded(answer.rate, now);
                let refused = (0..batch.entries.len())
                    .map(|index| Refused {
                        index,
                        status,
                        code: code.map_or_else(|| format!("http_{status}"), |c| c.to_string()),
                        message: message.clone(),
                    })
                    .collect();
                self.keep_refused(&batch, refused);
                self.shared.lock().stats.last_error = Some(message);
                self.release(&batch, 0, DropReason::Refused);
            }
            Err(error) => {
                self.schedule.failed(error.retry_after(), jitter(), now);
                {
                    let mut state = self.shared.lock();
                    state.failing = true;
                    state.stats.last_error = Some(error.to_string());
                }
                // Those that wait for the end of a spool need not wait for this server.
                self.shared.progress.notify_all();
                if batch.number.is_some() && self.is_spent(&batch, now) {
                    self.release(&batch, 0, DropReason::Undeliverable);
                } else {
                    self.outbox.again(batch);
                }
            }
        }
    }

    /// Whether a batch in memory was tried often or long enough.
    fn is_spent(&self, batch: &Batch, now: Instant) -> bool {
        let config = &self.shared.config;
        let tried = batch.first_attempt.map_or(now, |first| first);
        batch.attempts > config.settings.retry.max_retries.get()
            || now.duration_since(tried) >= config.settings.retry_deadline.get()
    }

    /// The server has taken the batch, but for the failures.
    fn settle(&mut self, batch: &Batch, failures: &[Failure]) {
        // Whatever the server says, no entry is refused twice.
        let mut indexes = BTreeSet::new();
        let refused: Vec<Refused> = failures
            .iter()
            .filter(|failure| failure.index < batch.entries.len() && indexes.insert(failure.index))
            .map(|failure| Refused {
                index: failure.index,
                status: failure.code.http_status(),
                code: failure.code.to_string(),
                message: failure.message.clone(),
            })
            .collect();
        let delivered = batch.len() - count(refused.len());
        if !refused.is_empty() {
            self.keep_refused(batch, refused);
        }
        self.release(batch, delivered, DropReason::Refused);
    }

    /// Puts refused entries into the dead-letter file, where there is one.
    fn keep_refused(&mut self, batch: &Batch, refused: Vec<Refused>) {
        let time = Timestamp::now();
        let mut kept = 0;
        let mut fault = None;
        if let Some((_, letters)) = &mut self.outbox.spool {
            let dead: Vec<DeadLetter> = refused
                .into_iter()
                .filter_map(|refused| {
                    Some(DeadLetter {
                        entry: batch.entry(refused.index)?.to_vec(),
                        status: Some(refused.status),
                        code: refused.code,
                        message: refused.message,
                        time,
                    })
                })
                .collect();
            match letters.append(&dead) {
                Ok(()) => kept = count(dead.len()),
                Err(error) => fault = Some(error.to_string()),
            }
        }
        let mut state = self.shared.lock();
        state.stats.dead_letters += kept;
        if let Some(fault) = fault {
            state.stats.last_error = Some(fault);
        }
    }

    /// A batch is settled: so many of its entries were delivered, and the rest was dropped. It leaves
    /// memory or the spool in the same moment as it is counted.
    fn release(&mut self, batch: &Batch, delivered: u64, otherwise: DropReason) {
        let durable = |id: &RecordId| {
            self.unsynced.durable.is_some_and(|last| *id <= last)
                || !self.unsynced.records.iter().any(|(unsynced, _)| unsynced == id)
        };
        let (from_spool, from_memory): (Vec<RecordId>, Vec<RecordId>) =
            batch.records.iter().copied().partition(durable);
        let mut memory_bytes = batch.held_bytes;
        if !from_memory.is_empty() {
            self.unsynced.records.retain(|(id, cost)| {
                let gone = from_memory.contains(id);
                memory_bytes += if gone { *cost } else { 0 };
                !gone
            });
        }
        if let Some((spool, _)) = &mut self.outbox.spool
            && !batch.records.is_empty()
            && let Err(error) = spool.acknowledge(&batch.records)
        {
            let error = error.to_string();
            self.shared.lock().stats.last_error = Some(error);
        }
        let in_memory =
            if batch.records.is_empty() { batch.len() } else { count(from_memory.len()) };
        let mut state = self.shared.lock();
        // After the end of the client, what was in memory is counted as dropped already.
        let counted = if state.stopped { count(from_spool.len()) } else { batch.len() };
        let delivered = delivered.min(counted);
        state.stats.delivered += delivered;
        state.stats.dropped.add(otherwise, counted - delivered);
        state.stats.spooled -= count(from_spool.len()).min(state.stats.spooled);
        if !state.stopped {
            self.shared.release(&mut state, in_memory, memory_bytes);
        }
        if let Some(number) = batch.number {
            state.unsettled.remove(&number);
        }
        if self.unsynced.records.is_empty() {
            self.settle_spooled(&mut state);
        }
        drop(state);
        self.shared.progress.notify_all();
        self.shared.room.notify_all();
    }
}

/// An entry that the server refused for good.
struct Refused {
    index: usize,
    status: u16,
    code: String,
    message: String,
}

/// Whether a server that answers with this status will never take these bytes (PROTOCOL 8). What is
/// neither a success nor the client's fault is an outage, or of something in between: a portal that
/// wants a login, a proxy without its server.
fn is_final(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 429)
}
