//! Encrypted logs for Rust programs: everything of LogFlux that an application needs, under one
//! name.
//!
//! [`seal`] and [`open`] do one entry; a [`Sealer`] and an [`Opener`] do many, spending key
//! derivations on purpose; [`Settings`] and a [`Shipper`] take sealed entries to an ingest API over
//! TLS, and an [`Api`] queries them back.
//!
//! ```no_run
//! use logflux::{Level, Message, Node, Sealer, SecretSource, Settings, Shipper, Timestamp};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::from_env()?;
//! let sealer = Sealer::new(SecretSource::from_env()?.load()?);
//! let node = Node::new("app-server-01")?;
//! let entry = sealer.seal(Message {
//!     bytes: b"User login successful",
//!     node: &node,
//!     level: Level::Info,
//!     timestamp: Timestamp::now(),
//! })?;
//! let receipt = Shipper::new(settings.api()?, settings.retry).ship(&[entry.to_json()], |_| {})?;
//! assert_eq!(receipt.counts.succeeded, 1);
//! # Ok(())
//! # }
//! ```

pub use logflux_envelope::{
    Entry, EntryError, Field, Iv, KeyPolicy, KeyPolicyError, Keyring, KeyringError, Level, Message,
    Mode, Node, OpenError, Opener, Payload, Progress, RandomError, Salt, SealError, Sealer,
    SealerBuilder, SealerStats, Secret, SecretError, Stage, Timestamp, open, open_bytes, seal,
};
pub use logflux_transport::{
    Api, CallError, Endpoint, EndpointError, Page, Receipt, Refusal, Retry, SecretSource,
    SecretSourceError, Settings, SettingsError, ShipError, Shipper, Trust, TrustError,
};

/// The programs of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
