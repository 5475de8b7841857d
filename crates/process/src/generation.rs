//! How many forks lie between this process and the first that asked.

use std::sync::atomic::{AtomicU64, Ordering};

static FORKS: AtomicU64 = AtomicU64::new(0);

/// A number that stays the same for the life of a process, and is another in each of its children
/// and their children. It costs a nanosecond.
#[must_use]
pub fn generation() -> u64 {
    if watch() { FORKS.load(Ordering::Relaxed) } else { u64::from(std::process::id()) }
}

/// Asks to be told of forks. False where the system cannot tell.
#[cfg(unix)]
fn watch() -> bool {
    use std::sync::atomic::AtomicU8;

    const UNKNOWN: u8 = 0;
    const WATCHED: u8 = 1;
    const UNWATCHED: u8 = 2;
    // No lock: one that another thread held at a fork would hang the child. Threads that come first
    // may ask twice, and then a fork counts twice, which is as good.
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }

    match STATE.load(Ordering::Acquire) {
        WATCHED => return true,
        UNWATCHED => return false,
        _ => {}
    }
    // SAFETY: the handler is a function that lives as long as the program (the C library forgets it
    // when a library that holds it is unloaded), and adding to an atomic number is allowed in a child
    // of a process with several threads.
    #[allow(unsafe_code)]
    let watched = unsafe { libc::pthread_atfork(None, None, Some(in_child)) == 0 };
    STATE.store(if watched { WATCHED } else { UNWATCHED }, Ordering::Release);
    watched
}

/// There is no fork.
#[cfg(not(unix))]
fn watch() -> bool {
    true
}
