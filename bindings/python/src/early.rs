//! What handlers log before there is a client: a bounded number of records waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use logflux_envelope::{Level, Timestamp};
use logflux_process::generation;

/// How many records may wait.
const RECORDS_MAX: usize = 1_000;
/// How many bytes they may have together.
const BYTES_MAX: usize = 1 << 20;

/// Whether records wait at all: not where LogFlux is switched off.
static WAITS: AtomicBool = AtomicBool::new(true);

/// One record.
pub(crate) type Record = (Level, Vec<u8>, Timestamp);

#[derive(Default)]
pub(crate) struct Early {
    /// The process that they are of: a child of a fork does not log its parent's.
    generation: u64,
    pub(crate) records: Vec<Record>,
    bytes: usize,
    /// How many more there were.
    pub(crate) more: u64,
}

/// The interpreter's lock is held where this is, so that a fork finds it free.
static EARLY: Mutex<Option<Early>> = Mutex::new(None);

fn early() -> MutexGuard<'static, Option<Early>> {
    EARLY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a record would be kept.
pub(crate) fn waits() -> bool {
    WAITS.load(Ordering::Acquire)
}

/// Keeps a record until there is a client. The first ones stay: they say how the program began.
pub(crate) fn keep(level: Level, message: Vec<u8>, timestamp: Timestamp) {
    let mut held = early();
    let now = generation();
    if held.as_ref().is_none_or(|early| early.generation != now) {
        *held = Some(Early { generation: now, ..Early::default() });
    }
    let Some(early) = held.as_mut() else { return };
    if early.records.len() >= RECORDS_MAX || early.bytes + message.len() > BYTES_MAX {
        early.more += 1;
        return;
    }
    early.bytes += message.len();
    early.records.push((level, message, timestamp));
}

/// Takes what waits.
pub(crate) fn take() -> Early {
    let taken = early().take().unwrap_or_default();
    if taken.generation == generation() { taken } else { Early::default() }
}

/// Begins to keep records, or ends it, and forgets what waits.
pub(crate) fn restart(waits: bool) {
    WAITS.store(waits, Ordering::Release);
    *early() = None;
}
