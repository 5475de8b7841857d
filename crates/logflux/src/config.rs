//! What the client of a process is set to.

use std::path::PathBuf;
use std::time::Duration;

use logflux_envelope::{KeyPolicy, Level, Mode, Node, Secret};
use logflux_transport::{
    BuildError, Client, ClientBuilder, ClientStats, DropReport, Retry, SecretSource,
    SecretSourceError, Settings, SettingsError, SpoolOptions, WhenFull,
};

/// How long a guard waits when it is dropped, unless it is told otherwise.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Everything that a process logs with: where to, as whom, with which secret, and how. All but
/// these three have defaults.
///
/// ```no_run
/// use std::time::Duration;
/// use logflux::{Config, Level, Mode, WhenFull};
///
/// let config = Config::from_env()?
///     .mode(Mode::Hkdf)
///     .min_level(Level::Info)
///     .when_full(WhenFull::DropOldest)
///     .spool_dir("/var/lib/app/logs")
///     .close_within(Duration::from_secs(10));
/// let _guard = logflux::init(config)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Config {
    client: ClientBuilder,
    pub(crate) close_within: Duration,
}

impl Config {
    /// A configuration with every other setting at its default.
    pub fn new(settings: Settings, secret: Secret) -> Self {
        Self { client: Client::builder(settings, secret), close_within: CLOSE_WITHIN }
    }

    /// The configuration that the environment names (PROTOCOL 8): `LOGFLUX_SERVER_URL`,
    /// `LOGFLUX_API_KEY`, one of `LOGFLUX_SECRET`, `LOGFLUX_SECRET_FILE` and
    /// `LOGFLUX_SECRET_COMMAND`, and, where they are set, `LOGFLUX_NODE`, `LOGFLUX_CA_FILE`,
    /// `LOGFLUX_QUEUE_SIZE`, `LOGFLUX_FLUSH_INTERVAL`, `LOGFLUX_MAX_RETRIES`,
    /// `LOGFLUX_INITIAL_DELAY`, `LOGFLUX_MAX_DELAY`, `LOGFLUX_BACKOFF_FACTOR`,
    /// `LOGFLUX_HTTP_TIMEOUT` and `LOGFLUX_SPOOL_DIR`. The secret is fetched now: its file is read,
    /// its command is run.
    ///
    /// # Errors
    /// [`ConfigError`], which names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        let settings = Settings::from_env()?;
        let source = SecretSource::from_env()?;
        let variable = match &source {
            SecretSource::Environment(name) => name,
            SecretSource::File(_) => "LOGFLUX_SECRET_FILE",
            SecretSource::Command(_) => "LOGFLUX_SECRET_COMMAND",
        };
        let secret = source.load().map_err(|error| ConfigError::Secret { variable, error })?;
        Ok(Self::new(settings, secret))
    }

    /// The sender's name; that of the host by default.
    pub fn node(mut self, node: Node) -> Self {
        self.client.settings_mut().node = Some(node);
        self
    }

    /// The file of the authority to trust, in PEM, and then no other; the public ones by default.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.client.settings_mut().ca_file = Some(path.into());
        self
    }

    /// How long one request may take, 30 s by default.
    pub fn http_timeout(mut self, timeout: Duration) -> Self {
        self.client.settings_mut().http_timeout = timeout;
        self
    }

    /// How often and after what pauses a request is tried again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.client.settings_mut().retry = retry;
        self
    }

    /// How long a batch is tried at most where there is no spool, 5 min by default.
    pub fn retry_deadline(mut self, deadline: Duration) -> Self {
        self.client = self.client.retry_deadline(deadline);
        self
    }

    /// How many messages may wait in memory, at least 1; 10,000 by default.
    pub fn queue_size(mut self, messages: usize) -> Self {
        self.client.settings_mut().queue_size = messages.max(1);
        self
    }

    /// How many bytes may wait in memory, 8 MiB by default.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.client = self.client.queue_bytes(bytes);
        self
    }

    /// What a logging call does when the queue is full; the new message is dropped by default.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.client = self.client.when_full(when_full);
        self
    }

    /// How long a message may wait for others to be sent with, 1 s by default.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.client.settings_mut().flush_interval = interval;
        self
    }

    /// How many requests may be under way at once, 1 to 16; 2 by default.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.client = self.client.max_in_flight(requests);
        self
    }

    /// The folder of a durable spool; by default there is none. With one, entries outlive the
    /// process, and a flush makes them durable even while the server is away.
    pub fn spool_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.client.settings_mut().spool_dir = Some(folder.into());
        self
    }

    /// How the spool is kept.
    pub fn spool_options(mut self, options: SpoolOptions) -> Self {
        self.client = self.client.spool_options(options);
        self
    }

    /// How long a spooled entry may wait to be durable, 100 ms by default. A flush does not wait.
    pub fn sync_interval(mut self, interval: Duration) -> Self {
        self.client = self.client.sync_interval(interval);
        self
    }

    /// The encryption mode; the standard mode 1 by default.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.client = self.client.mode(mode);
        self
    }

    /// How key derivations are spent in modes 1 to 4; [`KeyPolicy::DEFAULT`] by default.
    pub fn key_policy(mut self, policy: KeyPolicy) -> Self {
        self.client = self.client.key_policy(policy);
        self
    }

    /// The least severe level that is logged; messages below it are not even formatted. Debug, and
    /// so everything, by default.
    pub fn min_level(mut self, level: Level) -> Self {
        self.client = self.client.min_level(level);
        self
    }

    /// What is called when messages were dropped, with how many by reason since the last call, at
    /// most once a second, on a thread of LogFlux's own; what it logs through LogFlux goes nowhere.
    /// Without it a line goes to stderr, at most once a minute.
    pub fn on_drop(mut self, on_drop: impl Fn(&DropReport) + Send + Sync + 'static) -> Self {
        self.client = self.client.on_drop(on_drop);
        self
    }

    /// What is called with the statistics every `interval`, at least 10 ms, and at the end, on a
    /// thread of LogFlux's own. For a metric, say; it gets no message and no secret.
    pub fn on_stats(
        mut self,
        interval: Duration,
        on_stats: impl Fn(&ClientStats) + Send + Sync + 'static,
    ) -> Self {
        self.client = self.client.on_stats(interval, on_stats);
        self
    }

    /// How long the guard of [`init`](crate::init) waits at most when it is dropped, or the end of the
    /// process where it is not; 5 s by default.
    pub fn close_within(mut self, timeout: Duration) -> Self {
        self.close_within = timeout;
        self
    }

    /// Builds a client of its own, beside that of the process: to log to two places, or for a
    /// [`Layer`](crate::Layer) of its own.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        self.client.build()
    }
}

/// Which variable of the environment is missing or wrong. No key and no secret is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No variable says where the secret is, or several do.
    #[error(transparent)]
    SecretSource(#[from] SecretSourceError),
    /// The secret cannot be had from where a variable says that it is.
    #[error("{variable}: {error}")]
    Secret {
        /// The variable.
        variable: &'static str,
        /// Why.
        error: SecretSourceError,
    },
}
