//! How many forks lie between this process and the first that asked.

use std::sync::atomic::{AtomicU64, Ordering};

static FORKS: AtomicU64 = AtomicU64::new(0);

/// A number that stays the same for the life of a process, and is another in each of its children
/// and their children. It costs a nanosecond.
#[must_use]
pub fn generation() -> u64 {
    if watch() { FORKS.load(Ordering::Relaxed) } else { u64::from(std::process::id()) }
}

/// Asks, once, to be told of forks. False where the system cannot tell.
#[cfg(unix)]
fn watch() -> bool {
    use std::sync::OnceLock;

    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }

    static WATCHED: OnceLock<bool> = OnceLock::new();
    #[allow(unsafe_code)]
    *WATCHED.get_or_init(|| {
        // SAFETY: the handler is a function that lives as long as the program (the C library
        // forgets it when a library that holds it is unloaded), and adding to an atomic number is
        // allowed in a child of a process with several threads.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) == 0 }
    })
}

/// There is no fork.
#[cfg(not(unix))]
fn watch() -> bool {
    true
}
