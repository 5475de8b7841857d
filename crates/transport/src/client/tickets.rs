//! What a flush waits for: all messages that were logged before it, and no others.
//!
//! Every message belongs to the epoch in which it left the queue, and a flush ends an epoch. When
//! no message of an epoch or an earlier one is outstanding, those that wait for it are told.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::state::{LOOK_AGAIN, Shared};
use super::worker;

/// A stretch of messages between two flushes, in their order. It never starts anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Epoch(u64);

/// Which epochs have outstanding messages, and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Epochs {
    current: Epoch,
    outstanding: BTreeMap<Epoch, u64>,
    watches: Vec<Weak<Watch>>,
    finished: Vec<Waker>,
}

/// What a ticket watches.
#[derive(Debug)]
pub(crate) struct Watch {
    epoch: Epoch,
    /// The process whose messages it watches.
    generation: u64,
    /// Messages of its epochs and of earlier ones that were dropped.
    dropped: AtomicU64,
    /// Messages of its epochs and of earlier ones that are outstanding.
    left: AtomicU64,
    waker: Mutex<Option<Waker>>,
}

impl Epochs {
    /// So many messages leave the queue; gives their epoch.
    pub(crate) fn enter(&mut self, messages: u64) -> Epoch {
        if messages > 0 {
            *self.outstanding.entry(self.current).or_default() += messages;
        }
        self.current
    }

    /// The epoch of messages that leave the queue now.
    pub(crate) fn current(&self) -> Epoch {
        self.current
    }

    /// Ends the epoch, and watches it; `dropped` were dropped before.
    pub(crate) fn watch(&mut self, dropped: u64) -> Arc<Watch> {
        let epoch = self.current;
        self.current = Epoch(epoch.0 + 1);
        let watch = Arc::new(Watch {
            epoch,
            generation: logflux_process::generation(),
            dropped: AtomicU64::new(dropped),
            left: AtomicU64::new(self.left(epoch)),
            waker: Mutex::default(),
        });
        self.watches.retain(|watch| watch.strong_count() > 0);
        self.watches.push(Arc::downgrade(&watch));
        watch
    }

    /// Messages of this epoch are delivered or durable.
    pub(crate) fn settle(&mut self, epoch: Epoch, messages: u64) {
        if messages == 0 {
            return;
        }
        // Those that are not there were settled when the client ended.
        let Some(outstanding) = self.outstanding.get_mut(&epoch) else { return };
        *outstanding -= messages;
        if *outstanding == 0 {
            self.outstanding.remove(&epoch);
        }
        for watch in self.watches.iter().filter_map(Weak::upgrade) {
            if epoch <= watch.epoch && watch.left.fetch_sub(messages, Ordering::AcqRel) == messages
            {
                let waker = watch.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
                self.finished.extend(waker);
            }
        }
    }

    /// Messages of this epoch are dropped.
    pub(crate) fn drop(&mut self, epoch: Epoch, messages: u64) {
        if messages == 0 {
            return;
        }
        for watch in self.watches.iter().filter_map(Weak::upgrade) {
            if epoch <= watch.epoch {
                watch.dropped.fetch_add(messages, Ordering::AcqRel);
            }
        }
        self.settle(epoch, messages);
    }

    /// Entries that were durable are dropped. They are older than any flush that is not done, and
    /// one that is done has its answer.
    pub(crate) fn drop_durable(&mut self, entries: u64) {
        let watches = self.watches.iter().filter_map(Weak::upgrade);
        for watch in watches.filter(|watch| !watch.is_done()) {
            watch.dropped.fetch_add(entries, Ordering::AcqRel);
        }
    }

    /// Every outstanding message is dropped, but so many of these epochs.
    pub(crate) fn drop_all_but(&mut self, kept: &BTreeMap<Epoch, u64>) {
        for (epoch, messages) in self.outstanding.clone() {
            let kept = kept.get(&epoch).copied().unwrap_or(0);
            self.drop(epoch, messages - kept);
        }
    }

    /// Whether somebody waits for a flush.
    pub(crate) fn is_watched(&self) -> bool {
        self.watches.iter().filter_map(Weak::upgrade).any(|watch| !watch.is_done())
    }

    /// Those who are to be woken, once the state is not locked any more.
    pub(crate) fn take_finished(&mut self) -> Vec<Waker> {
        mem::take(&mut self.finished)
    }

    fn left(&self, epoch: Epoch) -> u64 {
        self.outstanding.range(..=epoch).map(|(_, messages)| messages).sum()
    }
}

impl Watch {
    pub(crate) fn is_done(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }
}

/// A flush that has begun: [`Client::flush_begin`](super::Client::flush_begin).
///
/// It is also a future, which ends when the flush does, in any runtime. Any number of threads may
/// wait for one ticket, and it outlives its client: a client that ends settles all its messages.
/// Dropping it changes nothing but that nobody waits.
///
/// In a child of `fork` a ticket of the parent stays as it was at the fork, since the messages are
/// the parent's.
#[must_use = "a ticket tells whether the messages arrived"]
pub struct FlushTicket {
    pub(super) shared: Arc<Shared>,
    pub(super) watch: Arc<Watch>,
}

impl FlushTicket {
    /// Whether every message that was logged before the ticket is delivered, durable in the spool,
    /// or dropped. It costs a nanosecond.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.watch.is_done()
    }

    /// Waits until it [is done](Self::is_done), for `timeout` at most. In a callback of the same
    /// client, and in a child of `fork`, it does not wait.
    ///
    /// # Errors
    /// [`Unflushed`] where a message that was logged before the ticket was dropped, then or earlier,
    /// or is still on its way.
    pub fn wait(&self, timeout: Duration) -> Result<(), Unflushed> {
        if self.may_wait() {
            let begun = Instant::now();
            let mut state = self.shared.lock();
            while !self.is_done() && !state.stopped {
                let left = timeout.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    break;
                }
                // Where no thread could be had before, or the worker failed.
                worker::start(&self.shared, &state);
                state = self.shared.wait_for_progress(state, left.min(LOOK_AGAIN));
            }
        }
        self.answer()
    }

    /// What [`wait`](Self::wait) answers now. It takes no lock.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn answer(&self) -> Result<(), Unflushed> {
        // What is dropped is counted before it is settled, so it is read after.
        let left = self.watch.left.load(Ordering::Acquire);
        let dropped = self.watch.dropped.load(Ordering::Acquire);
        if dropped == 0 && left == 0 { Ok(()) } else { Err(Unflushed { dropped, left }) }
    }

    /// Whether this thread may wait: the worker waits for itself otherwise, and the locks of a
    /// parent are nobody's in its child.
    fn may_wait(&self) -> bool {
        self.watch.generation == logflux_process::generation()
            && !worker::is_this_thread(&self.shared)
    }
}

impl Future for FlushTicket {
    type Output = Result<(), Unflushed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.may_wait() {
            return Poll::Ready(self.answer());
        }
        {
            let mut waker = self.watch.waker.lock().unwrap_or_else(PoisonError::into_inner);
            *waker = Some(context.waker().clone());
        }
        worker::start(&self.shared, &self.shared.lock());
        // Only now, so that an end between the two is not missed.
        if self.is_done() { Poll::Ready(self.answer()) } else { Poll::Pending }
    }
}

impl fmt::Debug for FlushTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlushTicket").field("is_done", &self.is_done()).finish_non_exhaustive()
    }
}

/// Not every message that was logged before is delivered, or durable in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct Unflushed {
    /// How many of them were dropped since the client was built. Those that the server refused for
    /// good are among them, and in the dead-letter file where there is a spool.
    pub dropped: u64,
    /// How many of them are still on their way.
    pub left: u64,
}

impl Unflushed {
    fn text(&self) -> String {
        let messages = |n| if n == 1 { "1 message".to_owned() } else { format!("{n} messages") };
        match (self.dropped, self.left) {
            (0, left) => format!("{} not delivered in time", messages(left)),
            (dropped, 0) => format!("{} dropped", messages(dropped)),
            (dropped, left) => {
                format!("{} dropped, and {left} not delivered in time", messages(dropped))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_waits_for_what_was_before_it_and_counts_what_of_it_was_dropped() {
        let mut epochs = Epochs::default();
        let first = epochs.enter(3);
        let watch = epochs.watch(2);
        let second = epochs.enter(5);
        assert_ne!(first, second);
        epochs.settle(second, 4);
        epochs.drop(second, 1);
        assert!(!watch.is_done() && epochs.is_watched());
        assert_eq!(epochs.left(first), 3);
        epochs.drop(first, 1);
        assert_eq!(watch.left.load(Ordering::Relaxed), 2);
        epochs.drop_durable(2);
        epochs.settle(first, 2);
        assert!(watch.is_done() && !epochs.is_watched());
        assert_eq!(watch.dropped.load(Ordering::Relaxed), 5);
        // It has its answer.
        epochs.drop_durable(2);
        epochs.settle(second, 0);
        assert_eq!(watch.dropped.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn a_flush_of_nothing_is_done_at_once_and_one_of_an_earlier_epoch_waits_for_it() {
        let mut epochs = Epochs::default();
        assert!(epochs.watch(0).is_done());
        epochs.enter(1);
        let (one, two) = (epochs.watch(0), epochs.watch(0));
        epochs.drop_all_but(&BTreeMap::new());
        assert!(one.is_done() && two.is_done());
        assert_eq!(two.dropped.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_sentence_says_how_many() {
        let text = |dropped, left| Unflushed { dropped, left }.to_string();
        assert_eq!(text(0, 1), "1 message not delivered in time");
        assert_eq!(text(3, 0), "3 messages dropped");
        assert_eq!(text(3, 2), "3 messages dropped, and 2 not delivered in time");
    }
}
