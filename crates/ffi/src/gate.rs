//! Calling functions of C's, and never after the client is freed.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use logflux_process::{PerProcess, this_thread};

use crate::boundary::outside;
use crate::ending::{Calls, is_ending};

type Function<T> = extern "C" fn(context: *mut c_void, value: *const T);

/// A function of C's that is told of a `T`, and what it is called with.
pub(crate) struct Callback<T> {
    function: Function<T>,
    context: *mut c_void,
}

impl<T> Callback<T> {
    pub(crate) fn new(function: Option<Function<T>>, context: *mut c_void) -> Option<Self> {
        function.map(|function| Self { function, context })
    }
}

impl<T> Clone for Callback<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Callback<T> {}

// SAFETY: the context is only handed back to the function, and the page of conventions says that
// this happens on another thread than the one that set it.
unsafe impl<T> Send for Callback<T> {}
// SAFETY: as above; the calls themselves are made one at a time, under the gate's lock.
unsafe impl<T> Sync for Callback<T> {}

/// Lets calls through until it is shut. It keeps an `S`, what was told until now. Each process of a
/// fork has its own lock.
pub(crate) struct Gate<T, S> {
    callback: Callback<T>,
    state: PerProcess<State<S>>,
}

#[derive(Default)]
struct State<S> {
    /// Which thread is inside a call; 0 for none.
    thread: AtomicUsize,
    told: Mutex<Told<S>>,
}

#[derive(Default)]
struct Told<S> {
    shut: bool,
    told: S,
}

impl<T, S: Default> Gate<T, S> {
    pub(crate) fn new(callback: Callback<T>) -> Self {
        Self { callback, state: PerProcess::new(State::default()) }
    }

    /// Tells of a value that `told` is brought up to, unless that is not to be done any more.
    pub(crate) fn tell(&self, value: impl FnOnce(&mut S) -> T) {
        let state = self.state();
        let mut told = state.lock();
        if !told.shut && !is_ending() {
            let value = value(&mut told.told);
            self.call(state, &value);
        }
    }

    /// Tells of what was not told of yet, if anything, and never again.
    pub(crate) fn shut(&self, rest: impl FnOnce(&S) -> Option<T>) {
        let state = self.state();
        // Freeing a client from inside its own callback is not allowed; waiting for the end of that
        // callback here would never end.
        if state.is_on_this_thread() {
            return;
        }
        let mut told = state.lock();
        if !told.shut
            && let Some(rest) = rest(&told.told)
        {
            self.call(state, &rest);
        }
        told.shut = true;
    }

    fn call(&self, state: &State<S>, value: &T) {
        state.thread.store(this_thread(), Ordering::Release);
        outside(|| (self.callback.function)(self.callback.context, value));
        state.thread.store(0, Ordering::Release);
    }

    fn state(&self) -> &State<S> {
        self.state.get(State::default)
    }
}

impl<S> State<S> {
    /// Whether this thread is inside a call.
    fn is_on_this_thread(&self) -> bool {
        self.thread.load(Ordering::Acquire) == this_thread()
    }

    fn lock(&self) -> MutexGuard<'_, Told<S>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, S: Send> Calls for Gate<T, S> {
    fn is_on_this_thread(&self) -> bool {
        self.state.existing().is_some_and(State::is_on_this_thread)
    }
}
