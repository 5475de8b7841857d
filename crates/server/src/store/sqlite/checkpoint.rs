//! Brings what is in the write-ahead log into the store's file, beside the writer.
//!
//! The writer would otherwise do that itself, and hold up those who wait. The log begins anew only
//! when all of it is in the file, which never is while entries keep coming: so when it has become
//! long, the writer is asked to bring in the little that is left.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::notices::Notices;
use super::schema;
use crate::sampling;
use crate::store::{Notice, StoreError};

/// The pause between two checkpoints; what is written often in between is brought in once.
const PAUSE: Duration = Duration::from_millis(300);

/// Pages of 4 KiB in a log that is long: 32 MiB.
const LONG: i64 = 8_192;

/// In a log that is told of: 256 MiB.
const LARGE: i64 = 65_536;

/// In a log that may not grow: 1 GiB. Only another process that reads for long brings it so far.
const FULL: i64 = 262_144;

/// A page, and what stands before it in the log.
const PAGE: i64 = 4_096 + 24;

#[derive(Debug)]
pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    long: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(path: PathBuf, notices: Notices) -> Result<Self, StoreError> {
        let (wake, woken) = sync_channel(1);
        let long = Arc::new(AtomicBool::new(false));
        let full = Arc::new(AtomicBool::new(false));
        let tell = (Arc::clone(&long), Arc::clone(&full));
        let thread = std::thread::Builder::new()
            .name("logflux-checkpoint".to_owned())
            .spawn(move || run(&path, &woken, &tell, &notices))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { wake: Some(wake), long, full, thread: Some(thread) })
    }

    /// Something was written.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // It is awake already, where this fails.
            wake.try_send(()).ok();
        }
    }

    /// Whether the log may not grow.
    pub(super) fn full(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.full)
    }

    /// Whether the writer shall bring in the rest; asked once.
    pub(super) fn is_long(&self) -> bool {
        self.long.swap(false, Ordering::Relaxed)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn run(
    path: &std::path::Path,
    woken: &Receiver<()>,
    (long, full): &(Arc<AtomicBool>, Arc<AtomicBool>),
    notices: &Notices,
) {
    let mut connection = None;
    while woken.recv().is_ok() {
        loop {
            let done = match connection.take() {
                Some(open) => Ok(open),
                None => schema::open_plain(path),
            }
            .and_then(|open| Ok((bring_in(&open)?, open)));
            match done {
                Ok((pages, open)) => {
                    long.store(pages > LONG, Ordering::Relaxed);
                    full.store(pages > FULL, Ordering::Relaxed);
                    notices.meter().log.set(pages.max(0) * PAGE);
                    if pages > LARGE {
                        let bytes = (pages * PAGE).unsigned_abs();
                        notices.tell(Notice::LogLarge { bytes });
                    }
                    connection = Some(open);
                }
                Err(error) => {
                    if let Some(missed) = sampling::passes("checkpoint_fails") {
                        tracing::warn!(%error, missed, "the store's log is not brought in");
                    }
                }
            }
            match woken_within(PAUSE, woken) {
                Some(true) => {}
                // Where nothing may be written, only a look says when it may again.
                Some(false) if full.load(Ordering::Relaxed) => {}
                Some(false) => break,
                None => return,
            }
        }
    }
}

/// Waits for the whole time; whether something was written meanwhile. None at the end.
fn woken_within(time: Duration, woken: &Receiver<()>) -> Option<bool> {
    let end = Instant::now() + time;
    let mut any = false;
    loop {
        match woken.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(()) => any = true,
            Err(RecvTimeoutError::Timeout) => return Some(any),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Brings in what it can; a log that may not grow is begun anew as well, where nobody reads it.
fn bring_in(connection: &Connection) -> Result<i64, StoreError> {
    let pages = checkpoint(connection)?;
    if pages <= FULL {
        return Ok(pages);
    }
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(1))?)
}

/// Brings in what no reader needs any more where it was; gives the log's length in pages.
pub(super) fn checkpoint(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?)
}
