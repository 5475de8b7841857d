//! Where callers put their messages: a queue a thread, more or less, so that callers seldom meet,
//! under one bound for all.
//!
//! With one queue for all, callers of eight threads on two cores meet at its lock, and one in a
//! hundred sleeps there for microseconds.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use logflux_wire::limits::BATCH_MAX;

use super::queue::{Queue, Queued};
use super::state::count;
use super::stats::{DropReason, Dropped};
use super::tickets::Epoch;
use crate::config::{QueueBytes, QueueSize};

/// How many queues there are. More threads than that share them.
const SHARDS: usize = 16;
/// How many empty queues are kept for their buffers: as many as fill up while as many are sealed.
const SPARE_MAX: usize = 4 * SHARDS;

/// All that was handed over and that the worker has not taken yet, and the bound of all that waits.
#[derive(Debug)]
pub(crate) struct Intake {
    shards: Box<[Apart<Mutex<Shard>>]>,
    /// What waits in memory, wherever: in a queue, or taken and not settled.
    waiting: Apart<Tally>,
    /// What the worker has not taken.
    queued: Apart<Tally>,
    messages_max: u64,
    bytes_max: u64,
}

/// On a cache line of its own, and clear of the one that is fetched with it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

/// The queue of some threads, and what was counted in it.
#[derive(Debug, Default)]
struct Shard {
    queue: Queue,
    /// Since when the oldest message has been in the queue.
    since: Option<Instant>,
    accepted: u64,
    dropped: Dropped,
    closed: bool,
}

/// What became of a message that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is in the queue, or dropped and counted.
    Settled,
    /// There is no room for it; it is not counted yet.
    NoRoom,
}

/// Queues that were emptied out of the shards.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Each with the epoch in which it was gathered, the oldest epoch first.
    pub(crate) queues: Vec<(Epoch, Queue)>,
    pub(crate) since: Option<Instant>,
    /// Empty queues whose buffers are used again.
    pub(crate) spare: Vec<Queue>,
}

impl Gathered {
    /// Copies all queues but the first so many out of their buffers, and keeps those.
    pub(crate) fn compact_after(&mut self, first: usize) {
        let mut emptied = Vec::new();
        for (_, queue) in self.queues.iter_mut().skip(first) {
            let compacted = queue.compacted();
            let mut buffer = std::mem::replace(queue, compacted);
            buffer.clear();
            emptied.push(buffer);
        }
        self.keep(emptied);
    }

    /// Keeps empty queues for their buffers: growing them anew would cost callers.
    pub(crate) fn keep(&mut self, empty: Vec<Queue>) {
        self.spare.extend(empty);
        self.spare.sort_by_key(Queue::capacity);
        let many = self.spare.len().saturating_sub(SPARE_MAX);
        self.spare.drain(..many);
    }
}

impl Intake {
    /// Takes messages until so many, or so many bytes, wait in memory.
    pub(crate) fn new(messages_max: QueueSize, bytes_max: QueueBytes) -> Self {
        // What a setting allows fits into the two halves of a tally.
        const { assert!(QueueSize::MAX as u64 <= Tally::MESSAGES_MAX) };
        const { assert!(QueueBytes::MAX <= Tally::BYTES_MAX) };
        Self {
            shards: (0..SHARDS).map(|_| Apart::default()).collect(),
            waiting: Apart::default(),
            queued: Apart::default(),
            messages_max: count(messages_max.get()),
            bytes_max: bytes_max.get(),
        }
    }

    /// Puts a message into the queue of this thread, if there is room. With `room` it was
    /// [reserved](Self::reserve) before.
    pub(crate) fn offer(&self, message: Queued<'_>, room: bool) -> Offered {
        let cost = Queue::cost(message.bytes.len());
        let mut shard = self.mine();
        if shard.closed {
            if room {
                self.waiting.0.subtract(1, cost);
            }
            shard.accepted += 1;
            shard.dropped.add(DropReason::Closed, 1);
            return Offered::Settled;
        }
        if !room && !self.reserve(cost) {
            return Offered::NoRoom;
        }
        if shard.queue.count() == 0 {
            shard.since = Some(Instant::now());
        }
        shard.queue.push(message);
        shard.accepted += 1;
        self.queued.0.add(1, cost);
        Offered::Settled
    }

    /// Counts a message that was dropped before it came into a queue.
    pub(crate) fn count_dropped(&self, reason: DropReason) {
        let mut shard = self.mine();
        shard.accepted += 1;
        shard.dropped.add(reason, 1);
    }

    /// Makes room for a message of this cost, if there is; a message larger than the bound gets it
    /// where nothing else waits.
    pub(crate) fn reserve(&self, cost: usize) -> bool {
        self.waiting.0.add_if(cost, |messages, bytes| {
            let fits = bytes + count(cost) <= self.bytes_max || messages == 0;
            messages < self.messages_max && fits
        })
    }

    /// What was in memory is no more.
    pub(crate) fn release(&self, messages: u64, bytes: usize) {
        self.waiting.0.subtract(messages, bytes);
    }

    /// How many messages, and how many bytes, the worker has not taken.
    pub(crate) fn queued(&self) -> (u64, u64) {
        self.queued.0.read()
    }

    /// How many messages wait in memory, wherever.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.0.read().0
    }

    /// How many messages and bytes wait in memory, and how many of them the worker has not taken.
    #[cfg(test)]
    pub(crate) fn tallies(&self) -> [(u64, u64); 2] {
        [self.waiting.0.read(), self.queued.0.read()]
    }

    /// The worker takes messages that were gathered.
    pub(crate) fn taken(&self, messages: u64, bytes: usize) {
        self.queued.0.subtract(messages, bytes);
    }

    /// Whether what is queued is worth a request, or so much that the queue soon is full.
    pub(crate) fn holds_a_batch(&self) -> bool {
        let (messages, bytes) = self.queued();
        messages >= count(BATCH_MAX).min(self.messages_max.div_ceil(2))
            || bytes >= self.bytes_max / 2
    }

    /// Empties every queue in this epoch; gives how many messages there were.
    pub(crate) fn gather(&self, gathered: &mut Gathered, epoch: Epoch) -> u64 {
        let mut messages = 0;
        for shard in self.shards() {
            let mut shard = lock(shard);
            if shard.queue.count() > 0 {
                let empty = gathered.spare.pop().unwrap_or_default();
                messages += count(shard.queue.count());
                gathered.queues.push((epoch, std::mem::replace(&mut shard.queue, empty)));
                gathered.since = earlier(gathered.since, shard.since.take());
            }
        }
        messages
    }

    /// Since when the oldest message has been in a queue.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.shards().fold(None, |since, shard| earlier(since, lock(shard).since))
    }

    /// Drops the oldest message, and counts it; false where there is none.
    pub(crate) fn drop_oldest(&self) -> bool {
        let age = |shard: &&Mutex<Shard>| lock(shard).queue.oldest();
        let oldest =
            self.shards().filter_map(|shard| Some((age(&shard)?, shard))).min_by_key(|(t, _)| *t);
        let Some((_, shard)) = oldest else { return false };
        let mut shard = lock(shard);
        let Some(cost) = shard.queue.drop_oldest() else { return false };
        shard.dropped.add(DropReason::QueueFull, 1);
        if shard.queue.count() == 0 {
            shard.since = None;
        }
        self.queued.0.subtract(1, cost);
        self.waiting.0.subtract(1, cost);
        true
    }

    /// Takes no more messages.
    pub(crate) fn close(&self) {
        for shard in self.shards() {
            lock(shard).closed = true;
        }
    }

    /// How many messages were logged, and how many were dropped here.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for shard in self.shards() {
            let shard = lock(shard);
            counts.accepted += shard.accepted;
            counts.queued += count(shard.queue.count());
            counts.dropped += shard.dropped;
        }
        counts
    }

    /// Gives up most of the buffers, when messages have ceased to come.
    pub(crate) fn shrink(&self) {
        self.shards().for_each(|shard| lock(shard).queue.shrink());
    }

    fn shards(&self) -> impl Iterator<Item = &Mutex<Shard>> {
        self.shards.iter().map(|shard| &shard.0)
    }

    fn mine(&self) -> MutexGuard<'_, Shard> {
        let index = thread_number() % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "there are SHARDS of them")]
        lock(&self.shards[index].0)
    }
}

/// What [`Intake::counts`] counts. Each shard's numbers are of one moment.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) queued: u64,
    pub(crate) dropped: Dropped,
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// Numbers threads in the order in which they first log.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: Cell<Option<usize>> = const { Cell::new(None) });
    NUMBER.with(|number| {
        number.get().unwrap_or_else(|| {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            number.set(Some(next));
            next
        })
    })
}

/// A number of messages and of their bytes, which change together: the messages in the upper 24
/// bits, the bytes in the lower 40.
#[derive(Debug, Default)]
struct Tally(AtomicU64);

impl Tally {
    const BYTES: u32 = 40;
    /// One below what fits, so that neither ever carries.
    const MESSAGES_MAX: u64 = (1 << (u64::BITS - Self::BYTES)) - 2;
    /// Leaves room for a message that is larger than the bound.
    const BYTES_MAX: u64 = (1 << Self::BYTES) - (1 << 32);

    fn both(messages: u64, bytes: usize) -> u64 {
        (messages << Self::BYTES) + count(bytes)
    }

    fn apart(both: u64) -> (u64, u64) {
        (both >> Self::BYTES, both & ((1 << Self::BYTES) - 1))
    }

    fn read(&self) -> (u64, u64) {
        Self::apart(self.0.load(Ordering::SeqCst))
    }

    fn add(&self, messages: u64, bytes: usize) {
        self.0.fetch_add(Self::both(messages, bytes), Ordering::SeqCst);
    }

    fn add_if(&self, bytes: usize, condition: impl Fn(u64, u64) -> bool) -> bool {
        let more = Self::both(1, bytes);
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |both| {
                let (messages, bytes) = Self::apart(both);
                condition(messages, bytes).then_some(both + more)
            })
            .is_ok()
    }

    fn subtract(&self, messages: u64, bytes: usize) {
        let less = Self::both(messages, bytes);
        let before = self.0.fetch_sub(less, Ordering::SeqCst);
        debug_assert!(
            Self::apart(before).0 >= messages && Self::apart(before).1 >= count(bytes),
            "{messages} messages of {bytes} bytes leave, and {:?} are there",
            Self::apart(before)
        );
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use logflux_envelope::{Level, Timestamp};

    use super::*;

    fn bounded(messages: usize, bytes: u64) -> Intake {
        Intake::new(QueueSize::new(messages).unwrap(), QueueBytes::new(bytes).unwrap())
    }

    fn message(second: i64) -> Queued<'static> {
        let timestamp = Timestamp::from_unix(second, 0).unwrap();
        Queued { level: Level::Info, timestamp, bytes: b"0123456789" }
    }

    /// Offers from a thread of its own, so that most go into different queues.
    fn offer_apart(intake: &Intake, second: i64) -> Offered {
        thread::scope(|scope| scope.spawn(|| intake.offer(message(second), false)).join().unwrap())
    }

    #[test]
    fn what_must_wait_leaves_the_buffers_to_callers() {
        let intake = bounded(1_000, 1 << 20);
        (0..100).for_each(|second| assert_eq!(offer_apart(&intake, second), Offered::Settled));
        let mut gathered = Gathered::default();
        intake.gather(&mut gathered, Epoch::default());
        let capacity = |queues: &[Queue]| queues.iter().map(Queue::capacity).sum::<usize>();
        let grown: usize = gathered.queues.iter().map(|(_, queue)| queue.capacity()).sum();
        gathered.compact_after(0);
        assert_eq!(capacity(&gathered.spare), grown);
        assert!(gathered.spare.iter().all(|queue| queue.count() == 0));
        let kept = gathered.queues.iter();
        assert_eq!(kept.map(|(_, queue)| queue.capacity()).sum::<usize>(), 100 * Queue::cost(10));
        let messages = gathered.queues.iter().flat_map(|(_, queue)| queue.iter());
        let mut seconds: Vec<i64> = messages.map(|m| m.timestamp.unix_seconds()).collect();
        seconds.sort_unstable();
        assert!(seconds.into_iter().eq(0..100));
        // The same buffers are written to again.
        assert_eq!(offer_apart(&intake, 100), Offered::Settled);
        intake.gather(&mut gathered, Epoch::default());
        assert!(capacity(&gathered.spare) < grown);
    }

    fn gather(intake: &Intake) -> Vec<i64> {
        let mut gathered = Gathered::default();
        let messages_taken = intake.gather(&mut gathered, Epoch::default());
        let messages = gathered.queues.iter().flat_map(|(_, queue)| queue.iter());
        let seconds: Vec<i64> = messages.map(|m| m.timestamp.unix_seconds()).collect();
        assert_eq!(count(seconds.len()), messages_taken);
        seconds
    }

    #[test]
    fn all_threads_share_one_bound_and_it_is_exact() {
        let intake = bounded(1_000, QueueBytes::MAX);
        let taken: usize = thread::scope(|scope| {
            let offer = |n: &i64| intake.offer(message(*n), false) == Offered::Settled;
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(move || (0..300).filter(offer).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 1_000);
        assert_eq!(intake.queued(), (1_000, count(1_000 * Queue::cost(10))));
        assert_eq!(intake.counts().queued, 1_000);
        intake.release(1, Queue::cost(10));
        assert!(intake.reserve(Queue::cost(10)));
        assert!(!intake.reserve(1));
    }

    #[test]
    fn bytes_are_bounded_but_one_large_message_is_always_taken() {
        let intake = bounded(10, count(2 * Queue::cost(10)));
        assert_eq!(offer_apart(&intake, 1), Offered::Settled);
        assert_eq!(offer_apart(&intake, 2), Offered::Settled);
        assert_eq!(offer_apart(&intake, 3), Offered::NoRoom);
        let small = bounded(10, 1);
        assert_eq!(small.offer(message(1), false), Offered::Settled);
        assert_eq!(small.offer(message(2), false), Offered::NoRoom);
    }

    #[test]
    fn the_oldest_of_all_threads_is_dropped() {
        let intake = bounded(10, QueueBytes::MAX);
        for second in [3, 4, 5] {
            offer_apart(&intake, second);
        }
        assert!(intake.drop_oldest());
        let mut left = gather(&intake);
        left.sort_unstable();
        assert_eq!(left, [4, 5]);
        assert!(!intake.drop_oldest());
        assert_eq!(intake.counts().dropped.by(DropReason::QueueFull), 1);
    }

    #[test]
    fn after_the_end_messages_are_counted_as_dropped() {
        let intake = bounded(1, QueueBytes::MAX);
        assert!(intake.reserve(Queue::cost(10)));
        intake.close();
        assert_eq!(intake.offer(message(1), true), Offered::Settled);
        assert_eq!(offer_apart(&intake, 2), Offered::Settled);
        let counts = intake.counts();
        assert_eq!((counts.accepted, counts.queued), (2, 0));
        assert_eq!(counts.dropped.by(DropReason::Closed), 2);
        assert!(intake.reserve(1), "the room is given back");
    }

    #[test]
    fn a_thread_keeps_its_order_and_the_oldest_age_is_known() {
        let intake = bounded(100, QueueBytes::MAX);
        assert_eq!(intake.since(), None);
        for second in [3, 1, 2] {
            intake.offer(message(second), false);
        }
        assert!(intake.since().is_some());
        assert_eq!(gather(&intake), [3, 1, 2]);
        assert_eq!(intake.since(), None);
        assert_eq!(intake.queued().0, 3, "they are queued until the worker takes them");
    }
}
