//! The client of the process: set once, found by every macro, layer and logger.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use logflux_envelope::Level;
use logflux_process::{Alive, AtExit, Living, at_exit, write_to_stderr};
use logflux_transport::{
    ApiError, BuildError, Client, ClientStats, ExitFlush, FlushTicket, Rotation, Unflushed,
};

use crate::config::Config;
use crate::own_thread::is_ours;

/// True from before the client is built until its guard is gone.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// The same client for the end of the process, which finds it without a lock and without memory.
static AT_EXIT: Living<Client> = Living::new();
/// Read without a lock, so that a fork finds none that is held.
static CLIENT: ArcSwapOption<Client> = ArcSwapOption::const_empty();
/// The number of the least severe level that is logged; 0 for none.
static LEVEL: AtomicU8 = AtomicU8::new(0);
/// How many milliseconds the end of the process waits at most.
static CLOSE_WITHIN: AtomicU64 = AtomicU64::new(0);
/// Whether the end of the process was asked to flush the client.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Sets the client of this process up. Everything that is logged from now on goes through it, until
/// the guard is dropped.
///
/// Nothing is sent, and no thread is started, before the first message. After a `fork` the child
/// logs as well, through threads and keys of its own.
///
/// Bind the guard to a name: `let _guard = …`. With `let _ = …` it would be dropped at once.
///
/// # Errors
/// [`InitError`] where the client cannot be built, or the guard of an earlier call still lives.
pub fn init(mut config: Config) -> Result<Guard, InitError> {
    if TAKEN.swap(true, Ordering::AcqRel) {
        return Err(InitError::Already);
    }
    let close_within = config.close_timeout();
    let milliseconds = u64::try_from(close_within.as_millis()).unwrap_or(u64::MAX);
    CLOSE_WITHIN.store(milliseconds, Ordering::Release);
    if !WATCHED.swap(true, Ordering::AcqRel) {
        at_exit::<Ending>();
    }
    let client = config.build().inspect_err(|_| TAKEN.store(false, Ordering::Release))?;
    let least = Level::ALL.into_iter().rfind(|level| client.is_enabled(*level));
    CLIENT.store(Some(Arc::new(client.clone())));
    LEVEL.store(least.map_or(0, Level::number), Ordering::Release);
    Ok(Guard { _at_exit: AT_EXIT.insert(client.clone()), client, close_within })
}

/// The client of this process, if [`init`] has set one up.
#[must_use]
pub fn client() -> Option<Client> {
    CLIENT.load().as_deref().cloned()
}

/// Goes on with another secret, API key or CA file, without a restart: the client of this process, if
/// [`init`] has set one up, as [`Client::rotate`] does. False where there is none.
///
/// ```no_run
/// use logflux::{Rotation, Secret};
///
/// logflux::rotate(Rotation::new().secret(Secret::generate()?))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ApiError`] where the CA file cannot be used. Then nothing is replaced.
pub fn rotate(rotation: Rotation) -> Result<bool, ApiError> {
    match client() {
        Some(client) => client.rotate(rotation).map(|()| true),
        None => Ok(false),
    }
}

/// Whether a message of this level would be logged. It costs a nanosecond.
#[inline]
#[must_use]
pub fn enabled(level: Level) -> bool {
    level.number() <= LEVEL.load(Ordering::Relaxed)
}

/// Calls `log` with the client, unless there is none or the thread is one of its own.
pub(crate) fn with_client(log: impl FnOnce(&Client)) {
    if let Some(client) = &*CLIENT.load()
        && !is_ours()
    {
        log(client);
    }
}

/// Flushes the client of a process that ends without dropping its guard.
///
/// It may run in a signal handler that calls `exit`, on a thread that was interrupted anywhere. So
/// it takes no lock and allocates nothing; the client's own threads do the work.
struct Ending;

impl AtExit for Ending {
    fn at_exit() {
        let within = close_within();
        let mut untold = false;
        AT_EXIT.visit(|client| untold |= client.flush_at_exit(within) == ExitFlush::Untold);
        if untold {
            write_to_stderr(
                b"logflux: at the end of the process not all messages were delivered in time\n",
            );
        }
    }
}

/// Closes the client of the process, if there is one, within the time that [`init`] was given.
pub(crate) fn close() {
    if let Some(client) = client() {
        // What is left is counted, and told by the client's own report of drops.
        let _ = client.close(close_within());
    }
}

/// How long the end of the process may wait.
pub(crate) fn close_within() -> Duration {
    Duration::from_millis(CLOSE_WITHIN.load(Ordering::Acquire))
}

/// Keeps the client of the process. When it is dropped, also while a panic unwinds, it waits until
/// everything is delivered or durable, for the time of [`Config::close_within`] at most, and closes
/// the client; what is logged after that goes nowhere.
///
/// `std::process::exit` drops no guard, but waits for the same time all the same, also in a signal
/// handler. `abort` and signals without a handler do not; for those that ask for an end there is
/// `close_on_termination`.
#[must_use = "the client is closed when its guard is dropped"]
pub struct Guard {
    _at_exit: Alive<Client>,
    client: Client,
    close_within: Duration,
}

impl Guard {
    /// Waits until all that was logged before is delivered, or, where there is a spool, durable in
    /// it. It returns within `timeout`, whatever the server does.
    ///
    /// # Errors
    /// [`Unflushed`] where a message was dropped since the client was built, or where the time was
    /// not enough; what is left stays in the queue or the spool.
    pub fn flush(&self, timeout: Duration) -> Result<(), Unflushed> {
        self.client.flush(timeout)
    }

    /// Begins to flush, and does not wait. The ticket tells when everything that was logged before is
    /// delivered, durable, or dropped; in an async function it can be awaited.
    pub fn flush_begin(&self) -> FlushTicket {
        self.client.flush_begin()
    }

    /// Flushes and ends the client, within `timeout`. Later messages are dropped and counted as
    /// such as long as the guard lives. A second call, or the drop of the guard, waits no more.
    ///
    /// # Errors
    /// [`Unflushed`] where any message of the client was dropped; what is left when the time is over
    /// stays in the spool, or is dropped and counted.
    pub fn close(&self, timeout: Duration) -> Result<(), Unflushed> {
        self.client.close(timeout)
    }

    /// Goes on with another secret, API key or CA file, without a restart, as
    /// [`Client::rotate`] does.
    ///
    /// # Errors
    /// [`ApiError`] where the CA file cannot be used. Then nothing is replaced.
    pub fn rotate(&self, rotation: Rotation) -> Result<(), ApiError> {
        self.client.rotate(rotation)
    }

    /// What became of all messages of this process.
    #[must_use]
    pub fn stats(&self) -> ClientStats {
        self.client.stats()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // What is left is counted, and told by the client's own report of drops.
        let _ = self.client.close(self.close_within);
        LEVEL.store(0, Ordering::Release);
        CLIENT.store(None);
        TAKEN.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("client", &self.client)
            .field("close_within", &self.close_within)
            .finish()
    }
}

/// Why the client of the process was not set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// There is one already.
    #[error("logflux is initialised already: drop the guard of the first init before the next")]
    Already,
    /// It cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
}
