//! How a client is built from its configuration.

use std::fmt;
use std::sync::Arc;

use logflux_envelope::{KeyPolicy, KeyPolicyError, Level, Mode, Node, Sealer, Secret};

use super::Client;
use super::queue::WhenFull;
use super::report::{DropReport, OnDrop, OnStats};
use super::rotation::Rotating;
use super::stats::ClientStats;
use crate::api::{ApiError, TrustError};
use crate::config::{ClientConfig, ConfigError, StatsInterval};
use crate::http::ProxyError;
use crate::spool::{Disk, SpoolError, SpoolOptions};

/// Builds a [`Client`] from its configuration, its secret, and what it calls.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    config: ClientConfig,
    secret: Secret,
    on_drop: Option<OnDrop>,
    on_stats: Option<OnStats>,
}

/// What a client is built with. All but what a [`Rotation`](super::Rotation) replaces is fixed.
pub(crate) struct Config {
    pub(crate) settings: ClientConfig,
    pub(crate) node: Node,
    /// The longest message that the mode can seal, in bytes. The mode never changes.
    pub(crate) message_max: usize,
    pub(crate) rotating: Rotating,
    pub(crate) spool: SpoolOptions,
    pub(crate) disk: Disk,
    pub(crate) on_drop: Option<OnDrop>,
    pub(crate) on_stats: Option<OnStats>,
}

impl Client {
    /// Begins to build a client. Its node is that of the configuration, or the host's name.
    #[must_use]
    pub fn builder(config: ClientConfig, secret: Secret) -> ClientBuilder {
        ClientBuilder { config, secret, on_drop: None, on_stats: None }
    }
}

impl ClientBuilder {
    /// The configuration, to be changed.
    #[must_use]
    pub fn config_mut(&mut self) -> &mut ClientConfig {
        &mut self.config
    }

    /// Sets [`ClientConfig::mode`].
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// Sets [`ClientConfig::key_policy`].
    #[must_use]
    pub fn key_policy(mut self, policy: KeyPolicy) -> Self {
        self.config.key_policy = policy;
        self
    }

    /// Sets [`ClientConfig::min_level`]. Messages below it cost nothing.
    #[must_use]
    pub fn min_level(mut self, level: Level) -> Self {
        self.config.min_level = level;
        self
    }

    /// Sets [`ClientConfig::when_full`].
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.config.when_full = when_full;
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

    /// What is called with the statistics every `interval` and at the end, once the client has begun
    /// to work. It is called from the client's worker thread, which waits for it.
    #[must_use]
    pub fn on_stats(
        mut self,
        interval: StatsInterval,
        on_stats: impl Fn(&ClientStats) + Send + Sync + 'static,
    ) -> Self {
        self.on_stats = Some(OnStats { interval: interval.get(), call: Arc::new(on_stats) });
        self
    }

    /// Builds the client. No thread is started and nothing is sent before the first message; a
    /// spool is opened, and what it holds is sent with the first message.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        let settings = self.config;
        let node = match &settings.node {
            Some(node) => node.clone(),
            None => host_name().ok_or(BuildError::Node)?,
        };
        let sealer = Sealer::builder(self.secret)
            .mode(settings.mode)
            .key_policy(settings.key_policy)
            .build()?;
        let options = settings.spool_options()?;
        let message_max = settings.mode.message_max();
        let rotating = Rotating::new(Arc::new(sealer), Arc::new(settings.api()?));
        let disk = Disk::default();
        let spool = match &settings.spool_dir {
            Some(folder) => Some(disk.open_own(folder, options)?.0),
            None => None,
        };
        let (on_drop, on_stats) = (self.on_drop, self.on_stats);
        let config = Config {
            settings,
            node,
            message_max,
            rotating,
            spool: options,
            disk,
            on_drop,
            on_stats,
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
    /// Settings do not go together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The host's name is not a node, and none was given.
    #[error("the host name is not a valid node: set LOGFLUX_NODE")]
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
