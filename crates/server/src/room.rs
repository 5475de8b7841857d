//! A bound on what many requests hold together, of which nobody gets too large a part.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Room for a number of bytes or places, shared by all that hold some of it. Whoever holds some already
/// gets no more than is left free for others afterwards: one alone has half of the room, two have a
/// third each, and so on, so that there always is some for the next.
#[derive(Debug)]
pub(crate) struct Room<K: Hash + Eq>(Arc<Mutex<Shared<K>>>);

#[derive(Debug)]
struct Shared<K> {
    most: usize,
    taken: usize,
    by: HashMap<K, usize>,
}

impl<K: Hash + Eq + Clone> Room<K> {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Shared { most, taken: 0, by: HashMap::new() })))
    }

    /// Takes nothing yet.
    pub(crate) fn enter(&self, whose: &K) -> Held<K> {
        Held { room: Self(Arc::clone(&self.0)), whose: whose.clone(), amount: 0 }
    }

    /// Takes some at once; none where there is not the room.
    pub(crate) fn hold(&self, whose: &K, amount: usize) -> Option<Held<K>> {
        let mut held = self.enter(whose);
        held.grow(amount).then_some(held)
    }
}

impl<K: Hash + Eq> Room<K> {
    fn lock(&self) -> MutexGuard<'_, Shared<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one request holds, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held<K: Hash + Eq> {
    room: Room<K>,
    whose: K,
    amount: usize,
}

impl<K: Hash + Eq + Clone> Held<K> {
    /// Takes more; false, and nothing taken, where there is not the room. A request that is alone
    /// gets what it asks for, or one that is larger than the room could never be served; and one that
    /// is the only one of its owner gets whatever is free.
    pub(crate) fn grow(&mut self, by: usize) -> bool {
        let mut shared = self.room.lock();
        let taken = shared.taken.saturating_add(by);
        let before = shared.by.get(&self.whose).copied().unwrap_or(0);
        let alone = shared.taken == self.amount;
        let only = before == self.amount;
        let fair = || before.saturating_add(by) <= shared.most - taken;
        if !alone && (taken > shared.most || !(only || fair())) {
            return false;
        }
        shared.taken = taken;
        *shared.by.entry(self.whose.clone()).or_insert(0) += by;
        self.amount += by;
        true
    }

    /// Gives some of it back.
    pub(crate) fn shrink(&mut self, by: usize) {
        let by = by.min(self.amount);
        self.amount -= by;
        self.give_back(by);
    }

    /// Takes a part of it out.
    pub(crate) fn split(&mut self, amount: usize) -> Self {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        Self { room: Room(Arc::clone(&self.room.0)), whose: self.whose.clone(), amount }
    }
}

impl<K: Hash + Eq> Held<K> {
    fn give_back(&self, amount: usize) {
        let mut shared = self.room.lock();
        shared.taken = shared.taken.saturating_sub(amount);
        if let Some(of_owner) = shared.by.get_mut(&self.whose) {
            *of_owner = of_owner.saturating_sub(amount);
            if *of_owner == 0 {
                shared.by.remove(&self.whose);
            }
        }
    }
}

impl<K: Hash + Eq> Drop for Held<K> {
    fn drop(&mut self) {
        self.give_back(self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_and_comes_back() {
        let room = Room::new(10);
        let mut first = room.hold(&1, 6).unwrap();
        assert!(room.hold(&2, 5).is_none());
        let second = room.hold(&2, 4).unwrap();
        assert!(!first.grow(1));
        drop(second);
        assert!(first.grow(4) && room.hold(&2, 1).is_none());
        // Alone, it may have more than there is.
        assert!(first.grow(90) && room.hold(&2, 0).is_none());
        drop(first);
        let mut whole = room.hold(&2, 10).unwrap();
        whole.shrink(3);
        let part = whole.split(5);
        drop(whole);
        let other = room.hold(&1, 5).unwrap();
        assert!(room.hold(&3, 1).is_none());
        drop((part, other));
        assert!(room.hold(&3, 10).is_some());
    }

    #[test]
    fn the_largest_batch_finds_room_beside_the_small_ones_or_the_largest_of_another() {
        let limits = crate::Limits::default();
        for (most, small, large) in [
            (limits.queue_bytes, 1 << 20, limits.body / 4 * 3),
            // A body, and what is read of it.
            (limits.bodies, 1 << 20, limits.body * 2),
        ] {
            let room = Room::new(most);
            let flood: Vec<_> = (0..most / small).map_while(|_| room.hold(&1, small)).collect();
            assert!(flood.len() > 50 && room.hold(&1, small).is_none());
            assert!(room.hold(&2, large).is_some());
            drop(flood);
            let one = room.hold(&1, large).unwrap();
            assert!(room.hold(&2, large).is_some());
            drop(one);
        }
    }

    #[test]
    fn whoever_takes_much_leaves_some_for_the_next() {
        let room = Room::new(100);
        let take = |whose: u8| (0..100).map_while(|_| room.hold(&whose, 1)).collect::<Vec<_>>();
        let first = take(1);
        assert_eq!(first.len(), 50);
        let (second, third) = (take(2), take(3));
        assert_eq!((second.len(), third.len()), (25, 12));
        drop(first);
        assert_eq!(take(4).len(), 31, "half of what is free");
        // A single place goes to whoever comes first.
        let single = Room::new(1);
        let held = single.hold(&1, 1).unwrap();
        assert!(single.hold(&1, 1).is_none() && single.hold(&2, 1).is_none());
        drop(held);
        assert!(single.hold(&2, 1).is_some());
    }
}
