//! The client that an application logs through.
//!
//! A logging call copies its message into a bounded queue and returns; it never waits for the
//! network or a key (unless [`WhenFull::Block`] was chosen), never fails and never panics. One
//! worker thread takes messages from the queue, seals them, spools them where there is a spool, and
//! hands batches to sender threads, each of which makes one call at a time.
//!
//! From the caller to the server: `intake` (a `queue` of messages for every few threads) → `worker`
//! (seals, spools, decides) → `outbox` (sealed entries that wait: in memory, or in the spool) →
//! `schedule` (when the next call may be made: backoff, probes, and the `pace` under the server's
//! limit) → `sender` (the calls). `rotation` replaces what
//! they seal and call with. `state` holds what they share, and `core` is what callers do with
//! it. `ledger` counts what becomes of every message; it changes in the same moment as what it
//! counts, so that accepted = delivered + dropped + pending + spooled at every read. `tickets` tell
//! when a flush is done, and `exit` is the end of the process.
//!
//! After `fork` a child has a queue, threads, keys and a spool folder of its own, and none of its
//! parent's messages.

mod builder;
mod core;
mod exit;
mod intake;
mod ledger;
mod outbox;
mod pace;
mod queue;
mod report;
mod rotation;
mod schedule;
mod sender;
mod state;
mod stats;
mod tickets;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use logflux_envelope::{Level, Timestamp};
use logflux_process::PerProcess;

pub use builder::{BuildError, ClientBuilder, host_name};
pub use exit::ExitFlush;
pub use queue::WhenFull;
pub use report::{DropReport, OnDrop};
pub use rotation::Rotation;
pub use stats::{ClientStats, DropReason, Dropped};
pub use tickets::{FlushTicket, Unflushed};

use self::builder::Config;
use self::core::Core;
use crate::api::ApiError;
use crate::spool::Spool;

/// Logs through one ingest API, as one node, with one secret. Clones are the same client.
///
/// ```no_run
/// use std::time::Duration;
/// use logflux_transport::{Client, ClientConfig, SecretSource};
///
/// let config = ClientConfig::from_env()?;
/// let secret = SecretSource::from_env()?.load_within(config.secret_command_timeout.get())?;
/// let client = Client::builder(config, secret).build()?;
/// client.info("user 4711 logged in");
/// client.close(Duration::from_secs(5))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<Config>,
    cores: PerProcess<Core>,
}

impl Client {
    pub(crate) fn new(config: Config, spool: Option<Spool>) -> Self {
        let config = Arc::new(config);
        let core = Core::new(Arc::clone(&config), spool);
        Self { inner: Arc::new(Inner { config, cores: PerProcess::new(core) }) }
    }

    /// Logs a message now. It is dropped, and counted, where the queue is full or the message too
    /// long.
    pub fn log(&self, level: Level, message: &str) {
        if level <= self.inner.config.settings.min_level {
            self.log_at(level, message, Timestamp::now());
        }
    }

    /// Logs a message of this time.
    pub fn log_at(&self, level: Level, message: &str, timestamp: Timestamp) {
        self.log_bytes(level, message.as_bytes(), timestamp);
    }

    /// Logs a message whatever its bytes are.
    pub fn log_bytes(&self, level: Level, message: &[u8], timestamp: Timestamp) {
        if level <= self.inner.config.settings.min_level {
            self.core().log(level, message, timestamp);
        }
    }

    /// As [`log_bytes`](Self::log_bytes), but never waits: false where [`WhenFull::Block`] was chosen and
    /// there is no room. Then the message is neither taken nor counted, and is to be offered again.
    #[must_use]
    pub fn offer_bytes(&self, level: Level, message: &[u8], timestamp: Timestamp) -> bool {
        level > self.inner.config.settings.min_level || self.core().offer(level, message, timestamp)
    }

    /// Whether a message of this level would be logged.
    #[must_use]
    pub fn is_enabled(&self, level: Level) -> bool {
        level <= self.inner.config.settings.min_level
    }

    /// Waits until every message that was logged before is delivered, or, where there is a spool,
    /// durable in it. It returns within `timeout`, whatever the server does.
    ///
    /// # Errors
    /// [`Unflushed`] where one of them was dropped, now or since the client was built, or where the
    /// time was not enough; what is left stays in the queue or the spool.
    pub fn flush(&self, timeout: Duration) -> Result<(), Unflushed> {
        self.flush_begin().wait(timeout)
    }

    /// Begins to flush, and does not wait: the ticket tells when every message that was logged
    /// before is delivered, durable, or dropped.
    pub fn flush_begin(&self) -> FlushTicket {
        self.core().flush_begin()
    }

    /// Flushes, and ends the client: later messages are dropped and counted. It returns within
    /// `timeout`; what is left then stays in the spool, or is dropped and counted.
    ///
    /// # Errors
    /// [`Unflushed`] where any message of the client was dropped, or is neither delivered nor
    /// durable.
    pub fn close(&self, timeout: Duration) -> Result<(), Unflushed> {
        self.core().close(timeout)
    }

    /// Flushes as the process ends, on a thread that a signal may have interrupted anywhere: it
    /// takes no lock and allocates nothing, leaves the work to the client's own threads, and returns
    /// within `timeout` and 100 ms. The client is not closed.
    #[must_use]
    pub fn flush_at_exit(&self, timeout: Duration) -> ExitFlush {
        match self.inner.cores.existing() {
            Some(core) => core.flush_at_exit(timeout),
            None => ExitFlush::Done,
        }
    }

    /// Goes on with another secret, API key or CA file, without a restart.
    ///
    /// A new secret seals the messages that are taken from the queue from now on. A new key or CA file
    /// is used by the requests that begin from now on; messages that waited because the old one was
    /// refused are tried at once. Entries that are sealed already keep their bytes, in memory and in
    /// the spool.
    ///
    /// Any thread may call it, also in a callback of the client. It waits for no request and derives
    /// no key. A child of a later `fork` goes on with the new values; a process that exists already
    /// rotates for itself.
    ///
    /// # Errors
    /// [`ApiError`] where the CA file cannot be used. Then nothing is replaced.
    pub fn rotate(&self, rotation: Rotation) -> Result<(), ApiError> {
        let other_calls = self.inner.config.rotating.rotate(rotation)?;
        // A child that has not logged yet begins with the new values.
        if let Some(core) = self.inner.cores.existing() {
            core.rotated(other_calls);
        }
        Ok(())
    }

    /// How long the end of the process may wait for this client
    /// ([`ClientConfig::close_timeout`](crate::ClientConfig::close_timeout)).
    #[must_use]
    pub fn close_timeout(&self) -> Duration {
        self.inner.config.settings.close_timeout.get()
    }

    /// How many bytes a message may have; a longer one is dropped.
    #[must_use]
    pub fn message_max(&self) -> usize {
        self.inner.config.message_max
    }

    /// What became of all messages of this process.
    #[must_use]
    pub fn stats(&self) -> ClientStats {
        self.core().stats()
    }

    fn core(&self) -> &Core {
        // A child of a fork opens a spool of its own, on its worker thread.
        self.inner.cores.get(|| Core::new(Arc::clone(&self.inner.config), None))
    }
}

macro_rules! level_methods {
    ($($method:ident $level:ident)*) => {
        /// A method for every level, each as [`log`](Self::log).
        impl Client {
            $(
                #[doc = concat!("Logs a message of the level [`", stringify!($level), "`](Level::", stringify!($level), ").")]
                pub fn $method(&self, message: &str) {
                    self.log(Level::$level, message);
                }
            )*
        }
    };
}

level_methods! {
    emergency Emergency
    alert Alert
    critical Critical
    error Error
    warning Warning
    notice Notice
    info Info
    debug Debug
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.inner.config.settings.endpoint)
            .field("node", &self.inner.config.node)
            .finish_non_exhaustive()
    }
}
