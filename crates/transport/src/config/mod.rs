//! What a client is set to: one configuration, checked once.
//!
//! Every setting is a type that cannot hold a wrong value, so that the fields of [`ClientConfig`] are
//! public and need no check later. `numbers`, `choices` and `proxy` have these types, `backoff` those
//! of settings that depend on each other. `table` says of each setting what it is called and what it
//! may be, and `environment` reads them by it. `kind` and `show` put bounds and values in words.

mod backoff;
mod choices;
mod client_config;
mod draft;
mod environment;
mod error;
mod kind;
mod numbers;
mod proxy;
mod show;
mod table;
mod words;

#[cfg(test)]
mod tests;

pub use backoff::{Backoff, Retry};
pub use client_config::ClientConfig;
pub use environment::Variables;
pub use error::{ConfigError, Reason};
pub use kind::Kind;
pub use numbers::{
    BackoffFactor, CloseTimeout, FlushInterval, HttpTimeout, InFlight, InitialDelay, MaxDelay,
    MaxRetries, QueueBytes, QueueSize, RetryDeadline, SecretCommandTimeout, SpoolMaxBytes,
    SpoolMemoryBytes, SpoolSegmentBytes, StatsInterval, SyncInterval,
};
pub use proxy::ProxySetting;
pub use table::{SETTINGS, Setting};
