//! The end of the process. JavaScript's listener of `exit` comes before the C library's `atexit`.

use std::sync::atomic::{AtomicBool, Ordering};

use logflux_host::ending;
use napi::Result;
use napi_derive::napi;

use crate::boundary::guarded;
use crate::logging::FlushResult;

/// Whether the main thread has a listener of `exit`.
static LISTENS: AtomicBool = AtomicBool::new(false);

/// The main thread has a listener of `exit`.
#[napi]
pub fn main_listens() {
    LISTENS.store(true, Ordering::Release);
}

/// Whether the main thread has a listener of `exit`, so that a worker need not wait at its end.
#[napi]
pub fn does_main_listen() -> bool {
    LISTENS.load(Ordering::Acquire)
}

/// Flushes every client, each within its `closeTimeout`. It closes none: what is logged after it is
/// still delivered.
#[napi]
pub fn flush_at_exit() -> Result<FlushResult> {
    guarded(|| Ok(ending::flush().into()))
}

/// What the C library calls at the end, for runtimes that end without it.
#[napi]
pub fn end_of_process() -> Result<()> {
    guarded(|| {
        ending::end();
        Ok(())
    })
}
