//! Sealed entries that wait to be sent: in memory, or in the spool.
//!
//! Every request takes as many of them as fit, the oldest first, whichever batch they were sealed
//! in and however often they were sent. Only the parts of a batch that the server refused as a
//! whole stay apart, so that the entry at fault is found.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use logflux_wire::limits::BATCH_MAX;
use logflux_wire::request::append_batch;

use super::ledger::Load;
use super::state::count;
use super::tickets::Epoch;
use crate::body_bound::BodyBound;
use crate::spool::{DeadLetter, RecordId, Spool, SpoolError};

/// What a message counts for as long as it is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Which flushes wait for it.
    pub(crate) epoch: Epoch,
    /// The bytes of the queue that it takes.
    pub(crate) cost: usize,
}

impl Weight {
    pub(crate) fn load(self) -> Load {
        Load::one(self.cost)
    }
}

/// A sealed entry.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The entry in canonical JSON: a part of a buffer that many share.
    buffer: Arc<Vec<u8>>,
    range: Range<usize>,
    pub(crate) home: Home,
    /// How often it was sent, when that is counted.
    pub(crate) attempts: u32,
    pub(crate) first_attempt: Option<Instant>,
}

/// Where an entry is kept while it is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// In memory alone.
    Memory(Weight),
    /// In the spool.
    Spool(RecordId),
}

impl Item {
    pub(crate) fn new(buffer: &Arc<Vec<u8>>, range: Range<usize>, home: Home) -> Self {
        let buffer = Arc::clone(buffer);
        Self { buffer, range, home, attempts: 0, first_attempt: None }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.range.clone()).unwrap_or_default()
    }
}

/// Entries that travel together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
    /// Whether it is a part of a batch that was refused as a whole.
    apart: bool,
}

impl Batch {
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    fn bytes(&self) -> usize {
        self.items.iter().map(|item| item.range.len()).sum()
    }

    /// The records of those that are in the spool.
    pub(crate) fn records(&self) -> Vec<RecordId> {
        records(&self.items).collect()
    }
}

fn records(items: &[Item]) -> impl Iterator<Item = RecordId> {
    items.iter().filter_map(|item| match item.home {
        Home::Spool(id) => Some(id),
        Home::Memory(_) => None,
    })
}

/// The name of a batch that is under way. No two batches of a client have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct BatchName(pub(crate) u64);

/// Where entries wait, and where those are that are under way.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Parts of batches that were refused as a whole.
    apart: VecDeque<Batch>,
    /// Batches that something before the server refuses; they hold up no others.
    stuck: VecDeque<Batch>,
    /// Entries in memory.
    waiting: VecDeque<Item>,
    in_flight: HashMap<BatchName, Batch>,
    pub(crate) body_bound: BodyBound,
    /// Refused entries of the spool that are not in the file of dead letters yet.
    pub(crate) unburied: Vec<(Item, DeadLetter)>,
    pub(crate) spool: Option<Spool>,
}

impl Outbox {
    pub(crate) fn new(spool: Option<Spool>) -> Self {
        Self {
            apart: VecDeque::new(),
            stuck: VecDeque::new(),
            waiting: VecDeque::new(),
            in_flight: HashMap::new(),
            body_bound: BodyBound::default(),
            unburied: Vec::new(),
            spool,
        }
    }

    /// An entry that is kept in memory waits to be sent.
    pub(crate) fn push(&mut self, item: Item) {
        self.waiting.push_back(item);
    }

    /// The next batch to send, as full as it can be, and its body; `None` where nothing waits. Where
    /// nothing else does, it is one that is stuck, if those are to be tried.
    pub(crate) fn begin(
        &mut self,
        name: BatchName,
        stuck: bool,
    ) -> Result<Option<Vec<u8>>, SpoolError> {
        let mut next = self.apart.pop_front();
        if next.is_none() {
            let items = self.gather()?;
            next = (!items.is_empty()).then_some(Batch { items, apart: false });
        }
        if stuck {
            next = next.or_else(|| self.stuck.pop_front());
        }
        let Some(batch) = next else { return Ok(None) };
        let mut body = Vec::new();
        append_batch(batch.items.iter().map(Item::bytes), &mut body);
        self.in_flight.insert(name, batch);
        Ok(Some(body))
    }

    /// As many entries as fit into a request.
    fn gather(&mut self) -> Result<Vec<Item>, SpoolError> {
        let body_max = self.body_bound.get();
        let mut bytes = 0;
        let fitting = self.waiting.iter().take(BATCH_MAX).take_while(|item| {
            bytes += item.range.len();
            bytes <= body_max
        });
        let fitting = fitting.count().max(1).min(self.waiting.len());
        let bytes: usize = self.waiting.iter().take(fitting).map(|item| item.range.len()).sum();
        // Read first: a spool that fails must not lose what is in memory.
        let records = match &mut self.spool {
            Some(spool) if fitting < BATCH_MAX && bytes < body_max => {
                spool.next_batch(BATCH_MAX - fitting, body_max - bytes)?
            }
            _ => Vec::new(),
        };
        let mut items: Vec<Item> = self.waiting.drain(..fitting).collect();
        items.extend(records.into_iter().map(|(id, entry)| {
            let range = 0..entry.len();
            Item::new(&Arc::new(entry), range, Home::Spool(id))
        }));
        Ok(items)
    }

    /// A batch is sent now; true if any of it was sent before.
    pub(crate) fn mark_sent(&mut self, name: BatchName, now: Instant) -> bool {
        let Some(batch) = self.in_flight.get_mut(&name) else { return false };
        let again = batch.items.iter().any(|item| item.first_attempt.is_some());
        batch.items.iter_mut().for_each(|item| _ = item.first_attempt.get_or_insert(now));
        again
    }

    /// How many batches are stuck.
    pub(crate) fn stuck(&self) -> usize {
        self.stuck.len()
    }

    /// Whether nothing waits, and nothing is under way, but batches that are stuck.
    pub(crate) fn has_only_stuck(&self) -> bool {
        !self.stuck.is_empty() && self.in_flight.is_empty() && self.waiting() == 0
    }

    /// How many entries wait to be sent, but for those that are stuck.
    pub(crate) fn waiting(&self) -> u64 {
        let apart: usize = self.apart.iter().map(Batch::len).sum();
        count(apart + self.waiting.len()) + self.spool.as_ref().map_or(0, Spool::waiting)
    }

    /// Whether so many batches wait in memory.
    pub(crate) fn is_ahead(&self, batches: usize) -> bool {
        self.waiting.len() >= batches * BATCH_MAX
    }

    /// Since when the entry has been tried that was tried first, of those in memory.
    pub(crate) fn first_attempt(&self) -> Option<Instant> {
        let apart = self.parts().flat_map(|batch| &batch.items);
        let all = self.waiting.iter().chain(apart);
        let held = all.filter(|item| matches!(item.home, Home::Memory(_)));
        held.filter_map(|item| item.first_attempt).min()
    }

    /// Batches that do not merge with others.
    fn parts(&self) -> impl Iterator<Item = &Batch> {
        self.apart.iter().chain(&self.stuck)
    }

    /// Takes a batch back that was answered.
    pub(crate) fn end(&mut self, name: BatchName) -> Option<Batch> {
        self.in_flight.remove(&name)
    }

    /// A batch is to be sent again, before all others.
    pub(crate) fn again(&mut self, batch: Batch) {
        if batch.apart {
            if batch.len() > 1 && batch.bytes() > self.body_bound.get() {
                return self.split(batch);
            }
            return self.apart.push_front(batch);
        }
        if let Some(spool) = &mut self.spool {
            spool.put_back(&batch.records());
        }
        let kept = batch.items.into_iter().filter(|item| matches!(item.home, Home::Memory(_)));
        kept.rev().for_each(|item| self.waiting.push_front(item));
    }

    /// A batch is to be sent again, after all others.
    pub(crate) fn stick(&mut self, batch: Batch) {
        self.stuck.push_back(batch);
    }

    /// The halves of a batch are sent apart, before all others.
    pub(crate) fn split(&mut self, batch: Batch) {
        let mut first = batch.items;
        let second = first.split_off(first.len() / 2);
        self.apart.push_front(Batch { items: second, apart: true });
        self.apart.push_front(Batch { items: first, apart: true });
    }

    /// A batch was never sent: it goes back to where it was.
    pub(crate) fn unsend(&mut self, name: BatchName) {
        if let Some(batch) = self.end(name) {
            self.again(batch);
        }
    }

    /// Takes every entry out of memory that `spent` says was tried often or long enough.
    pub(crate) fn give_up(&mut self, spent: impl Fn(&Item) -> bool) -> Vec<Weight> {
        let mut given_up = Vec::new();
        let mut keep = |item: &Item| match item.home {
            Home::Memory(weight) if spent(item) => {
                given_up.push(weight);
                false
            }
            _ => true,
        };
        self.waiting.retain(&mut keep);
        for parts in [&mut self.apart, &mut self.stuck] {
            parts.iter_mut().for_each(|batch| batch.items.retain(&mut keep));
            parts.retain(|batch| !batch.items.is_empty());
        }
        given_up
    }

    /// Gives the spool the bytes of records back that it asks for, where they are under way.
    pub(crate) fn restore(&mut self, wanted: &[RecordId]) {
        let Some(spool) = &mut self.spool else { return };
        let read = self.apart.iter().chain(&self.stuck).chain(self.in_flight.values());
        let unburied = self.unburied.iter().map(|(item, _)| item);
        for item in read.flat_map(|batch| &batch.items).chain(unburied) {
            if let Home::Spool(id) = item.home
                && wanted.contains(&id)
            {
                spool.restore(id, item.bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::body_bound::BODY_MAX;
    use crate::spool::SpoolOptions;
    use crate::spool::tests::fake::Fake;

    /// An entry of so many bytes that says its number, as JSON.
    fn entry(number: usize, length: usize) -> Vec<u8> {
        let mut entry = number.to_string().into_bytes();
        entry.resize(length.max(entry.len()), b' ');
        entry
    }

    fn held(number: usize, length: usize) -> Item {
        let entry = Arc::new(entry(number, length));
        let weight = Weight { epoch: Epoch::default(), cost: number };
        Item::new(&entry, 0..entry.len(), Home::Memory(weight))
    }

    fn spooled(numbers: Range<usize>, length: usize) -> Outbox {
        let disk = Fake::new(1).for_client();
        let (mut spool, _) = disk.open_own(Path::new("/spools"), SpoolOptions::default()).unwrap();
        for number in numbers {
            spool.append(&entry(number, length)).unwrap();
        }
        Outbox::new(Some(spool))
    }

    /// Begins a batch; gives its entries' numbers.
    fn begin(outbox: &mut Outbox, name: u64) -> Vec<usize> {
        let Some(body) = outbox.begin(BatchName(name), true).unwrap() else { return Vec::new() };
        assert!(
            body.len() <= BODY_MAX + 2 + BATCH_MAX || outbox.in_flight[&BatchName(name)].len() == 1
        );
        match serde_json::from_slice(&body) {
            Ok(numbers) => numbers,
            Err(_) => vec![serde_json::from_slice(&body).unwrap()],
        }
    }

    fn end(outbox: &mut Outbox, name: u64) -> Batch {
        outbox.end(BatchName(name)).unwrap()
    }

    #[test]
    fn a_request_takes_what_waits_in_memory_and_then_in_the_spool_up_to_its_bounds() {
        let mut outbox = spooled(60..200, 10);
        (0..60).for_each(|number| outbox.push(held(number, 10)));
        assert_eq!(outbox.waiting(), 200);
        assert_eq!(begin(&mut outbox, 0), (0..100).collect::<Vec<_>>());
        assert_eq!(outbox.waiting(), 100);
        assert_eq!(begin(&mut outbox, 1), (100..200).collect::<Vec<_>>());
        assert_eq!(begin(&mut outbox, 2), Vec::<usize>::new());
        assert_eq!(outbox.waiting(), 0);

        // Four of a megabyte fill a request; one that is longer than all goes alone.
        let mut outbox = spooled(2..8, 1 << 20);
        outbox.push(held(0, BODY_MAX + 1));
        outbox.push(held(1, 1 << 20));
        assert_eq!(begin(&mut outbox, 0), [0]);
        assert_eq!(begin(&mut outbox, 1), [1, 2, 3, 4]);
        assert_eq!(begin(&mut outbox, 2), [5, 6, 7]);
    }

    #[test]
    fn where_requests_take_too_long_they_are_shorter() {
        let mut outbox = spooled(0..8, 1 << 19);
        assert_eq!(begin(&mut outbox, 0), (0..8).collect::<Vec<_>>());
        outbox.unsend(BatchName(0));
        outbox.body_bound.shorten();
        assert_eq!(begin(&mut outbox, 1), [0, 1]);
        outbox.unsend(BatchName(1));

        // A part of a batch that was refused as a whole is cut as well.
        outbox.body_bound = BodyBound::default();
        begin(&mut outbox, 2);
        let batch = end(&mut outbox, 2);
        outbox.split(batch);
        assert_eq!(begin(&mut outbox, 3), [0, 1, 2, 3]);
        outbox.body_bound.shorten();
        outbox.unsend(BatchName(3));
        assert_eq!(begin(&mut outbox, 4), [0, 1]);
        assert_eq!(begin(&mut outbox, 5), [2, 3]);
        assert_eq!(outbox.waiting(), 4);
    }

    #[test]
    fn what_was_not_taken_waits_again_where_it_was() {
        let mut outbox = spooled(3..6, 10);
        (0..3).for_each(|number| outbox.push(held(number, 10)));
        assert_eq!(begin(&mut outbox, 0), [0, 1, 2, 3, 4, 5]);
        outbox.push(held(6, 10));
        outbox.unsend(BatchName(0));
        assert_eq!(outbox.waiting(), 7);
        assert_eq!(begin(&mut outbox, 1), [0, 1, 2, 6, 3, 4, 5]);
        // It is not there twice, and nobody knows the name any more.
        outbox.unsend(BatchName(0));
        assert!(outbox.end(BatchName(0)).is_none());
        assert_eq!(outbox.waiting(), 0);
    }

    #[test]
    fn halves_go_apart_before_all_others_until_they_are_single() {
        let mut outbox = spooled(2..4, 10);
        (0..2).for_each(|number| outbox.push(held(number, 10)));
        assert_eq!(begin(&mut outbox, 0), [0, 1, 2, 3]);
        let batch = end(&mut outbox, 0);
        outbox.split(batch);
        outbox.push(held(9, 10));
        assert_eq!(outbox.waiting(), 5);
        assert_eq!(begin(&mut outbox, 1), [0, 1]);
        let half = end(&mut outbox, 1);
        outbox.split(half);
        assert_eq!(begin(&mut outbox, 2), [0]);
        // A part that is sent again does not merge, and keeps its turn.
        let single = end(&mut outbox, 2);
        outbox.again(single);
        assert_eq!(begin(&mut outbox, 3), [0]);
        assert_eq!(begin(&mut outbox, 4), [1]);
        assert_eq!(begin(&mut outbox, 5), [2, 3]);
        assert_eq!(begin(&mut outbox, 6), [9]);
        assert_eq!(outbox.waiting(), 0);
    }

    #[test]
    fn what_is_stuck_holds_up_nobody_and_is_tried_last() {
        let mut outbox = Outbox::new(None);
        outbox.push(held(0, 10));
        assert_eq!(begin(&mut outbox, 0), [0]);
        let batch = end(&mut outbox, 0);
        outbox.stick(batch);
        outbox.push(held(1, 10));
        assert_eq!((outbox.waiting(), outbox.stuck()), (1, 1));
        assert_eq!(begin(&mut outbox, 1), [1]);
        assert_eq!(outbox.begin(BatchName(2), false).unwrap(), None, "it is not time yet");
        assert_eq!(begin(&mut outbox, 3), [0]);
    }

    #[test]
    fn what_is_in_memory_alone_is_given_up_and_what_is_in_the_spool_is_not() {
        let now = Instant::now();
        let mut outbox = spooled(3..6, 10);
        (0..3).for_each(|number| outbox.push(held(number, 10)));
        assert_eq!(begin(&mut outbox, 0).len(), 6);
        assert!(!outbox.mark_sent(BatchName(0), now));
        assert_eq!(outbox.first_attempt(), None, "what is under way is not given up");
        let batch = end(&mut outbox, 0);
        outbox.split(batch);
        outbox.push(held(9, 10));
        assert_eq!(outbox.first_attempt(), Some(now));
        let spent = outbox.give_up(|item| item.first_attempt.is_some());
        assert_eq!(spent.iter().map(|weight| weight.cost).collect::<Vec<_>>(), [0, 1, 2]);
        // The worker would wake for it, and find nothing to give up.
        assert_eq!(outbox.first_attempt(), None);
        assert_eq!(outbox.waiting(), 4);
        assert_eq!(begin(&mut outbox, 1), [3, 4, 5]);
        assert!(outbox.mark_sent(BatchName(1), now + Duration::from_secs(1)));
    }

    #[test]
    fn what_is_refused_and_not_buried_is_not_sent_again() {
        let mut outbox = spooled(0..3, 10);
        assert_eq!(begin(&mut outbox, 0), [0, 1, 2]);
        let mut batch = end(&mut outbox, 0);
        let item = batch.items.remove(1);
        let letter = DeadLetter {
            entry: item.bytes().to_vec(),
            status: Some(400),
            code: "invalid_entry".to_owned(),
            message: String::new(),
            time: logflux_wire::Timestamp::now(),
        };
        outbox.unburied.push((item, letter));
        outbox.again(batch);
        assert_eq!(outbox.waiting(), 2);
        assert_eq!(begin(&mut outbox, 1), [0, 2]);
        assert_eq!(outbox.waiting(), 0);
    }

    #[test]
    fn the_spool_gets_the_bytes_back_of_what_is_under_way() {
        let fake = Fake::new(1);
        // No room in memory for what is durable: the files are all that has it.
        let options = SpoolOptions { memory_bytes: 1, ..SpoolOptions::default() };
        let opened = fake.for_client().open_own(Path::new("/spools"), options);
        let (mut spool, _) = opened.unwrap();
        for number in 0..3 {
            spool.append(&entry(number, 10)).unwrap();
        }
        spool.sync().unwrap();
        let mut outbox = Outbox::new(Some(spool));
        assert_eq!(begin(&mut outbox, 0), [0, 1, 2]);
        for (path, _) in fake.files() {
            fake.disk().sweep(&path);
        }
        let spool = outbox.spool.as_mut().unwrap();
        let _ = spool.sync();
        let wanted = spool.take_changes().wanted;
        outbox.restore(&wanted);
        let spool = outbox.spool.as_mut().unwrap();
        spool.sync().unwrap();
        outbox.unsend(BatchName(0));
        assert_eq!(begin(&mut outbox, 1), [0, 1, 2]);
        assert_eq!(outbox.spool.as_mut().unwrap().take_changes().swept, 0);
    }
}
