//! The end of the process: what the clients hold is flushed.
//!
//! What the runtime calls at its end comes first: [`flush`]. What is logged after it, and the end of a
//! process whose main thread never loaded the SDK, is left to the C library's `atexit`. Both together keep
//! to the time of one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use logflux_process::{AtExit, at_exit, write_to_stderr};
use logflux_transport::ExitFlush;

use crate::clients;
use crate::tickets::FlushResult;

/// What is said of clients that were not flushed in time.
const UNFLUSHED: &[u8] =
    b"logflux: at the end of the process not all messages were delivered in time\n";

/// When [`flush`] began, in milliseconds since [`begin`]; 0 before.
static BEGAN: AtomicU64 = AtomicU64::new(0);

fn begin() -> Instant {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    *BEGIN.get_or_init(Instant::now)
}

/// Asks the C library to call us at the end. Once.
pub fn watch() {
    static ASKED: AtomicBool = AtomicBool::new(false);
    begin();
    if !ASKED.swap(true, Ordering::AcqRel) {
        // Where the system has no place for it, what the runtime calls must do.
        at_exit::<Ending>();
    }
}

/// Flushes every client, each within its `close_timeout`, and waits. It closes none: what is logged after
/// it is still delivered.
pub fn flush() -> FlushResult {
    let started = Instant::now();
    let since = u64::try_from(begin().elapsed().as_millis()).unwrap_or(u64::MAX);
    BEGAN.store(since.max(1), Ordering::Release);
    let mut found = FlushResult::default();
    let tickets: Vec<_> =
        clients::all().map(|shared| (shared.client.flush_begin(), shared)).collect();
    for (ticket, shared) in tickets {
        let left = shared.client.close_timeout().saturating_sub(started.elapsed());
        let result = FlushResult::from(ticket.wait(left));
        found.dropped += result.dropped;
        found.left += result.left;
    }
    found
}

/// What the C library calls at the end, for runtimes that end without it.
pub fn end() {
    Ending::at_exit();
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
