//! Ships sealed entries to an ingest API, and queries them back.
//!
//! [`ClientConfig`] has what a sender needs, from code or from the `LOGFLUX_…` environment variables;
//! [`SETTINGS`] is the table of them. [`SecretSource`] says where the secret is. [`Api`] makes single calls over TLS; [`Shipper`] ships
//! any number of entries through it, in batches, and tries again with the same bytes where that can
//! help (PROTOCOL 8).
//!
//! TLS is not a choice: an [`Endpoint`] is `https://`, certificates are always checked, and nothing
//! turns that off. A private authority is trusted by naming its file.

mod api;
mod body_bound;
mod call_error;
mod client;
mod config;
mod endpoint;
mod http;
mod retry;
mod shipper;
mod spool;
mod tail;
mod unread;

pub use api::{Answer, Api, ApiError, Page, RateLimit, Trust, TrustError};
pub use call_error::{CallError, Disposition};
pub use client::{
    BuildError, Client, ClientBuilder, ClientStats, DropReason, DropReport, Dropped, ExitFlush,
    FlushTicket, OnDrop, Rotation, Unflushed, WhenFull, host_name,
};
pub use config::{
    Backoff, BackoffFactor, ClientConfig, CloseTimeout, ConfigError, FlushInterval, HttpTimeout,
    InFlight, InitialDelay, Kind, MaxDelay, MaxRetries, ProxySetting, QueueBytes, QueueSize,
    Reason, Retry, RetryDeadline, SETTINGS, SecretCommandTimeout, Setting, SpoolMaxBytes,
    SpoolMemoryBytes, SpoolSegmentBytes, StatsInterval, SyncInterval, Variables,
};
pub use endpoint::{Endpoint, EndpointError};
pub use http::{Proxy, ProxyError, ProxyUrlError, Route};
pub use logflux_envelope::{SecretSource, SecretSourceError};
pub use logflux_wire::{DurationError, parse_duration};
pub use shipper::{Receipt, Refusal, ShipError, Shipper};
pub use spool::{
    Acknowledged, Adopted, Appended, DeadLetter, DeadLetters, RecordId, Recovery, SegmentView,
    Skipped, Spool, SpoolChanges, SpoolError, SpoolFull, SpoolOptions, SpoolView,
};
pub use tail::Tail;
pub use unread::Unread;
