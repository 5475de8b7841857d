//! What the client of a process is set to.

use std::path::PathBuf;
use std::time::Duration;

use logflux_envelope::{KeyPolicy, Level, Mode, Node, Secret};
use logflux_transport::{
    BuildError, Client, ClientBuilder, ClientConfig, ClientStats, CloseTimeout, ConfigError,
    DropReport, FlushInterval, HttpTimeout, InFlight, ProxySetting, QueueBytes, QueueSize, Retry,
    RetryDeadline, SecretSource, SecretSourceError, SpoolFull, SpoolMaxBytes, StatsInterval,
    SyncInterval, WhenFull,
};

/// Everything that a process logs with: where to, as whom, with which secret, and how. All but
/// these three have defaults.
///
/// A method takes a plain value. One that is out of its bounds is a [`ConfigError`], which
/// [`build`](Self::build) and [`init`](crate::init) return. The table of settings in
/// `docs/settings.md` has the bounds and the default of each.
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
    /// The first setting that was out of its bounds.
    fault: Option<ConfigError>,
}

impl Config {
    /// A configuration of these settings and this secret.
    pub fn new(config: ClientConfig, secret: Secret) -> Self {
        Self { client: Client::builder(config, secret), fault: None }
    }

    /// The configuration that the environment names: `LOGFLUX_SERVER_URL`, `LOGFLUX_API_KEY` or
    /// `LOGFLUX_API_KEY_FILE`, one of `LOGFLUX_SECRET`, `LOGFLUX_SECRET_FILE` and `LOGFLUX_SECRET_COMMAND`, and, where they are
    /// set, the other variables of `docs/settings.md`. The secret is fetched now: its file is read,
    /// its command is run.
    ///
    /// # Errors
    /// [`EnvironmentError`], which names the variable.
    pub fn from_env() -> Result<Self, EnvironmentError> {
        let config = ClientConfig::from_env()?;
        let source = SecretSource::from_env()?;
        let variable = match &source {
            SecretSource::Environment(name) => name,
            SecretSource::File(_) => "LOGFLUX_SECRET_FILE",
            SecretSource::Command(_) => "LOGFLUX_SECRET_COMMAND",
        };
        let secret = source
            .load_within(config.secret_command_timeout.get())
            .map_err(|error| EnvironmentError::Secret { variable, error })?;
        Ok(Self::new(config, secret))
    }

    /// Sets a field to a value that may be out of its bounds.
    fn set<T>(
        mut self,
        value: Result<T, ConfigError>,
        set: impl FnOnce(&mut ClientConfig, T),
    ) -> Self {
        match value {
            Ok(value) => set(self.client.config_mut(), value),
            Err(error) => self.fault = self.fault.or(Some(error)),
        }
        self
    }

    /// The sender's name; that of the host by default.
    pub fn node(mut self, node: Node) -> Self {
        self.client.config_mut().node = Some(node);
        self
    }

    /// The file of the authority to trust, in PEM, and then no other; `system` for those that the
    /// operating system trusts. The public ones by default.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.client.config_mut().ca_file = Some(path.into());
        self
    }

    /// The proxy that requests go through; by default what `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`
    /// say.
    pub fn proxy(mut self, proxy: ProxySetting) -> Self {
        self.client.config_mut().proxy = Some(proxy);
        self
    }

    /// How long one request may take, 1 ms to 24 h; 30 s by default.
    pub fn http_timeout(self, timeout: Duration) -> Self {
        self.set(HttpTimeout::new(timeout), |config, timeout| config.http_timeout = timeout)
    }

    /// How often, and after what pauses, a request is sent again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.client.config_mut().retry = retry;
        self
    }

    /// How long a batch is tried at most where there is no spool, 0 s to 7 d; 5 m by default.
    pub fn retry_deadline(self, deadline: Duration) -> Self {
        self.set(RetryDeadline::new(deadline), |config, deadline| config.retry_deadline = deadline)
    }

    /// How many messages may wait in memory, 1 to 16,000,000; 10,000 by default.
    pub fn queue_size(self, messages: usize) -> Self {
        self.set(QueueSize::new(messages), |config, messages| config.queue_size = messages)
    }

    /// How many bytes of messages may wait in memory, 1 byte to 64 GiB; 8 MiB by default.
    pub fn queue_bytes(self, bytes: usize) -> Self {
        self.set(QueueBytes::new(bytes), |config, bytes| config.queue_bytes = bytes)
    }

    /// What a logging call does when the queue is full; the new message is dropped by default.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.client = self.client.when_full(when_full);
        self
    }

    /// How long a message may wait for others to be sent with, 1 ms to 24 h; 1 s by default.
    pub fn flush_interval(self, interval: Duration) -> Self {
        self.set(FlushInterval::new(interval), |config, interval| config.flush_interval = interval)
    }

    /// How many requests may be in flight at once, 1 to 16; 2 by default.
    pub fn max_in_flight(self, requests: usize) -> Self {
        self.set(InFlight::new(requests), |config, requests| config.max_in_flight = requests)
    }

    /// The folder of a durable spool; by default there is none. With one, entries outlive the
    /// process, and a flush makes them durable even while the server is away.
    pub fn spool_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.client.config_mut().spool_dir = Some(folder.into());
        self
    }

    /// How many bytes the spool of one process may take on disk, 1 MiB to 1 TiB; 256 MiB by default.
    pub fn spool_max_bytes(self, bytes: u64) -> Self {
        self.set(SpoolMaxBytes::new(bytes), |config, bytes| config.spool_max_bytes = bytes)
    }

    /// What a full spool does; the new entry is refused by default.
    pub fn spool_when_full(mut self, when_full: SpoolFull) -> Self {
        self.client.config_mut().spool_when_full = when_full;
        self
    }

    /// How long a spooled entry may wait to be durable, 1 ms to 24 h; 100 ms by default. A flush does
    /// not wait.
    pub fn sync_interval(self, interval: Duration) -> Self {
        self.set(SyncInterval::new(interval), |config, interval| config.sync_interval = interval)
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

    /// What is called with the statistics every `interval`, 10 ms to 24 h, and at the end, on a
    /// thread of LogFlux's own. For a metric, say; it gets no message and no secret.
    pub fn on_stats(
        mut self,
        interval: Duration,
        on_stats: impl Fn(&ClientStats) + Send + Sync + 'static,
    ) -> Self {
        match StatsInterval::new(interval) {
            Ok(interval) => self.client = self.client.on_stats(interval, on_stats),
            Err(error) => self.fault = self.fault.or(Some(error)),
        }
        self
    }

    /// How long the guard of [`init`](crate::init) waits at most when it is dropped, or the end of
    /// the process where it is not, 0 s to 24 h; 5 s by default (the setting `close_timeout`).
    pub fn close_within(self, timeout: Duration) -> Self {
        self.set(CloseTimeout::new(timeout), |config, timeout| config.close_timeout = timeout)
    }

    pub(crate) fn close_timeout(&mut self) -> Duration {
        self.client.config_mut().close_timeout.get()
    }

    /// Builds a client of its own, beside that of the process: to log to two places, or for a
    /// [`Layer`](crate::Layer) of its own.
    ///
    /// # Errors
    /// [`BuildError`]; where a setting is out of its bounds, [`BuildError::Config`], which names the
    /// first.
    pub fn build(self) -> Result<Client, BuildError> {
        match self.fault {
            Some(error) => Err(error.into()),
            None => self.client.build(),
        }
    }
}

/// Which variable of the environment is missing or wrong. No key and no secret is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
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

#[cfg(test)]
mod tests {
    use logflux_transport::{Kind, SETTINGS};

    use super::*;

    fn config() -> Config {
        let key = "lf_0123456789abcdefABCDEF0123456789".parse().unwrap();
        let config = ClientConfig::new("https://127.0.0.1:1".parse().unwrap(), key);
        Config::new(config, Secret::new("s").unwrap()).node("n".parse().unwrap()).mode(Mode::Hkdf)
    }

    /// The method of this name, where it takes a plain number.
    fn with_number(name: &str, number: u64) -> Option<Config> {
        let size = usize::try_from(number).unwrap();
        Some(match name {
            "queue_size" => config().queue_size(size),
            "queue_bytes" => config().queue_bytes(size),
            "max_in_flight" => config().max_in_flight(size),
            "spool_max_bytes" => config().spool_max_bytes(number),
            _ => return None,
        })
    }

    /// The method of this name, where it takes a plain duration.
    fn with_duration(name: &str, duration: Duration) -> Option<Config> {
        Some(match name {
            "http_timeout" => config().http_timeout(duration),
            "retry_deadline" => config().retry_deadline(duration),
            "flush_interval" => config().flush_interval(duration),
            "sync_interval" => config().sync_interval(duration),
            "stats_interval" => config().on_stats(duration, |_| {}),
            "close_timeout" => config().close_within(duration),
            _ => return None,
        })
    }

    #[test]
    fn every_method_takes_its_bounds_and_names_its_setting_beyond_them() {
        const STEP: Duration = Duration::from_nanos(1);
        // What is typed already, or is of no use once the secret is there.
        let mut others = Vec::new();
        for setting in SETTINGS {
            let name = setting.name;
            let (good, bad) = match setting.kind {
                Kind::Number { min, max, .. } | Kind::Size { min, max, .. } => {
                    let bad = [min.checked_sub(1), Some(max + 1), Some(u64::MAX)];
                    let bad = bad.into_iter().flatten().map(|bad| with_number(name, bad));
                    ([min, max].map(|good| with_number(name, good)), bad.collect::<Vec<_>>())
                }
                Kind::Duration { min, max, .. } => {
                    let bad = [min.checked_sub(STEP), Some(max + STEP), Some(Duration::MAX)];
                    let bad = bad.into_iter().flatten().map(|bad| with_duration(name, bad));
                    ([min, max].map(|good| with_duration(name, good)), bad.collect())
                }
                _ => continue,
            };
            for config in good.into_iter().flatten() {
                config.build().unwrap();
            }
            if bad.iter().any(Option::is_none) {
                others.push(name);
            }
            for config in bad.into_iter().flatten() {
                let error = config.queue_size(0).build().unwrap_err().to_string();
                assert_eq!(error, format!("{name}: must be {}", setting.kind.values()));
            }
        }
        let expected = ["secret_command_timeout", "max_retries", "initial_delay", "max_delay"];
        assert_eq!(others, expected);
    }
}
