//! Encrypted logs for Rust programs: every message is sealed inside the process, shipped over TLS,
//! and opened again only by whoever holds the secret.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use tracing_subscriber::prelude::*;
//!
//! // LOGFLUX_SERVER_URL, LOGFLUX_API_KEY, LOGFLUX_SECRET, …; flushes when it is dropped.
//! let _guard = logflux::init(logflux::Config::from_env()?)?;
//!
//! let id = 4711;
//! logflux::info!("user {id} logged in");                 // a macro for each of the eight levels
//!
//! tracing_subscriber::registry().with(logflux::layer()).init();
//! tracing::info!(user = id, "logged in");                // one JSON object, with its spans
//! # Ok(())
//! # }
//! ```
//!
//! A logging call copies its message into a bounded queue and returns: it never waits for the
//! network or a key, never fails and never panics. Threads of the client's own seal and ship; a full
//! queue drops messages by a policy, and counts them. See [`Config`] for what can be set, among it a
//! durable spool, and [`ClientStats`] for what is counted.
//!
//! # Ways to log
//! - [`init`] sets the client of the process up, and the macros ([`emergency!`] to [`debug!`], or
//!   [`log!`] with any [`Level`]) log through it. Where there is none they do nothing, so a library
//!   may use them.
//! - With the feature `tracing` (on by default) [`layer`] takes the events of `tracing`; [`Layer`]
//!   says how they look.
//! - With the feature `log` (on by default) [`init_log`] takes the records of the crate `log`;
//!   [`Logger`] says how they look.
//! - [`log_panics`] logs every panic.
//! - [`Client`] is what all of them use, and can be used by itself: [`Config::build`].
//!
//! # Where it works
//! Everything is blocking and stands on threads, so it works with any async runtime and without
//! one. The guard may be dropped inside a runtime, and while a panic unwinds. After a `fork` the
//! child logs its own messages, and none of its parent's. A process that is restored from a snapshot
//! calls [`after_restore`] first.
//!
//! In an async function await a ticket in place of [`Guard::flush`]. It is a future, which needs no
//! thread and works in any runtime; [`Guard::close`] then has little left to wait for, or goes through
//! the runtime's way for blocking calls. The example `tokio` is a service that shuts down in order.
//!
//! ```no_run
//! # async fn work(guard: &logflux::Guard) {
//! match guard.flush_begin().await {
//!     Ok(()) => {}                                       // delivered, or durable in the spool
//!     Err(unflushed) => eprintln!("{unflushed}"),        // says how many messages were dropped
//! }
//! # }
//! ```
//!
//! # How a process ends
//! | | what was logged before |
//! |---|---|
//! | the guard is dropped, also by a panic | is delivered within [`Config::close_within`] |
//! | `std::process::exit`, or the end of `main` | the same |
//! | a panic with `panic = "abort"` | the same after [`log_panics`], otherwise lost |
//! | `SIGTERM` (`docker stop`), ctrl-c, `SIGHUP` | the same after `close_on_termination`, or where a handler of the program's drops the guard; otherwise lost |
//! | `abort`, `SIGKILL`, other signals | is lost, but for what a spool holds |
//!
//! # Builds without optimisation
//! A key costs 1,200,000 SHA-256 blocks. On a processor with SHA-256 instructions (x86-64 with SHA-NI,
//! ARMv8) that takes some 50 ms in every build, a debug build as well. On others a debug build takes
//! seconds, and says so once on stderr, until the `Cargo.toml` of the application has
//!
//! ```toml
//! [profile.dev.package.logflux-kdf]
//! opt-level = 3
//! [profile.dev.package.sha2]
//! opt-level = 3
//! ```
//!
//! # Sealing and opening by hand
//! [`seal`] and [`open`] do one entry; a [`Sealer`] and an [`Opener`] do many, spending key
//! derivations on purpose; [`ClientConfig`] and a [`Shipper`] take sealed entries to an ingest API, and
//! an [`Api`] queries them back.

mod config;
mod global;
#[cfg(any(feature = "tracing", feature = "log"))]
mod json;
#[cfg(feature = "tracing")]
mod layer;
#[cfg(feature = "log")]
mod logger;
mod macros;
mod own_thread;
mod panics;
#[cfg(any(feature = "tracing", feature = "log"))]
mod sink;
#[cfg(unix)]
mod termination;
mod text;

pub use config::{Config, EnvironmentError};
pub use global::{Guard, InitError, client, enabled, init, rotate};
#[cfg(feature = "tracing")]
pub use layer::{Layer, layer};
pub use logflux_envelope::{
    Entry, EntryError, Field, Iv, KeyPolicy, KeyPolicyError, Keyring, KeyringError, Level, Message,
    Mode, Node, OpenError, Opener, Payload, Progress, RandomError, Salt, SealError, Sealer,
    SealerBuilder, SealerStats, Secret, SecretError, Stage, Timestamp, open, open_bytes, seal,
};
pub use logflux_process::after_restore;
pub use logflux_transport::{
    Api, ApiError, Backoff, BackoffFactor, BuildError, CallError, Client, ClientBuilder,
    ClientConfig, ClientStats, CloseTimeout, ConfigError, DropReason, DropReport, Dropped,
    Endpoint, EndpointError, FlushInterval, FlushTicket, HttpTimeout, InFlight, InitialDelay,
    MaxDelay, MaxRetries, OnDrop, Page, Proxy, ProxySetting, QueueBytes, QueueSize, Reason,
    Receipt, Refusal, Retry, RetryDeadline, Rotation, SecretSource, SecretSourceError, ShipError,
    Shipper, SpoolError, SpoolFull, SpoolMaxBytes, StatsInterval, SyncInterval, Trust, TrustError,
    Unflushed, WhenFull,
};
#[cfg(feature = "log")]
pub use logger::{Logger, init_log, logger};
#[doc(hidden)]
pub use macros::__log;
pub use panics::log_panics;
#[cfg(unix)]
pub use termination::close_on_termination;

/// The programs of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
