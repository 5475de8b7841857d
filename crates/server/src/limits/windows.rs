//! Counts in fixed windows, for many at once and in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a window lasts. It begins with the first request that is counted in it.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// Threads rarely wait for each other at this many parts.
const SHARDS: usize = 16;

/// A count for each `K`.
#[derive(Debug)]
pub(super) struct Windows<K> {
    shards: [Mutex<Shard<K>>; SHARDS],
    hasher: RandomState,
}

#[derive(Debug)]
struct Shard<K> {
    open: HashMap<K, Window>,
    /// Those of `open`, the oldest window first.
    order: VecDeque<K>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    /// On the clock that the caller reads.
    began: Duration,
    count: u32,
}

/// What became of a request in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// Whether it was within the limit.
    pub(super) within: bool,
    /// How many more are.
    pub(super) remaining: u32,
    /// When the window ends.
    pub(super) ends_in: Duration,
}

impl<K: Hash + Eq + Clone> Windows<K> {
    pub(super) fn new() -> Self {
        let shard = |_| Mutex::new(Shard { open: HashMap::new(), order: VecDeque::new() });
        Self { shards: std::array::from_fn(shard), hasher: RandomState::new() }
    }

    /// Counts a request at `now`. Of more than about `most` open windows the oldest are forgotten.
    pub(super) fn count(&self, key: &K, limit: u32, most: usize, now: Duration) -> Counted {
        let [first, rest @ ..] = &self.shards;
        let place = self.hasher.hash_one(key).to_le_bytes()[0];
        let shard = rest.get(usize::from(place) % SHARDS).unwrap_or(first);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.forget((most / SHARDS).max(1), now);
        let mut window = shard.open.get(key).copied().unwrap_or(Window { began: now, count: 0 });
        let within = window.count < limit;
        window.count += u32::from(within);
        shard.put(key, window);
        Counted {
            within,
            remaining: limit.saturating_sub(window.count),
            ends_in: (window.began + WINDOW).saturating_sub(now),
        }
    }

    /// How many windows are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().open.len()).sum()
    }
}

impl<K: Hash + Eq + Clone> Shard<K> {
    /// Forgets the windows that have ended, and the oldest ones above `most`.
    fn forget(&mut self, most: usize, now: Duration) {
        while let Some(oldest) = self.order.front() {
            let ended = self.open.get(oldest).is_none_or(|window| window.began + WINDOW <= now);
            if !ended && self.order.len() <= most {
                break;
            }
            self.open.remove(oldest);
            self.order.pop_front();
        }
    }

    fn put(&mut self, key: &K, window: Window) {
        match self.open.get_mut(key) {
            Some(there) => *there = window,
            None => {
                self.order.push_back(key.clone());
                self.open.insert(key.clone(), window);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_window_is_full_at_its_limit_and_the_next_begins_empty() {
        let windows = Windows::new();
        let count = |key, now| windows.count(&key, 3, 1_000, now);
        for (at, remaining) in [(5, 2), (6, 1), (7, 0)] {
            let counted = count("a", S * at);
            assert_eq!((counted.within, counted.remaining), (true, remaining));
            assert_eq!(counted.ends_in, WINDOW + S * 5 - S * at);
        }
        for at in [8, 64] {
            let counted = count("a", S * at);
            assert_eq!((counted.within, counted.remaining), (false, 0));
        }
        assert!(count("b", S * 64).within);
        assert_eq!(count("a", S * 65), Counted { within: true, remaining: 2, ends_in: WINDOW });
    }

    #[test]
    fn another_limit_counts_at_once_and_what_was_counted_stays() {
        let windows = Windows::new();
        for _ in 0..5 {
            assert!(windows.count(&1, 5, 1_000, S).within);
        }
        assert!(!windows.count(&1, 2, 1_000, S).within);
        assert_eq!(windows.count(&1, 7, 1_000, S).remaining, 1);
    }

    #[test]
    fn a_million_take_no_more_than_their_bound_and_leave_nothing_when_they_end() {
        let windows = Windows::new();
        for key in 0..1_000_000_u64 {
            windows.count(&key, 60, 100_000, Duration::from_micros(key));
        }
        let len = windows.len();
        assert!((90_000..=100_016).contains(&len), "{len}");
        // The newest are among the remembered: theirs goes on.
        assert_eq!(windows.count(&999_999, 60, 100_000, S).remaining, 58);
        let later = S * 120;
        for key in 0..1_000 {
            windows.count(&key, 60, 100_000, later);
        }
        assert_eq!(windows.len(), 1_000);
    }
}
