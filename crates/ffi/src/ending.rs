//! The end of a process that has not freed its clients: what they hold is flushed.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use logflux_process::{AtExit, at_exit, block_signals};
use logflux_transport::Client;

use crate::gate;

/// The clients that are not freed, each with its number. Never locked, so that the child of a fork
/// finds no lock that is held; `None` where there are none, so that nothing is left allocated.
static CLIENTS: ArcSwapOption<Vec<(u64, Client)>> = ArcSwapOption::const_empty();
static NEXT: AtomicU64 = AtomicU64::new(0);
/// Whether the end of the process was asked to call us.
static ASKED: AtomicBool = AtomicBool::new(false);
/// Whether the process ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Whether the process has begun to end, so that what callbacks would use may be gone: a context on
/// the stack of `main`, for one.
pub(crate) fn is_ending() -> bool {
    ENDING.load(Ordering::Acquire)
}

/// A client that is flushed at the end of the process, unless this is dropped before.
pub(crate) struct Watched(u64);

impl Watched {
    pub(crate) fn new(client: &Client) -> Self {
        if !ASKED.swap(true, Ordering::AcqRel) {
            // Where the system has no place for it, clients are to be closed by the program.
            at_exit::<Ending>();
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        change(|clients| clients.push((number, client.clone())));
        Self(number)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        change(|clients| clients.retain(|(number, _)| *number != self.0));
    }
}

fn change(change: impl Fn(&mut Vec<(u64, Client)>)) {
    CLIENTS.rcu(|old| {
        let mut clients = old.as_deref().cloned().unwrap_or_default();
        change(&mut clients);
        (!clients.is_empty()).then(|| Arc::new(clients))
    });
}

struct Ending;

impl AtExit for Ending {
    /// Flushes, and closes nothing: a handler of the host's that was registered earlier runs later,
    /// and may still log, close and free.
    fn at_exit() {
        ENDING.store(true, Ordering::Release);
        // A callback that ends the process is on the very thread that a flush would wait for.
        if gate::is_inside() {
            return;
        }
        let begun = Instant::now();
        for (_, client) in CLIENTS.load_full().iter().flat_map(|clients| clients.iter()) {
            if let Err(unflushed) =
                client.flush(client.close_timeout().saturating_sub(begun.elapsed()))
            {
                tell(format!("logflux: at the end of the process {unflushed}\n"));
            }
        }
    }
}

/// Writes a line to stderr, if that takes it at once. On a thread of its own, since a closed stderr
/// raises a signal on the thread that writes, and the host's own must not get it.
fn tell(line: String) {
    let (done, written) = mpsc::channel();
    let write = move || {
        block_signals();
        let _ = std::io::stderr().write_all(line.as_bytes());
        let _ = done.send(());
    };
    // Where no thread can be had, nobody is told.
    if thread::Builder::new().spawn(write).is_ok() {
        let _ = written.recv_timeout(Duration::from_millis(100));
    }
}
