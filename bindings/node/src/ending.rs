//! The end of the process: what the clients hold is flushed.
//!
//! JavaScript's listener of `exit` comes first. What is logged after it, and the end of a process
//! whose main thread never loaded the package, is left to the C library's `atexit`. Both together keep
//! to the time of one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use logflux_process::{AtExit, at_exit, write_to_stderr};
use logflux_transport::ExitFlush;
use napi::Result;
use napi_derive::napi;

use crate::boundary::guarded;
use crate::clients;
use crate::tickets::FlushResult;

/// What is said of clients that were not flushed in time.
const UNFLUSHED: &[u8] =
    b"logflux: at the end of the process not all messages were delivered in time\n";

/// Whether the main thread has a listener of `exit`.
static LISTENS: AtomicBool = AtomicBool::new(false);
/// When that listener began, in milliseconds since [`begin`]; 0 before.
static BEGAN: AtomicU64 = AtomicU64::new(0);

fn begin() -> Instant {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    *BEGIN.get_or_init(Instant::now)
}

/// Asks the C library to call us at the end. Once.
pub(crate) fn watch() {
    static ASKED: AtomicBool = AtomicBool::new(false);
    begin();
    if !ASKED.swap(true, Ordering::AcqRel) {
        // Where the system has no place for it, the listener must do.
        at_exit::<Ending>();
    }
}

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
    guarded(|| {
        let started = Instant::now();
        let since = u64::try_from(begin().elapsed().as_millis()).unwrap_or(u64::MAX);
        BEGAN.store(since.max(1), Ordering::Release);
        let mut found = FlushResult { dropped: 0.0, left: 0.0 };
        let tickets: Vec<_> =
            clients::all().map(|shared| (shared.client.flush_begin(), shared)).collect();
        for (ticket, shared) in tickets {
            let left = shared.client.close_timeout().saturating_sub(started.elapsed());
            let result = FlushResult::from(ticket.wait(left));
            found.dropped += result.dropped;
            found.left += result.left;
        }
        Ok(found)
    })
}

/// What the C library calls at the end, for runtimes that end without it.
#[napi]
pub fn end_of_process() -> Result<()> {
    guarded(|| {
        Ending::at_exit();
        Ok(())
    })
}

struct Ending;

impl AtExit for Ending {
    fn at_exit() {
        let began = match BEGAN.load(Ordering::Acquire) {
            0 => begin().elapsed(),
            since => Duration::from_millis(since),
        };
        let mut unflushed = false;
        clients::visit(|shared| {
            let elapsed = begin().elapsed().saturating_sub(began);
            let left = shared.client.close_timeout().saturating_sub(elapsed);
            unflushed |= shared.client.flush_at_exit(left) == ExitFlush::Untold;
        });
        if unflushed {
            write_to_stderr(UNFLUSHED);
        }
    }
}
