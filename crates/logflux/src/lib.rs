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
//! - [`Client`] is what all of them use, and can be used by itself: [`Config::build`].
//!
//! # Where it works
//! Everything is blocking and stands on threads, so it works with any async runtime and without
//! one. The guard may be dropped inside a runtime, and while a panic unwinds. After a `fork` the
//! child logs its own messages, and none of its parent's. `std::process::exit` drops no guard, but
//! closes the client of the process all the same; `abort`, or a signal that is not handled, does not.
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
#[cfg(any(feature = "tracing", feature = "log"))]
mod sink;
mod text;

pub use config::{Config, EnvironmentError};
pub use global::{Guard, InitError, client, enabled, init};
#[cfg(feature = "tracing")]
pub use layer::{Layer, layer};
pub use logflux_envelope::{
    Entry, EntryError, Field, Iv, KeyPolicy, KeyPolicyError, Keyring, KeyringError, Level, Message,
    Mode, Node, OpenError, Opener, Payload, Progress, RandomError, Salt, SealError, Sealer,
    SealerBuilder, SealerStats, Secret, SecretError, Stage, Timestamp, open, open_bytes, seal,
};
pub use logflux_transport::{
    Api, Backoff, BackoffFactor, BuildError, CallError, Client, ClientBuilder, ClientConfig,
    ClientStats, CloseTimeout, ConfigError, DropReason, Dropped, Endpoint, EndpointError,
    FlushInterval, HttpTimeout, InFlight, InitialDelay, MaxDelay, MaxRetries, OnDrop, Page,
    ProxySetting, ProxyUrl, QueueBytes, QueueSize, Reason, Receipt, Refusal, Retry, RetryDeadline,
    SecretSource, SecretSourceError, ShipError, Shipper, SpoolError, SpoolFull, SpoolMaxBytes,
    StatsInterval, SyncInterval, Trust, TrustError, Unflushed, WhenFull,
};
#[cfg(feature = "log")]
pub use logger::{Logger, init_log, logger};
#[doc(hidden)]
pub use macros::__log;

/// The programs of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
