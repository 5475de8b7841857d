//! The end of the process, asked for by a thread that may have been interrupted anywhere.
//!
//! `exit` in a signal handler runs the handlers of `atexit` on a thread that may hold any lock, ours
//! or the allocator's. So that thread takes no lock and allocates nothing here: it leaves a note,
//! wakes the worker, and waits for a note of the worker's, for a bounded time.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::state::Shared;

/// What came of a flush at the end of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitFlush {
    /// Nothing was lost.
    Done,
    /// Something was lost, and a line on stderr says so.
    Told,
    /// Something may be lost, and nobody could be told.
    Untold,
}

/// What the thread that ends the process and the worker tell one another.
#[derive(Debug, Default)]
pub(crate) struct Exit {
    note: AtomicU8,
    /// How long the worker has, in milliseconds.
    time: AtomicU64,
}

const NOTHING: u8 = 0;
const ASKED: u8 = 1;
const DONE: u8 = 2;
const TOLD: u8 = 3;

impl Exit {
    /// How long the worker has to flush, if it was asked to.
    pub(crate) fn asked(&self) -> Option<Duration> {
        let asked = self.note.load(Ordering::Acquire) == ASKED;
        asked.then(|| Duration::from_millis(self.time.load(Ordering::Acquire)))
    }

    /// The worker has flushed, or told that it could not.
    pub(crate) fn answer(&self, told: bool) {
        self.note.store(if told { TOLD } else { DONE }, Ordering::Release);
    }
}

impl Shared {
    /// Flushes, with no lock and no allocation on this thread; see
    /// [`Client::flush_at_exit`](super::Client::flush_at_exit).
    pub(crate) fn flush_at_exit(&self, timeout: Duration) -> ExitFlush {
        /// How often the worker is woken. It may have been about to sleep.
        const AGAIN: Duration = Duration::from_millis(2);
        /// How long the worker may take to tell of what it could not flush.
        const LAST_WORDS: Duration = Duration::from_millis(100);
        if !self.worker_runs.load(Ordering::SeqCst) {
            let nothing = self.intake.waiting() == 0;
            return if nothing { ExitFlush::Done } else { ExitFlush::Untold };
        }
        let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self.exit.time.store(milliseconds, Ordering::Release);
        self.exit.note.store(ASKED, Ordering::Release);
        let begun = Instant::now();
        loop {
            match self.exit.note.load(Ordering::Acquire) {
                DONE => return ExitFlush::Done,
                TOLD => return ExitFlush::Told,
                _ if begun.elapsed() >= timeout.saturating_add(LAST_WORDS) => {
                    self.exit.note.store(NOTHING, Ordering::Release);
                    return ExitFlush::Untold;
                }
                _ => {
                    self.work.notify_all();
                    thread::sleep(AGAIN);
                }
            }
        }
    }
}
