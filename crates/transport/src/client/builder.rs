//! What a client is set to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use logflux_envelope::{KeyPolicy, KeyPolicyError, Level, Mode, Node, Sealer, Secret};

use super::Client;
use super::queue::WhenFull;
use super::report::{DropReport, OnDrop, OnStats};
use super::stats::ClientStats;
use crate::api::{Api, ApiError, TrustError};
use crate::http::ProxyError;
use crate::settings::Settings;
use crate::spool::{Spool, SpoolError, SpoolOptions};

/// Sets a [`Client`] up. Every setting has a default but where to send, as whom, and the secret.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    settings: Settings,
    secret: Secret,
    mode: Mode,
    key_policy: KeyPolicy,
    min_level: Level,
    queue_bytes: usize,
    when_full: WhenFull,
    max_in_flight: usize,
    retry_deadline: Duration,
    spool: SpoolOptions,
    sync_interval: Duration,
    on_drop: Option<OnDrop>,
    on_stats: Option<OnStats>,
}

/// What is fixed when a client is built.
pub(crate) struct Config {
    pub(crate) settings: Settings,
    pub(crate) node: Node,
    pub(crate) api: Arc<Api>,
    pub(crate) sealer: Sealer,
    pub(crate) min_level: Level,
    pub(crate) queue_bytes: usize,
    pub(crate) when_full: WhenFull,
    pub(crate) max_in_flight: usize,
    pub(crate) retry_deadline: Duration,
    pub(crate) spool: SpoolOptions,
    pub(crate) sync_interval: Duration,
    pub(crate) on_drop: Option<OnDrop>,
    pub(crate) on_stats: Option<OnStats>,
}

impl Client {
    /// Begins to set a client up. The node is that of the settings, or the host's name.
    #[must_use]
    pub fn builder(settings: Settings, secret: Secret) -> ClientBuilder {
        ClientBuilder {
            settings,
            secret,
            mode: Mode::Pbkdf2,
            key_policy: KeyPolicy::DEFAULT,
            min_level: Level::Debug,
            queue_bytes: 8 << 20,
            when_full: WhenFull::default(),
            max_in_flight: 2,
            retry_deadline: Duration::from_secs(300),
            spool: SpoolOptions::default(),
            sync_interval: Duration::from_millis(100),
            on_drop: None,
            on_stats: None,
        }
    }
}

impl ClientBuilder {
    /// The settings as they are now, to be changed.
    #[must_use]
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The encryption mode; the standard mode 1 by default.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// How key derivations are spent in modes 1 to 4; [`KeyPolicy::DEFAULT`] by default.
    #[must_use]
    pub fn key_policy(mut self, policy: KeyPolicy) -> Self {
        self.key_policy = policy;
        self
    }

    /// The least severe level that is logged; messages below it cost nothing. Debug by default.
    #[must_use]
    pub fn min_level(mut self, level: Level) -> Self {
        self.min_level = level;
        self
    }

    /// The most bytes that wait in memory, 8 MiB by default. (The most messages are the settings'
    /// `queue_size`.)
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// What a logging call does when the queue is full; the new message is dropped by default.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// How many requests may be under way at once, 1 to 16; 2 by default.
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests.clamp(1, 16);
        self
    }

    /// How long a batch is tried at most where there is no spool, 5 min by default; the settings'
    /// `max_retries` bounds how often. In a spool entries wait without a bound.
    #[must_use]
    pub fn retry_deadline(mut self, deadline: Duration) -> Self {
        self.retry_deadline = deadline;
        self
    }

    /// How the spool is kept, where the settings name its folder.
    #[must_use]
    pub fn spool_options(mut self, options: SpoolOptions) -> Self {
        self.spool = options;
        self
    }

    /// How long a spooled entry may wait to be durable, 100 ms by default. A flush does not wait.
    #[must_use]
    pub fn sync_interval(mut self, interval: Duration) -> Self {
        self.sync_interval = interval;
        self
    }

    /// What is called when messages were dropped, with how many by reason since the last call, at
    /// most once a second; and, with none, when something holds messages up or no longer does.
    /// Without it a line goes to stderr, at most once a minute.
    #[must_use]
    pub fn on_drop(mut self, on_drop: impl Fn(&DropReport) + Send + Sync + 'static) -> Self {
        self.on_drop = Some(OnDrop(Arc::new(on_drop)));
        self
    }

    /// What is called with the statistics every `interval`, at least 10 ms, and at the end, once the
    /// client has begun to work. It is called from the client's worker thread, which waits for it.
    #[must_use]
    pub fn on_stats(
        mut self,
        interval: Duration,
        on_stats: impl Fn(&ClientStats) + Send + Sync + 'static,
    ) -> Self {
        let interval = interval.max(Duration::from_millis(10));
        self.on_stats = Some(OnStats { interval, call: Arc::new(on_stats) });
        self
    }

    /// Builds the client. No thread is started and nothing is sent before the first message; a
    /// spool is opened, and what it holds is sent with the first message.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        let node = match &self.settings.node {
            Some(node) => node.clone(),
            None => host_name().ok_or(BuildError::Node)?,
        };
        let sealer =
            Sealer::builder(self.secret).mode(self.mode).key_policy(self.key_policy).build()?;
        let spool = match &self.settings.spool_dir {
            Some(folder) => Some(Spool::open_own(folder, self.spool)?.0),
            None => None,
        };
        let config = Config {
            api: Arc::new(self.settings.api()?),
            node,
            sealer,
            min_level: self.min_level,
            queue_bytes: self.queue_bytes.max(1),
            when_full: self.when_full,
            max_in_flight: self.max_in_flight,
            retry_deadline: self.retry_deadline,
            spool: self.spool,
            sync_interval: self.sync_interval,
            on_drop: self.on_drop,
            on_stats: self.on_stats,
            settings: self.settings,
        };
        Ok(Client::new(config, spool))
    }
}

/// The node of a client that is given none: the host's name, where that is a node.
#[must_use]
pub fn host_name() -> Option<Node> {
    Node::new(gethostname::gethostname().to_string_lossy().into_owned()).ok()
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Why a client was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The host's name is no node, and none was given.
    #[error("the host name is no node: set LOGFLUX_NODE")]
    Node,
    /// The key policy is outside its bounds.
    #[error(transparent)]
    KeyPolicy(#[from] KeyPolicyError),
    /// The file of the authority cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A variable names no proxy that is supported.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The spool cannot be opened.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl From<ApiError> for BuildError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Trust(error) => Self::Trust(error),
            ApiError::Proxy(error) => Self::Proxy(error),
        }
    }
}
