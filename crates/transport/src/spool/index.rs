//! Which records there are, where they stand, and which of them are handed out.

use std::collections::{BTreeSet, VecDeque};

/// The segment of records whose file is gone, and which are written again. No segment has it.
pub(super) const ADRIFT: u32 = u32::MAX;

/// A record that is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) segment: u32,
    /// Where its frame begins in the segment.
    pub(super) offset: u32,
    /// How long its payload is.
    pub(super) length: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    HandedOut,
    /// Kept until many are gone, since a removal from the middle moves all that follow.
    Gone,
}

impl Slot {
    /// Where a record stands that was found in a segment of another spool.
    pub(super) fn of(found: &super::format::Found) -> Self {
        let short = |length| u32::try_from(length).unwrap_or(u32::MAX);
        let (offset, length) = (short(found.offset), short(found.length));
        Self { id: 0, segment: 0, offset, length, state: State::Waiting }
    }

    pub(super) fn is_handed_out(&self) -> bool {
        self.state == State::HandedOut
    }
}

/// All records, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: VecDeque<Slot>,
    gone: usize,
    handed_out: usize,
    /// No record from here on was ever handed out.
    fresh: u64,
    /// Records that were handed out and put back; all before `fresh`.
    returned: BTreeSet<u64>,
}

impl Index {
    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.gone
    }

    /// How many of them are not handed out.
    pub(super) fn waiting(&self) -> usize {
        self.len() - self.handed_out
    }

    /// Adds a record, whose id is greater than all before it.
    pub(super) fn push(&mut self, id: u64, segment: u32, offset: u32, length: u32) {
        self.slots.push_back(Slot { id, segment, offset, length, state: State::Waiting });
    }

    /// The record of this id, unless it is gone.
    pub(super) fn get(&self, id: u64) -> Option<Slot> {
        let at = self.slots.binary_search_by_key(&id, |slot| slot.id).ok()?;
        self.slots.get(at).filter(|slot| slot.state != State::Gone).copied()
    }

    fn get_mut(&mut self, id: u64) -> Option<&mut Slot> {
        let at = self.slots.binary_search_by_key(&id, |slot| slot.id).ok()?;
        self.slots.get_mut(at).filter(|slot| slot.state != State::Gone)
    }

    /// The smallest id.
    pub(super) fn first(&self) -> Option<u64> {
        self.slots.front().map(|slot| slot.id)
    }

    /// The records after this id.
    pub(super) fn after(&self, id: u64) -> impl Iterator<Item = &Slot> {
        let from = self.slots.partition_point(|slot| slot.id <= id);
        self.slots.range(from..).filter(|slot| slot.state != State::Gone)
    }

    /// Says where a record stands now.
    pub(super) fn relocate(&mut self, id: u64, segment: u32, offset: u32) {
        if let Some(slot) = self.get_mut(id) {
            slot.segment = segment;
            slot.offset = offset;
        }
    }

    /// Removes a record, and gives what it was.
    pub(super) fn remove(&mut self, id: u64) -> Option<Slot> {
        let slot = self.get_mut(id)?;
        let was = *slot;
        slot.state = State::Gone;
        self.returned.remove(&id);
        self.gone += 1;
        self.handed_out -= usize::from(was.is_handed_out());
        self.tidy();
        Some(was)
    }

    /// The records of a segment.
    pub(super) fn of_segment(&self, segment: u32) -> impl Iterator<Item = &Slot> {
        self.after(0).filter(move |slot| slot.segment == segment)
    }

    /// Removes the records of a segment, and gives their ids.
    pub(super) fn remove_segment(&mut self, segment: u32) -> Vec<u64> {
        let mut removed = Vec::new();
        for slot in &mut self.slots {
            if slot.segment == segment && slot.state != State::Gone {
                self.handed_out -= usize::from(slot.is_handed_out());
                slot.state = State::Gone;
                self.returned.remove(&slot.id);
                removed.push(slot.id);
            }
        }
        self.gone += removed.len();
        self.tidy();
        removed
    }

    fn tidy(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.state == State::Gone) {
            self.slots.pop_front();
            self.gone -= 1;
        }
        if self.gone > 1_024 && self.gone > self.slots.len() / 2 {
            self.slots.retain(|slot| slot.state != State::Gone);
            self.gone = 0;
        }
        if self.slots.is_empty() && self.slots.capacity() > 4_096 {
            self.slots = VecDeque::new();
        }
    }

    /// Hands out the oldest records that wait: at most `max_entries`, and at most `max_bytes` of
    /// payload unless the first alone has more.
    pub(super) fn hand_out(&mut self, max_entries: usize, max_bytes: usize) -> Vec<Slot> {
        let mut picked: Vec<Slot> = Vec::new();
        let mut bytes = 0_usize;
        let waiting = self.returned.iter().filter_map(|id| self.get(*id)).chain(
            self.after(self.fresh.saturating_sub(1))
                .copied()
                .filter(|slot| slot.state == State::Waiting),
        );
        for slot in waiting.take(max_entries) {
            bytes = bytes.saturating_add(usize::try_from(slot.length).unwrap_or(usize::MAX));
            if bytes > max_bytes && !picked.is_empty() {
                break;
            }
            picked.push(slot);
        }
        for slot in &picked {
            if !self.returned.remove(&slot.id) {
                self.fresh = slot.id.saturating_add(1);
            }
            if let Some(slot) = self.get_mut(slot.id) {
                slot.state = State::HandedOut;
            }
        }
        self.handed_out += picked.len();
        picked
    }

    /// Puts a record back that was handed out; gives what it is.
    pub(super) fn put_back(&mut self, id: u64) -> Option<Slot> {
        let slot = self.get_mut(id).filter(|slot| slot.state == State::HandedOut)?;
        slot.state = State::Waiting;
        let slot = *slot;
        self.returned.insert(id);
        self.handed_out -= 1;
        Some(slot)
    }
}
