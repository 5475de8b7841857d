//! Sealed batches that wait to be sent: in memory, or in the spool.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use logflux_wire::limits::BATCH_MAX;
use logflux_wire::request::append_batch;

use super::core::count;
use crate::spool::{DeadLetters, RecordId, Spool, SpoolError};

/// The most bytes in one request, unless a single entry is longer.
pub(crate) const BODY_MAX: usize = 4 << 20;

/// Entries that travel together, and go on travelling together until they are settled.
pub(crate) struct Batch {
    /// The array of the entries in canonical JSON.
    pub(crate) body: Arc<Vec<u8>>,
    /// Where each stands in it.
    pub(crate) entries: Vec<Range<usize>>,
    /// Their records, where they are spooled.
    pub(crate) records: Vec<RecordId>,
    /// What they count for in memory, where they are not.
    pub(crate) held_bytes: usize,
    /// The number of its first message, where it is not spooled.
    pub(crate) number: Option<u64>,
    pub(crate) attempts: u32,
    pub(crate) first_attempt: Option<Instant>,
}

impl Batch {
    /// A batch of these entries.
    pub(crate) fn new<'a>(entries: impl IntoIterator<Item = &'a [u8]> + Clone) -> Self {
        let mut body = Vec::new();
        append_batch(entries.clone(), &mut body);
        let mut at = 1;
        let ranges = entries.into_iter().map(|entry| {
            let range = at..at + entry.len();
            at = range.end + 1;
            range
        });
        Self {
            entries: ranges.collect(),
            body: Arc::new(body),
            records: Vec::new(),
            held_bytes: 0,
            number: None,
            attempts: 0,
            first_attempt: None,
        }
    }

    pub(crate) fn len(&self) -> u64 {
        count(self.entries.len())
    }

    pub(crate) fn entry(&self, index: usize) -> Option<&[u8]> {
        self.body.get(self.entries.get(index)?.clone())
    }

    /// Two halves, for a server that finds the whole too large. The second has a number of its own,
    /// between this batch's and the next one's.
    pub(crate) fn halves(&self) -> [Self; 2] {
        let middle = self.entries.len() / 2;
        let half = |range: Range<usize>| {
            let entries: Vec<&[u8]> = range.clone().filter_map(|index| self.entry(index)).collect();
            Self {
                records: self.records.get(range).unwrap_or_default().to_vec(),
                first_attempt: self.first_attempt,
                ..Self::new(entries)
            }
        };
        let mut first = half(0..middle);
        let mut second = half(middle..self.entries.len());
        first.held_bytes = self.held_bytes / 2;
        second.held_bytes = self.held_bytes - first.held_bytes;
        first.number = self.number;
        second.number = self.number.map(|number| number + count(middle));
        [first, second]
    }
}

/// A batch that is about to be sent: the name to find it by, and its body.
type Begun = (u64, Arc<Vec<u8>>);

/// Where batches wait.
pub(crate) struct Outbox {
    /// Batches of memory, and those of the spool that are handed out already.
    waiting: VecDeque<Batch>,
    in_flight: HashMap<u64, Batch>,
    next_batch: u64,
    /// How many damaged entries of the spool were told of, and how many that it dropped.
    damaged: u64,
    dropped: u64,
    pub(crate) spool: Option<(Spool, DeadLetters)>,
}

impl Outbox {
    pub(crate) fn new(spool: Option<Spool>) -> Self {
        let spool = spool.map(|spool| {
            let letters = DeadLetters::of_spool(spool.folder());
            (spool, letters)
        });
        Self {
            waiting: VecDeque::new(),
            in_flight: HashMap::new(),
            next_batch: 0,
            damaged: 0,
            dropped: 0,
            spool,
        }
    }

    pub(crate) fn push(&mut self, batch: Batch) {
        self.waiting.push_back(batch);
    }

    /// The oldest batch that waits, with a name to find it by when it is answered.
    pub(crate) fn begin(&mut self, now: Instant) -> Result<Option<Begun>, SpoolError> {
        if self.waiting.is_empty() {
            self.read_spool()?;
        }
        let Some(mut batch) = self.waiting.pop_front() else { return Ok(None) };
        batch.attempts += 1;
        batch.first_attempt.get_or_insert(now);
        let name = self.next_batch;
        self.next_batch += 1;
        let body = Arc::clone(&batch.body);
        self.in_flight.insert(name, batch);
        Ok(Some((name, body)))
    }

    /// Whether nothing waits to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        let handed_out: u64 = self.in_flight.values().map(|batch| count(batch.records.len())).sum();
        self.waiting.is_empty() && self.spool.as_ref().is_none_or(|(s, _)| s.len() <= handed_out)
    }

    /// How many entries the spool dropped for want of room since this was asked last.
    pub(crate) fn newly_dropped(&mut self) -> u64 {
        let dropped = self.spool.as_ref().map_or(0, |(spool, _)| spool.dropped());
        dropped - std::mem::replace(&mut self.dropped, dropped)
    }

    /// How many entries the spool could not read back since this was asked last.
    pub(crate) fn newly_damaged(&mut self) -> u64 {
        let damaged = self.spool.as_ref().map_or(0, |(spool, _)| spool.damaged());
        damaged - std::mem::replace(&mut self.damaged, damaged)
    }

    /// How often a batch that is under way was sent, this time included.
    pub(crate) fn attempts(&self, name: u64) -> u32 {
        self.in_flight.get(&name).map_or(0, |batch| batch.attempts)
    }

    /// Takes a batch back that was answered.
    pub(crate) fn end(&mut self, name: u64) -> Option<Batch> {
        self.in_flight.remove(&name)
    }

    /// A batch is to be sent again, before all others.
    pub(crate) fn again(&mut self, batch: Batch) {
        self.waiting.push_front(batch);
    }

    fn read_spool(&mut self) -> Result<(), SpoolError> {
        let Some((spool, _)) = &mut self.spool else { return Ok(()) };
        let records = spool.next_batch(BATCH_MAX, BODY_MAX)?;
        if records.is_empty() {
            return Ok(());
        }
        let entries: Vec<&[u8]> = records.iter().map(|(_, entry)| &**entry).collect();
        let mut batch = Batch::new(entries);
        batch.records = records.iter().map(|(id, _)| *id).collect();
        self.waiting.push_back(batch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_knows_where_its_entries_stand() {
        let batch = Batch::new([&b"{1}"[..], b"{22}", b"{333}"]);
        assert_eq!(**batch.body, *b"[{1},{22},{333}]");
        assert_eq!(batch.entry(1), Some(&b"{22}"[..]));
        assert_eq!(batch.entry(3), None);
    }

    #[test]
    fn halves_hold_everything_once() {
        let mut batch = Batch::new([&b"{1}"[..], b"{22}", b"{333}"]);
        batch.held_bytes = 11;
        batch.number = Some(7);
        let [first, second] = batch.halves();
        assert_eq!(**first.body, *b"[{1}]");
        assert_eq!(**second.body, *b"[{22},{333}]");
        assert_eq!((first.held_bytes, second.held_bytes), (5, 6));
        assert_eq!((first.number, second.number), (Some(7), Some(8)));
    }
}
