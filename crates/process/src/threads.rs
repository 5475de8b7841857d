//! Threads of our own, to which the system gives no signal of the host's.
//!
//! A thread of ours must not run a handler of the program that we are part of, which may expect its
//! own thread; and it must not end that program by writing to a pipe that nobody reads any more
//! (`SIGPIPE`), as stderr can be. A thread inherits the mask of the one that starts it, and has it
//! from its first instruction: it cannot block signals itself soon enough. One that came between
//! would run the handler here, and interrupt nothing in the thread that waits for it.

use std::io;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

use crate::signals::with_signals_blocked;

/// Starts a thread that no signal reaches, nor those that it starts. The name has up to 15 bytes.
///
/// # Errors
/// Where the system has no thread to give.
pub fn start_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    with_signals_blocked(|| Builder::new().name(name.to_owned()).spawn(work))
}

/// As [`start_thread`], for a thread that ends within `scope`.
///
/// # Errors
/// Where the system has no thread to give.
pub fn start_scoped_thread<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    with_signals_blocked(|| Builder::new().name(name.to_owned()).spawn_scoped(scope, work))
}
