//! What a client is set to. In the submodules: the files and folders that it uses, and what it calls.

pub mod callbacks;
pub mod files;

use std::ffi::c_char;
use std::time::Duration;

use logflux_envelope::{Field, Mode, Node, Secret, SecretSource};
use logflux_transport::{
    BuildError, Client, ClientBuilder, Settings, SettingsError, SpoolOptions, WhenFull,
};

use crate::arguments::{Out, string, text, there, utf8};
use crate::boundary::{boundary, freeing};
use crate::client::logflux_client_stats;
use crate::drops::logflux_dropped;
use crate::error::{Failure, at_field, logflux_error};
use crate::gate::Callback;
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
    builder: ClientBuilder,
    mode: Mode,
    spool: SpoolOptions,
    on_drop: Option<Callback<logflux_dropped>>,
    on_stats: Option<(Duration, Callback<logflux_client_stats>)>,
}

impl logflux_config {
    fn new(settings: Settings, secret: Secret) -> Self {
        Self {
            builder: Client::builder(settings, secret),
            mode: Mode::Pbkdf2,
            spool: SpoolOptions::default(),
            on_drop: None,
            on_stats: None,
        }
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        self.builder.clone().mode(self.mode).spool_options(self.spool)
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn on_drop(&self) -> Option<Callback<logflux_dropped>> {
        self.on_drop
    }

    pub(crate) fn on_stats(&self) -> Option<(Duration, Callback<logflux_client_stats>)> {
        self.on_stats
    }

    fn change(&mut self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) {
        self.builder = change(self.builder.clone());
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
    let api_key = api_key.parse().map_err(|error| invalid("api_key", error))?;
    Ok(logflux_config::new(Settings::new(endpoint, api_key), secret))
}

/// Makes the configuration that the environment names (PROTOCOL 8): LOGFLUX_SERVER_URL,
/// LOGFLUX_API_KEY, the secret as logflux_secret_from_env, and, where they are set, LOGFLUX_NODE,
/// LOGFLUX_CA_FILE, LOGFLUX_QUEUE_SIZE, LOGFLUX_FLUSH_INTERVAL, LOGFLUX_MAX_RETRIES,
/// LOGFLUX_INITIAL_DELAY, LOGFLUX_MAX_DELAY, LOGFLUX_BACKOFF_FACTOR, LOGFLUX_HTTP_TIMEOUT and
/// LOGFLUX_SPOOL_DIR. No other thread may change the environment meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_from_env(
    out: Option<&mut *mut logflux_config>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let settings = Settings::from_env()?;
        out.give(logflux_config::new(settings, SecretSource::from_env()?.load()?))
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
    config.builder.settings_mut().node = Some(node);
    Ok(())
}

/// Sets for how many milliseconds one request may last, from 1; 30,000 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_http_timeout(
    config: Option<&mut logflux_config>,
    timeout_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        if !(1..=MS_MAX).contains(&timeout_ms) {
            return Err(invalid("timeout_ms", "timeout_ms must be 1 to 86400000, a day"));
        }
        config.builder.settings_mut().http_timeout = Duration::from_millis(timeout_ms);
        Ok(())
    })
}

/// A day: the longest that a request may last, or that a pause may be.
const MS_MAX: u64 = 86_400_000;

/// Sets how often a request is tried again after its first failure, the pause after that one, the
/// longest pause, and by what the pause grows with every failure, from 1 to 100. 5, 500 ms, 30,000 ms
/// and 2.0 by default.
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
        if !(1.0..=100.0).contains(&backoff_factor) {
            return Err(invalid("backoff_factor", "backoff_factor must be 1 to 100"));
        }
        if initial_delay_ms > MS_MAX || max_delay_ms > MS_MAX {
            return Err(invalid("max_delay_ms", "a delay must be at most 86400000 ms, a day"));
        }
        let retry = &mut config.builder.settings_mut().retry;
        retry.max_retries = max_retries;
        retry.initial_delay = Duration::from_millis(initial_delay_ms);
        retry.max_delay = Duration::from_millis(max_delay_ms);
        retry.backoff_factor = backoff_factor;
        Ok(())
    })
}

/// Sets for how many milliseconds a batch is tried at most where there is no spool; 300,000 by
/// default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_retry_deadline(
    config: Option<&mut logflux_config>,
    deadline_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let deadline = Duration::from_millis(deadline_ms.min(MS_MAX));
        there(config, "config")?.change(|builder| builder.retry_deadline(deadline));
        Ok(())
    })
}

/// Sets how many messages, and how many bytes of them, may wait in memory: 1 to 100,000,000, 10,000
/// by default, and 1 or more, 8 MiB by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_queue(
    config: Option<&mut logflux_config>,
    max_messages: usize,
    max_bytes: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        if !(1..=100_000_000).contains(&max_messages) {
            return Err(invalid("max_messages", "max_messages must be 1 to 100000000"));
        }
        if max_bytes == 0 || max_bytes > isize::MAX.unsigned_abs() / 2 {
            return Err(invalid("max_bytes", "max_bytes must be at least 1"));
        }
        config.builder.settings_mut().queue_size = max_messages;
        config.change(|builder| builder.queue_bytes(max_bytes));
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
        let when_full = match when_full {
            0 => WhenFull::DropNewest,
            1 => WhenFull::DropOldest,
            2 => WhenFull::Block,
            _ => return Err(invalid("when_full", "when_full must be 0, 1 or 2")),
        };
        config.change(|builder| builder.when_full(when_full));
        Ok(())
    })
}

/// Sets for how many milliseconds a message may wait for others to be sent with; 1,000 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_flush_interval(
    config: Option<&mut logflux_config>,
    interval_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let interval = Duration::from_millis(interval_ms.min(MS_MAX));
        there(config, "config")?.builder.settings_mut().flush_interval = interval;
        Ok(())
    })
}

/// Sets how many requests may be under way at once, 1 to 16; 2 by default.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_max_in_flight(
    config: Option<&mut logflux_config>,
    requests: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        if !(1..=16).contains(&requests) {
            return Err(invalid("requests", "requests must be 1 to 16"));
        }
        config.change(|builder| builder.max_in_flight(requests));
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
        there(config, "config")?.mode = self::mode(mode)?;
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
        let policy = self::policy(policy)?;
        config.change(|builder| builder.key_policy(policy));
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
        let level = self::level(level)?;
        config.change(|builder| builder.min_level(level));
        Ok(())
    })
}

/// Zeroes and frees a configuration. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_free(config: Option<Box<logflux_config>>) {
    freeing(config);
}

fn invalid(name: &str, what: impl ToString) -> Failure {
    logflux_error::at(logflux_status::InvalidSetting, name, what)
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let text = error.to_string();
        match error {
            SettingsError::Missing { name }
            | SettingsError::Endpoint { name, .. }
            | SettingsError::ApiKey { name, .. }
            | SettingsError::Node { name, .. }
            | SettingsError::Duration { name, .. }
            | SettingsError::Number { name, .. } => invalid(name, text),
            _ => logflux_error::new(logflux_status::InvalidSetting, text),
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::KeyPolicy(error) => error.into(),
            BuildError::Node => at_field(logflux_status::InvalidNode, Field::Node, error),
            BuildError::Trust(_) => logflux_error::at(logflux_status::CaFile, "ca_file", error),
            BuildError::Spool(_) => logflux_error::at(logflux_status::Spool, "spool_dir", error),
            _ => logflux_error::new(logflux_status::InvalidSetting, error),
        }
    }
}
