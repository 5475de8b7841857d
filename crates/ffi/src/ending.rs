//! The end of a process that has not freed its clients: what they hold is flushed.
//!
//! A host may call `exit` in a signal handler. POSIX forbids it, and many programs do it. The thread
//! was then interrupted anywhere: with a lock of ours held, or one of the allocator's. So nothing
//! here locks, allocates, or starts a thread once the end has begun; the clients' own threads do all
//! of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use logflux_process::{Alive, AtExit, Living, at_exit, write_to_stderr};
use logflux_transport::{Client, ExitFlush};

/// What is said of clients that were not flushed in time.
const UNFLUSHED: &[u8] =
    b"logflux: at the end of the process not all messages were delivered in time\n";
/// What is said where the process ends inside a callback.
const INSIDE: &[u8] =
    b"logflux: the process ends inside a callback of a client, which is not flushed\n";

/// The clients that are not freed.
static CLIENTS: Living<Ended> = Living::new();
/// Whether the end of the process was asked to call us.
static ASKED: AtomicBool = AtomicBool::new(false);
/// Whether the process ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// What the end of the process needs of a client.
struct Ended {
    client: Client,
    callbacks: Vec<Arc<dyn Calls>>,
}

/// What calls functions of the host's.
pub(crate) trait Calls: Send + Sync {
    /// Whether this thread is inside such a call. Takes no lock.
    fn is_on_this_thread(&self) -> bool;
}

/// Whether the process has begun to end, so that what callbacks would use may be gone: a context on
/// the stack of `main`, for one.
pub(crate) fn is_ending() -> bool {
    ENDING.load(Ordering::Acquire)
}

/// A client that is flushed at the end of the process, unless this is dropped before.
pub(crate) struct Watched {
    _alive: Alive<Ended>,
}

impl Watched {
    pub(crate) fn new(client: &Client, callbacks: Vec<Arc<dyn Calls>>) -> Self {
        if !ASKED.swap(true, Ordering::AcqRel) {
            // Where the system has no place for it, clients are to be closed by the program.
            at_exit::<Ending>();
        }
        Self { _alive: CLIENTS.insert(Ended { client: client.clone(), callbacks }) }
    }
}

struct Ending;

impl AtExit for Ending {
    /// Flushes, and closes nothing: a handler of the host's that was registered earlier runs later,
    /// and may still log, close and free.
    fn at_exit() {
        ENDING.store(true, Ordering::Release);
        let begun = Instant::now();
        let (mut unflushed, mut inside) = (false, false);
        CLIENTS.visit(|ended| {
            // A callback that ends the process is on the very thread that would flush.
            if ended.callbacks.iter().any(|calls| calls.is_on_this_thread()) {
                inside = true;
            } else {
                let left = ended.client.close_timeout().saturating_sub(begun.elapsed());
                unflushed |= ended.client.flush_at_exit(left) == ExitFlush::Untold;
            }
        });
        for (lost, line) in [(unflushed, UNFLUSHED), (inside, INSIDE)] {
            if lost {
                write_to_stderr(line);
            }
        }
    }
}
