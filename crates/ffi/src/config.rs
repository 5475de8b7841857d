//! What a client is set to. In the submodules: the files and folders that it uses, what it calls, and
//! variables that set all of it.

pub mod callbacks;
pub mod files;
pub mod variables;

use std::ffi::c_char;
use std::time::Duration;

use logflux_envelope::{Field, Mode, Node, Secret, SecretSource};
use logflux_transport::{
    Backoff, BuildError, Client, ClientBuilder, ClientConfig, CloseTimeout, ConfigError,
    FlushInterval, HttpTimeout, InFlight, MaxRetries, ProxySetting, QueueBytes, QueueSize, Retry,
    RetryDeadline, StatsInterval, WhenFull,
};
use logflux_wire::ApiKey;

use crate::arguments::{Out, string, text, there, utf8};
use crate::boundary::{boundary, freeing};
use crate::client::logflux_client_stats;
use crate::drops::logflux_dropped;
use crate::error::{Failure, at_field, logflux_error};
use crate::gate::Callback;
use crate::notices::logflux_notice;
use crate::secret::logflux_secret;
use crate::status::logflux_status;
use crate::words::{level, logflux_key_policy, mode, policy};

/// What a logging call does when the queue is full.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum logflux_when_full {
    /// The new message is dropped; the default.
    DropNewest = 0,
    /// The oldest messages in the queue are dropped for it.
    DropOldest = 1,
    /// The call waits until there is room. One in a callback of the client is dropped instead.
    Block = 2,
}

/// Everything that a client is set to. All but the server, the API key and the secret have defaults.
/// One thread at a time may use it.
pub struct logflux_config {
    config: ClientConfig,
    secret: Secret,
    on_drop: Option<Callback<logflux_dropped>>,
    on_notice: Option<Callback<logflux_notice>>,
    on_stats: Option<(StatsInterval, Callback<logflux_client_stats>)>,
    keeps_notices: bool,
}

impl logflux_config {
    fn new(config: ClientConfig, secret: Secret) -> Self {
        Self {
            config,
            secret,
            on_drop: None,
            on_notice: None,
            on_stats: None,
            keeps_notices: false,
        }
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(self.config.clone(), self.secret.clone())
    }

    pub(crate) fn mode(&self) -> Mode {
        self.config.mode
    }

    pub(crate) fn on_drop(&self) -> Option<Callback<logflux_dropped>> {
        self.on_drop
    }

    pub(crate) fn on_notice(&self) -> Option<Callback<logflux_notice>> {
        self.on_notice
    }

    pub(crate) fn keeps_notices(&self) -> bool {
        self.keeps_notices
    }

    pub(crate) fn on_stats(&self) -> Option<(StatsInterval, Callback<logflux_client_stats>)> {
        self.on_stats
    }
}

/// Makes a configuration with every other setting at its default. `server_url` begins with https://;
/// `api_key` is lf_ and 32 letters or digits.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_new(
    server_url: *const c_char,
    server_url_length: usize,
    api_key: *const c_char,
    api_key_length: usize,
    secret: Option<&logflux_secret>,
    out: Option<&mut *mut logflux_config>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let server_url = text!(server_url, server_url_length);
        out.give(config(server_url, text!(api_key, api_key_length), secret)?)
    })
}

/// logflux_config_new for C strings.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_new_cstr(
    server_url: *const c_char,
    api_key: *const c_char,
    secret: Option<&logflux_secret>,
    out: Option<&mut *mut logflux_config>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let server_url = utf8(string!(server_url), "server_url")?;
        out.give(config(server_url, utf8(string!(api_key), "api_key")?, secret)?)
    })
}

fn config(
    server_url: &str,
    api_key: &str,
    secret: Option<&logflux_secret>,
) -> Result<logflux_config, Failure> {
    let secret = there(secret, "secret")?.0.clone();
    let endpoint = server_url.parse().map_err(|error| invalid("server_url", error))?;
    Ok(logflux_config::new(ClientConfig::new(endpoint, self::api_key(api_key)?), secret))
}

/// Makes the configuration that the environment names: LOGFLUX_SERVER_URL, LOGFLUX_API_KEY or
/// LOGFLUX_API_KEY_FILE, the secret as logflux_secret_from_env, and, where they are set, the other variables of
/// docs/settings.md. No other thread may change the environment meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_from_env(
    out: Option<&mut *mut logflux_config>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let config = ClientConfig::from_env()?;
        let timeout = config.secret_command_timeout.get();
        out.give(logflux_config::new(config, SecretSource::from_env()?.load_within(timeout)?))
    })
}

/// Sets the sender's name; that of the host by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_node(
    config: Option<&mut logflux_config>,
    node: *const c_char,
    node_length: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || set_node(config, text!(node, node_length)))
}

/// logflux_config_set_node for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_node_cstr(
    config: Option<&mut logflux_config>,
    node: *const c_char,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || set_node(config, utf8(string!(node), "node")?))
}

fn set_node(config: Option<&mut logflux_config>, node: &str) -> Result<(), Failure> {
    let config = there(config, "config")?;
    let node = Node::new(node)
        .map_err(|error| at_field(logflux_status::InvalidNode, Field::Node, error))?;
    config.config.node = Some(node);
    Ok(())
}

/// Sets the proxy that requests go through, a URL that begins with http://, https://, socks5://
/// or socks5h://, or the word none for a direct connection; by default what HTTPS_PROXY,
/// ALL_PROXY and NO_PROXY say.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_proxy(
    config: Option<&mut logflux_config>,
    proxy: *const c_char,
    proxy_length: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || set_proxy(config, text!(proxy, proxy_length)))
}

/// logflux_config_set_proxy for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_proxy_cstr(
    config: Option<&mut logflux_config>,
    proxy: *const c_char,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || set_proxy(config, utf8(string!(proxy), ProxySetting::NAME)?))
}

fn set_proxy(config: Option<&mut logflux_config>, proxy: &str) -> Result<(), Failure> {
    let config = there(config, "config")?;
    config.config.proxy = Some(proxy.parse()?);
    Ok(())
}

/// Sets for how many milliseconds one request may last, 1 to 86,400,000; 30,000 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_http_timeout(
    config: Option<&mut logflux_config>,
    timeout_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.http_timeout = HttpTimeout::new(Duration::from_millis(timeout_ms))?;
        Ok(())
    })
}

/// Sets how often a request is sent again after its first failure where there is no spool, 0 to
/// 1,000,000; for how many milliseconds the first pause and the longest last, 1 to 86,400,000, the
/// first at most as long as the longest; and by what the pause grows with every failure, 1 to 100.
/// 5, 500, 30,000 and 2 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_retry(
    config: Option<&mut logflux_config>,
    max_retries: u32,
    initial_delay_ms: u64,
    max_delay_ms: u64,
    backoff_factor: f64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        let max_retries = MaxRetries::new(max_retries)?;
        let (initial, max) = (initial_delay_ms, max_delay_ms);
        let (initial, max) = (Duration::from_millis(initial), Duration::from_millis(max));
        let backoff = Backoff::new(initial, max, backoff_factor)?;
        config.config.retry = Retry { max_retries, backoff };
        Ok(())
    })
}

/// Sets for how many milliseconds a batch is tried at most where there is no spool, 0 to
/// 604,800,000; 300,000 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_retry_deadline(
    config: Option<&mut logflux_config>,
    deadline_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.retry_deadline = RetryDeadline::new(Duration::from_millis(deadline_ms))?;
        Ok(())
    })
}

/// Sets how many messages, and how many bytes of them, may wait in memory: 1 to 16,000,000, 10,000
/// by default; and 1 to 68,719,476,736, 8,388,608 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_queue(
    config: Option<&mut logflux_config>,
    max_messages: usize,
    max_bytes: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        let (size, bytes) = (QueueSize::new(max_messages)?, QueueBytes::new(max_bytes)?);
        (config.config.queue_size, config.config.queue_bytes) = (size, bytes);
        Ok(())
    })
}

/// Sets what a logging call does when the queue is full, a logflux_when_full.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_when_full(
    config: Option<&mut logflux_config>,
    when_full: u32,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.when_full = match when_full {
            0 => WhenFull::DropNewest,
            1 => WhenFull::DropOldest,
            2 => WhenFull::Block,
            _ => return Err(invalid(WhenFull::NAME, "when_full must be 0, 1 or 2")),
        };
        Ok(())
    })
}

/// Sets for how many milliseconds a message may wait for others to be sent with, 1 to 86,400,000;
/// 1,000 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_flush_interval(
    config: Option<&mut logflux_config>,
    interval_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.flush_interval = FlushInterval::new(Duration::from_millis(interval_ms))?;
        Ok(())
    })
}

/// Sets how many requests may be in flight at once, 1 to 16; 2 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_max_in_flight(
    config: Option<&mut logflux_config>,
    requests: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.max_in_flight = InFlight::new(requests)?;
        Ok(())
    })
}

/// Sets the encryption mode, a logflux_mode; 1, the standard, by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_mode(
    config: Option<&mut logflux_config>,
    mode: u32,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        there(config, "config")?.config.mode = self::mode(mode)?;
        Ok(())
    })
}

/// Sets how key derivations are spent in modes 1 to 4; NULL is the default. Its bounds are checked
/// by logflux_client_new.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_key_policy(
    config: Option<&mut logflux_config>,
    policy: Option<&logflux_key_policy>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.key_policy = self::policy(policy)?;
        Ok(())
    })
}

/// Sets the least severe logflux_level that is logged; debug, and so everything, by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_min_level(
    config: Option<&mut logflux_config>,
    level: u32,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.min_level = self::level(level)?;
        Ok(())
    })
}

/// Sets for how many milliseconds the end of the process waits at most for a client that is not
/// freed, 0 to 86,400,000; 5,000 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_close_timeout(
    config: Option<&mut logflux_config>,
    timeout_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.close_timeout = CloseTimeout::new(Duration::from_millis(timeout_ms))?;
        Ok(())
    })
}

/// Zeroes and frees a configuration. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_free(config: Option<Box<logflux_config>>) {
    freeing(config);
}

pub(crate) fn api_key(key: &str) -> Result<ApiKey, Failure> {
    key.parse().map_err(|error| invalid("api_key", error))
}

fn invalid(name: &str, what: impl ToString) -> Failure {
    logflux_error::at(logflux_status::InvalidSetting, name, what)
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        logflux_error::at(logflux_status::InvalidSetting, error.setting, error)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Config(error) => error.into(),
            BuildError::KeyPolicy(error) => error.into(),
            BuildError::Node => at_field(logflux_status::InvalidNode, Field::Node, error),
            BuildError::Trust(_) => logflux_error::at(logflux_status::CaFile, "ca_file", error),
            BuildError::Spool(_) => logflux_error::at(logflux_status::Spool, "spool_dir", error),
            _ => logflux_error::new(logflux_status::InvalidSetting, error),
        }
    }
}

#[cfg(test)]
mod tests;
