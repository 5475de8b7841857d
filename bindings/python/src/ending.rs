//! Callbacks from threads that are not Python's, and an interpreter that ends.
//!
//! A thread that asks for the interpreter's lock while the interpreter ends is ended with it, in the
//! midst of Rust's frames. So before that no callback is begun any more, and the one that runs is
//! waited for.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

static ENDED: AtomicBool = AtomicBool::new(false);
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// How long a callback may take while the interpreter ends.
const PATIENCE: Duration = Duration::from_secs(2);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a callback. What that logs goes nowhere: else every drop that is told
/// of could make another.
pub(crate) fn inside() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(true)
}

/// Calls back, unless the interpreter ends.
pub(crate) fn call_back(callback: impl FnOnce(Python<'_>)) {
    RUNNING.fetch_add(1, Ordering::SeqCst);
    if !ENDED.load(Ordering::SeqCst) {
        let _ = INSIDE.try_with(|inside| inside.set(true));
        Python::try_attach(callback);
        let _ = INSIDE.try_with(|inside| inside.set(false));
    }
    RUNNING.fetch_sub(1, Ordering::SeqCst);
}

/// Begins no callback any more, and waits for the one that runs. For the end of the interpreter.
#[pyfunction]
pub(crate) fn end_callbacks(py: Python<'_>) {
    ENDED.store(true, Ordering::SeqCst);
    py.detach(|| {
        let begun = Instant::now();
        while RUNNING.load(Ordering::SeqCst) > 0 && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    });
}
