//! The values that live when the process ends, found without a lock and without memory.

use std::cell::UnsafeCell;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

/// A list of values, each of which lives until its [`Alive`] is dropped.
///
/// The end of a process may come in a signal handler, whose thread was interrupted anywhere: with a
/// lock of ours held, or the allocator's. So [`visit`](Self::visit) takes none and allocates
/// nothing, and neither do threads that insert and remove wait for it.
///
/// A place in the list is used again, and never freed.
pub struct Living<T: 'static> {
    first: AtomicPtr<Place<T>>,
}

struct Place<T> {
    state: AtomicU8,
    value: UnsafeCell<Option<T>>,
    next: *mut Self,
}

/// Nobody uses the place.
const FREE: u8 = 0;
/// The thread that set this state alone uses the value.
const BUSY: u8 = 1;
/// There is a value.
const HELD: u8 = 2;
/// The value is being visited.
const VISITED: u8 = 3;
/// The value was removed while it was visited. It stays, since the process ends.
const LEFT: u8 = 4;

// SAFETY: a value is reached by shared reference in `visit` alone, and by the one thread that has
// set its place's state to `BUSY`; it is dropped by whichever thread removes it.
#[allow(unsafe_code)]
unsafe impl<T: Send + Sync> Sync for Living<T> {}

/// Keeps a value in its list until it is dropped.
pub struct Alive<T: Send + Sync + 'static>(&'static Place<T>);

// SAFETY: as above; `next` is not changed once the place is in the list.
#[allow(unsafe_code)]
unsafe impl<T: Send + Sync> Send for Alive<T> {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl<T: Send + Sync> Sync for Alive<T> {}

impl<T: Send + Sync> Living<T> {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Puts a value into the list.
    pub fn insert(&'static self, value: T) -> Alive<T> {
        let place =
            self.places().find(|place| place.step(FREE, BUSY)).unwrap_or_else(|| self.grow());
        place.replace(Some(value));
        place.state.store(HELD, Ordering::Release);
        Alive(place)
    }

    /// Calls `visit` with every value that lives. A value that another thread inserts, removes or
    /// visits at this moment is left out.
    pub fn visit(&'static self, mut visit: impl FnMut(&T)) {
        for place in self.places().filter(|place| place.step(HELD, VISITED)) {
            // SAFETY: in the state `VISITED` nobody changes the value.
            #[allow(unsafe_code)]
            let value = unsafe { &*place.value.get() };
            if let Some(value) = value {
                visit(value);
            }
            place.step(VISITED, HELD);
        }
    }

    fn places(&self) -> impl Iterator<Item = &'static Place<T>> {
        let mut next = self.first.load(Ordering::Acquire);
        std::iter::from_fn(move || {
            // SAFETY: a place that is in the list is never freed.
            #[allow(unsafe_code)]
            let place = unsafe { next.as_ref() }?;
            next = place.next;
            Some(place)
        })
    }

    /// A new place, which is busy.
    fn grow(&self) -> &'static Place<T> {
        let mut first = self.first.load(Ordering::Acquire);
        let place = Box::into_raw(Box::new(Place {
            state: AtomicU8::new(BUSY),
            value: UnsafeCell::new(None),
            next: first,
        }));
        while let Err(other) =
            self.first.compare_exchange(first, place, Ordering::AcqRel, Ordering::Acquire)
        {
            first = other;
            // SAFETY: nobody else has seen the place yet.
            #[allow(unsafe_code)]
            unsafe {
                (*place).next = first;
            }
        }
        // SAFETY: it was just allocated, and is never freed.
        #[allow(unsafe_code)]
        unsafe {
            &*place
        }
    }
}

impl<T> Place<T> {
    fn step(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Changes the value. The caller has made the place busy.
    fn replace(&self, value: Option<T>) -> Option<T> {
        // SAFETY: nobody but the thread that made the place busy touches the value.
        #[allow(unsafe_code)]
        unsafe {
            std::mem::replace(&mut *self.value.get(), value)
        }
    }
}

impl<T: Send + Sync> Drop for Alive<T> {
    fn drop(&mut self) {
        while !self.0.step(HELD, BUSY) {
            if self.0.step(VISITED, LEFT) {
                return;
            }
        }
        let value = self.0.replace(None);
        self.0.state.store(FREE, Ordering::Release);
        drop(value);
    }
}

impl<T: Send + Sync> Default for Living<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Living<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Living").finish_non_exhaustive()
    }
}

impl<T: Send + Sync> fmt::Debug for Alive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alive").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    fn seen(list: &'static Living<Arc<u32>>) -> Vec<u32> {
        let mut seen = Vec::new();
        list.visit(|value| seen.push(**value));
        seen.sort_unstable();
        seen
    }

    #[test]
    fn what_lives_is_seen_and_what_was_dropped_is_not() {
        static LIST: Living<Arc<u32>> = Living::new();
        let first = Arc::new(1);
        let alive = LIST.insert(Arc::clone(&first));
        let second = LIST.insert(Arc::new(2));
        assert_eq!(seen(&LIST), [1, 2]);
        drop(alive);
        assert_eq!((seen(&LIST), Arc::strong_count(&first)), (vec![2], 1));
        let third = LIST.insert(Arc::new(3));
        assert_eq!((seen(&LIST), LIST.places().count()), (vec![2, 3], 2));
        drop((second, third));
        assert_eq!(seen(&LIST), []);
    }

    #[test]
    fn a_value_that_is_removed_while_it_is_visited_stays() {
        static LIST: Living<Arc<u32>> = Living::new();
        let mut alive = Some(LIST.insert(Arc::new(7)));
        LIST.visit(|value| {
            drop(alive.take());
            assert_eq!((**value, Arc::strong_count(value)), (7, 1));
        });
        assert_eq!(seen(&LIST), []);
    }

    #[test]
    fn threads_insert_remove_and_visit_at_once() {
        static LIST: Living<Arc<u32>> = Living::new();
        let values: Vec<Arc<u32>> = (0..4).map(Arc::new).collect();
        thread::scope(|scope| {
            for value in &values {
                scope.spawn(move || {
                    for _ in 0..10_000 {
                        drop(LIST.insert(Arc::clone(value)));
                    }
                });
            }
            scope.spawn(|| (0..1_000).for_each(|_| assert!(seen(&LIST).iter().all(|n| *n < 4))));
        });
        assert_eq!(seen(&LIST), []);
    }
}
