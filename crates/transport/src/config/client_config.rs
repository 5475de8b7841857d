//! The configuration of a client.

use std::env;
use std::path::PathBuf;

use logflux_envelope::KeyPolicy;
use logflux_wire::{ApiKey, Level, Mode, Node};

use super::backoff::Retry;
use super::error::ConfigError;
use super::numbers::{
    CloseTimeout, FlushInterval, HttpTimeout, InFlight, QueueBytes, QueueSize, RetryDeadline,
    SecretCommandTimeout, SpoolMaxBytes, SpoolMemoryBytes, SpoolSegmentBytes, SyncInterval,
};
use super::proxy::ProxySetting;
use crate::api::{Api, ApiError, Trust};
use crate::client::WhenFull;
use crate::endpoint::Endpoint;
use crate::http::Route;
use crate::spool::{SpoolFull, SpoolOptions};

/// Where to send, as whom, and how. The secret is not part of it: see
/// [`SecretSource`](crate::SecretSource).
///
/// ```
/// use logflux_transport::{ClientConfig, QueueSize};
///
/// let endpoint = "https://c12345.ingest.us.logflux.io".parse()?;
/// let key = "lf_0123456789abcdefABCDEF0123456789".parse()?;
/// let mut config = ClientConfig::new(endpoint, key);
/// config.queue_size = QueueSize::new(50_000)?;
/// assert!(QueueSize::new(0).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`SETTINGS`](crate::SETTINGS) has the variable, the bounds and the default of every field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The ingest API.
    pub endpoint: Endpoint,
    /// The API key.
    pub api_key: ApiKey,
    /// The sender's name; `None` for the host's.
    pub node: Option<Node>,
    /// The file of the authority to trust, in PEM; `None` for Mozilla's public authorities.
    pub ca_file: Option<PathBuf>,
    /// The proxy that requests go through; `None` for what the usual variables say.
    pub proxy: Option<ProxySetting>,
    /// How long the command that prints the secret may run.
    pub secret_command_timeout: SecretCommandTimeout,
    /// How long one request may take.
    pub http_timeout: HttpTimeout,
    /// How many requests may be in flight at once.
    pub max_in_flight: InFlight,
    /// How often, and after what pauses, a request is sent again.
    pub retry: Retry,
    /// How long a batch is tried at most, where there is no spool.
    pub retry_deadline: RetryDeadline,
    /// How many messages may wait in memory.
    pub queue_size: QueueSize,
    /// How many bytes of messages may wait in memory.
    pub queue_bytes: QueueBytes,
    /// What a logging call does when the queue is full.
    pub when_full: WhenFull,
    /// How long a message may wait for others to be sent with.
    pub flush_interval: FlushInterval,
    /// The folder of a durable spool; `None` for no spool.
    pub spool_dir: Option<PathBuf>,
    /// How many bytes the spool of one process may take on disk.
    pub spool_max_bytes: SpoolMaxBytes,
    /// What a full spool does.
    pub spool_when_full: SpoolFull,
    /// How many bytes a segment of the spool has at most; `None` for 8 MiB, or a quarter of
    /// [`spool_max_bytes`](Self::spool_max_bytes) where that is less.
    pub spool_segment_bytes: Option<SpoolSegmentBytes>,
    /// How many bytes of spooled entries are kept in memory.
    pub spool_memory_bytes: SpoolMemoryBytes,
    /// How long a spooled entry may wait to be durable.
    pub sync_interval: SyncInterval,
    /// The encryption mode.
    pub mode: Mode,
    /// How key derivations are spent in modes 1 to 4. Its bounds are checked when the client is
    /// built.
    pub key_policy: KeyPolicy,
    /// The least severe level that is logged.
    pub min_level: Level,
    /// How long closing waits at the end of the process, or where no other time is given.
    pub close_timeout: CloseTimeout,
}

impl ClientConfig {
    /// A configuration with every other setting at its default.
    #[must_use]
    pub fn new(endpoint: Endpoint, api_key: ApiKey) -> Self {
        Self {
            endpoint,
            api_key,
            node: None,
            ca_file: None,
            proxy: None,
            secret_command_timeout: SecretCommandTimeout::DEFAULT,
            http_timeout: HttpTimeout::DEFAULT,
            max_in_flight: InFlight::DEFAULT,
            retry: Retry::default(),
            retry_deadline: RetryDeadline::DEFAULT,
            queue_size: QueueSize::DEFAULT,
            queue_bytes: QueueBytes::DEFAULT,
            when_full: WhenFull::default(),
            flush_interval: FlushInterval::DEFAULT,
            spool_dir: None,
            spool_max_bytes: SpoolMaxBytes::DEFAULT,
            spool_when_full: SpoolFull::default(),
            spool_segment_bytes: None,
            spool_memory_bytes: SpoolMemoryBytes::DEFAULT,
            sync_interval: SyncInterval::DEFAULT,
            mode: Mode::Pbkdf2,
            key_policy: KeyPolicy::DEFAULT,
            min_level: Level::Debug,
            close_timeout: CloseTimeout::DEFAULT,
        }
    }

    /// Makes a caller with these settings. It opens no connection yet.
    ///
    /// # Errors
    /// [`ApiError`] where the CA file cannot be used, or a variable names no proxy that is supported.
    pub fn api(&self) -> Result<Api, ApiError> {
        let trust = match &self.ca_file {
            Some(path) => Trust::from_file(path)?,
            None => Trust::PublicRoots,
        };
        let look_up = |name: &'static str| env::var_os(name);
        let route = Route::choose(&self.endpoint, self.proxy.as_ref(), &look_up)?;
        Ok(Api::new(self.endpoint.clone(), &self.api_key, trust, route, self.http_timeout.get()))
    }

    /// What the spool is opened with.
    ///
    /// # Errors
    /// [`ConfigError`] where a segment is larger than a quarter of the spool.
    pub fn spool_options(&self) -> Result<SpoolOptions, ConfigError> {
        let quarter = self.spool_max_bytes.get() / 4;
        let segment_bytes = match self.spool_segment_bytes {
            None => SpoolSegmentBytes::DEFAULT.get().min(quarter),
            Some(given) if given.get() <= quarter => given.get(),
            Some(_) => {
                let what = "must be at most a quarter of spool_max_bytes";
                return Err(ConfigError::invalid(SpoolSegmentBytes::NAME, &what));
            }
        };
        Ok(SpoolOptions {
            max_bytes: self.spool_max_bytes.get(),
            segment_bytes,
            memory_bytes: self.spool_memory_bytes.get(),
            when_full: self.spool_when_full,
        })
    }
}
