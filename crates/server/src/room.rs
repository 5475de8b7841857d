//! A bound on the bytes that many requests hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Room for a number of bytes, shared by all that hold some of it.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    taken: AtomicUsize,
}

impl Room {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Shared { most, taken: AtomicUsize::new(0) }))
    }

    /// Takes nothing yet.
    pub(crate) fn enter(&self) -> Held {
        Held { room: self.clone(), bytes: 0 }
    }

    /// Takes some bytes at once; none where there is not the room.
    pub(crate) fn hold(&self, bytes: usize) -> Option<Held> {
        let mut held = self.enter();
        held.grow(bytes).then_some(held)
    }
}

/// What one request holds, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    room: Room,
    bytes: usize,
}

impl Held {
    /// Takes more; false, and nothing taken, where there is not the room. A request that is alone
    /// gets what it asks for, or one that is larger than the room could never be served.
    pub(crate) fn grow(&mut self, by: usize) -> bool {
        let shared = &self.room.0;
        let before = shared.taken.fetch_add(by, Ordering::Relaxed);
        if before > self.bytes && before.saturating_add(by) > shared.most {
            shared.taken.fetch_sub(by, Ordering::Relaxed);
            return false;
        }
        self.bytes += by;
        true
    }

    /// Takes over what another of the same room holds.
    pub(crate) fn join(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.0.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_and_comes_back() {
        let room = Room::new(10);
        let mut first = room.hold(6).unwrap();
        assert!(room.hold(5).is_none());
        let second = room.hold(4).unwrap();
        assert!(!first.grow(1));
        drop(second);
        assert!(first.grow(4) && room.hold(1).is_none());
        // Alone, it may have more than there is.
        assert!(first.grow(90) && room.hold(0).is_none());
        drop(first);
        assert!(room.hold(10).is_some());
    }
}
