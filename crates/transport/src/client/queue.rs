//! Messages as a thread hands them over: one after the other in one buffer, which the worker takes
//! whole.
//!
//! A channel would cost an allocation a message, and a wake-up of its receiver on the caller's
//! thread; appending to a buffer costs neither. After a pause the buffer is in no cache any more, and
//! a call that came to a new page of it waited up to 1 µs for the page's address alone; so every call
//! has the processor fetch what a later one will write.

use logflux_envelope::{Level, Timestamp};

/// What a logging call does when the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The new message is dropped.
    #[default]
    DropNewest,
    /// The oldest messages in the queue are dropped for it.
    DropOldest,
    /// The call waits until there is room. In a callback of the client the new message is dropped
    /// instead, since the client would wait for itself.
    Block,
}

/// Before every message: its length (4 bytes), seconds (8), nanoseconds (4), level (1).
const HEADER: usize = 17;

/// How far ahead of a message memory is fetched: two pages and a half, so that the call that waits
/// for the address of a page to come is not the one that begins a page.
const AHEAD: usize = 10 << 10;
/// How much is fetched ahead at most; a longer message has its pages fetched as it is copied.
const FETCHED_MAX: usize = 1 << 10;

/// Messages in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    buffer: Vec<u8>,
    /// Where the oldest message begins.
    head: usize,
    count: usize,
    /// Up to where memory is fetched.
    fetched: usize,
}

/// A message in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Queued<'a> {
    pub(crate) level: Level,
    pub(crate) timestamp: Timestamp,
    pub(crate) bytes: &'a [u8],
}

impl Queue {
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// How many bytes the messages take, their headers included.
    pub(crate) fn bytes(&self) -> usize {
        self.buffer.len() - self.head
    }

    /// How many bytes it holds without growing.
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// How many bytes a message of this length takes.
    pub(crate) fn cost(length: usize) -> usize {
        HEADER + length
    }

    pub(crate) fn push(&mut self, message: Queued<'_>) {
        // What was dropped from the front is given up when it is more than what is left.
        if self.head > self.buffer.len() / 2 {
            self.buffer.drain(..self.head);
            self.head = 0;
            self.fetched = 0;
        }
        let length = u32::try_from(message.bytes.len()).unwrap_or(u32::MAX);
        let mut header = [0; HEADER];
        let (len, rest) = header.split_at_mut(4);
        let (seconds, rest) = rest.split_at_mut(8);
        let (nanoseconds, level) = rest.split_at_mut(4);
        len.copy_from_slice(&length.to_le_bytes());
        seconds.copy_from_slice(&message.timestamp.unix_seconds().to_le_bytes());
        nanoseconds.copy_from_slice(&message.timestamp.nanoseconds().to_le_bytes());
        level.fill(message.level.number());
        self.buffer.reserve(HEADER + message.bytes.len());
        self.buffer.extend_from_slice(&header);
        self.buffer.extend_from_slice(message.bytes);
        self.count += 1;
        self.fetch();
    }

    /// Has memory fetched up to [`AHEAD`] of the end: at the start of a buffer a little more a
    /// message, until that is reached.
    fn fetch(&mut self) {
        let end = self.buffer.len();
        let begin = self.fetched.clamp(end, end + AHEAD);
        self.fetched = (end + AHEAD).min(begin + FETCHED_MAX);
        let spare = self.buffer.spare_capacity_mut();
        let last = (self.fetched - end).min(spare.len());
        logflux_process::will_write(spare.get(begin - end..last).unwrap_or_default());
    }

    /// The time of the oldest message.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.read(self.head).map(|(message, _)| message.timestamp)
    }

    /// Drops the oldest message, and gives its cost.
    pub(crate) fn drop_oldest(&mut self) -> Option<usize> {
        let (_, next) = self.read(self.head)?;
        let cost = next - self.head;
        self.head = next;
        self.count -= 1;
        Some(cost)
    }

    /// Takes the oldest messages out, at most so many and so many bytes, and at least one.
    pub(crate) fn split_off_front(&mut self, messages: usize, bytes: usize) -> Self {
        let mut front = Self::default();
        while let Some((message, _)) = self.read(self.head) {
            let cost = Self::cost(message.bytes.len());
            let full = front.count >= messages || front.bytes() + cost > bytes;
            if full && front.count > 0 {
                break;
            }
            front.push(message);
            self.drop_oldest();
        }
        front
    }

    /// The messages, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Queued<'_>> {
        let mut at = self.head;
        std::iter::from_fn(move || {
            let (message, next) = self.read(at)?;
            at = next;
            Some(message)
        })
    }

    /// The same messages in a buffer that is just large enough.
    pub(crate) fn compacted(&self) -> Self {
        let buffer = self.buffer.get(self.head..).unwrap_or_default().to_vec();
        Self { buffer, count: self.count, ..Self::default() }
    }

    /// Forgets all messages, and keeps the buffer for the next: growing it anew would cost callers.
    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.head = 0;
        self.count = 0;
        self.fetched = 0;
    }

    /// Gives up most of the buffer, when messages have ceased to come.
    pub(crate) fn shrink(&mut self) {
        /// What is kept all the same.
        const KEPT: usize = 64 << 10;
        if self.count == 0 && self.buffer.capacity() > KEPT {
            self.clear();
            self.buffer.shrink_to(KEPT);
        }
    }

    fn read(&self, at: usize) -> Option<(Queued<'_>, usize)> {
        let (len, rest) = self.buffer.get(at..)?.split_first_chunk::<4>()?;
        let (seconds, rest) = rest.split_first_chunk::<8>()?;
        let (nanoseconds, rest) = rest.split_first_chunk::<4>()?;
        let (level, rest) = rest.split_first()?;
        let length = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let timestamp =
            Timestamp::from_unix(i64::from_le_bytes(*seconds), u32::from_le_bytes(*nanoseconds));
        let message = Queued {
            level: Level::from_number(u64::from(*level)).ok()?,
            timestamp: timestamp.ok()?,
            bytes: rest.get(..length)?,
        };
        Some((message, at + HEADER + length))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_queue_has_nothing_to_drop() {
        let mut queue = Queue::default();
        assert_eq!(queue.drop_oldest(), None);
        assert_eq!((queue.count(), queue.bytes(), queue.iter().count()), (0, 0, 0));
    }

    #[test]
    fn the_front_is_split_off_by_number_and_by_bytes_and_is_never_empty() {
        let queue = || {
            let mut queue = Queue::default();
            for clock in 0..5 {
                let timestamp = Timestamp::from_unix(clock, 0).unwrap();
                queue.push(Queued { level: Level::Info, timestamp, bytes: b"0123456789" });
            }
            queue
        };
        let cost = Queue::cost(10);
        for (messages, bytes, front) in [
            (2, usize::MAX, 2),
            (9, usize::MAX, 5),
            (0, 0, 1),
            (9, 3 * cost, 3),
            (9, 3 * cost - 1, 2),
        ] {
            let mut rest = queue();
            let split = rest.split_off_front(messages, bytes);
            assert_eq!((split.count(), rest.count()), (front, 5 - front));
            assert_eq!((split.bytes(), rest.bytes()), (front * cost, (5 - front) * cost));
            let clocks = split.iter().chain(rest.iter()).map(|m| m.timestamp.unix_seconds());
            assert!(clocks.eq(0..5));
        }
    }

    proptest! {
        #[test]
        fn it_is_a_queue(
            steps in proptest::collection::vec(
                proptest::option::weighted(0.6, (proptest::collection::vec(any::<u8>(), 0..40), 1_u64..=8)),
                0..200,
            ),
        ) {
            let mut queue = Queue::default();
            let mut model = VecDeque::new();
            for (step, clock) in steps.into_iter().zip(0..) {
                match step {
                    Some((bytes, level)) => {
                        let level = Level::from_number(level).unwrap();
                        let timestamp = Timestamp::from_unix(clock, 7).unwrap();
                        queue.push(Queued { level, timestamp, bytes: &bytes });
                        model.push_back((level, timestamp, bytes));
                    }
                    None => {
                        let cost = model.pop_front().map(|(_, _, bytes)| Queue::cost(bytes.len()));
                        prop_assert_eq!(queue.drop_oldest(), cost);
                    }
                }
                prop_assert_eq!(queue.count(), model.len());
                let cost: usize = model.iter().map(|(_, _, bytes)| Queue::cost(bytes.len())).sum();
                prop_assert_eq!(queue.bytes(), cost);
                for queue in [&queue, &queue.compacted()] {
                    let all: Vec<_> =
                        queue.iter().map(|m| (m.level, m.timestamp, m.bytes.to_vec())).collect();
                    prop_assert_eq!(&all, model.make_contiguous());
                }
                prop_assert_eq!(queue.compacted().capacity(), cost);
            }
        }
    }
}
