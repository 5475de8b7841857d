//! The table of settings: the one place that says what they are called, what they may be, and what
//! they do.
//!
//! The environment is parsed by it. The program's options, the texts of errors, the tables in the
//! documentation and the tests of every language come from it.

use super::choices::{KEY_POLICY, KEY_POLICY_KIND, key_policy};
use super::draft::Read;
use super::error::ConfigError;
use super::kind::Kind;
use super::numbers::{
    BackoffFactor, CloseTimeout, FlushInterval, HttpTimeout, InFlight, InitialDelay, MaxDelay,
    MaxRetries, QueueBytes, QueueSize, RetryDeadline, SecretCommandTimeout, SpoolMaxBytes,
    StatsInterval, SyncInterval,
};
use super::proxy::ProxySetting;
use super::words::{self, API_KEY_FILE, LEVELS, MODES};
use crate::client::WhenFull;
use crate::spool::SpoolFull;

/// A setting of the client.
#[derive(Debug)]
#[non_exhaustive]
pub struct Setting {
    /// Its name in Rust and Python, such as `queue_size`. The program's option is `--queue-size`.
    pub name: &'static str,
    /// Its environment variable.
    pub variable: Option<&'static str>,
    /// What it may be.
    pub kind: Kind,
    /// The C function that sets it.
    pub c: Option<&'static str>,
    /// Whether the classes and functions of the Python package take it by its name.
    pub python: bool,
    /// What it is, in one sentence without a full stop.
    pub about: &'static str,
    pub(super) read: Read,
}

/// Reads a field of the draft from text.
macro_rules! field {
    ($($field:ident).+) => {
        field!($($field).+, |text| text.parse())
    };
    ($($field:ident).+, $read:expr) => {
        Read::Text(|draft, text| {
            let read: fn(&str) -> Result<_, ConfigError> = $read;
            draft.$($field).+ = read(text)?;
            Ok(())
        })
    };
}

/// A setting of every language.
const fn setting(
    name: &'static str,
    variable: &'static str,
    kind: Kind,
    c: &'static str,
    about: &'static str,
    read: Read,
) -> Setting {
    Setting { name, variable: Some(variable), kind, c: Some(c), python: true, about, read }
}

const fn text(values: &'static str, default: &'static str) -> Kind {
    Kind::Text { values, default: Some(default) }
}

const fn needed(values: &'static str) -> Kind {
    Kind::Text { values, default: None }
}

const ONE_OF_TWO: &str = "one of LOGFLUX_API_KEY and LOGFLUX_API_KEY_FILE is needed";
const ONE_OF_THREE: &str =
    "one of LOGFLUX_SECRET, LOGFLUX_SECRET_FILE and LOGFLUX_SECRET_COMMAND is needed";

/// Every setting of the client, in the order in which a reader wants them.
pub static SETTINGS: &[Setting] = &[
    setting(
        "server_url",
        "LOGFLUX_SERVER_URL",
        needed("an https:// URL"),
        "logflux_config_new",
        "The ingest API, without the path of a call",
        Read::First,
    ),
    setting(
        "api_key",
        "LOGFLUX_API_KEY",
        text("lf_ and 32 letters or digits", ONE_OF_TWO),
        "logflux_config_new",
        "The API key",
        Read::First,
    ),
    Setting {
        name: API_KEY_FILE,
        variable: Some("LOGFLUX_API_KEY_FILE"),
        kind: text("a path", ONE_OF_TWO),
        c: None,
        python: false,
        about: "The file that holds the API key, in its place; white space around it does not count",
        read: Read::First,
    },
    setting(
        "secret",
        "LOGFLUX_SECRET",
        text("UTF-8 that is not blank", ONE_OF_THREE),
        "logflux_config_new",
        "The secret that every key is derived from",
        Read::Secret,
    ),
    Setting {
        name: "secret_file",
        variable: Some("LOGFLUX_SECRET_FILE"),
        kind: text("a path", ONE_OF_THREE),
        c: Some("logflux_secret_from_file"),
        python: false,
        about: "The file that holds the secret; one line end at its end does not count",
        read: Read::Secret,
    },
    Setting {
        name: "secret_command",
        variable: Some("LOGFLUX_SECRET_COMMAND"),
        kind: text("a command for `sh -c`", ONE_OF_THREE),
        c: None,
        python: false,
        about: "The command that prints the secret; one line end at its end does not count",
        read: Read::Secret,
    },
    Setting {
        name: SecretCommandTimeout::NAME,
        variable: Some("LOGFLUX_SECRET_COMMAND_TIMEOUT"),
        kind: SecretCommandTimeout::KIND,
        c: None,
        python: false,
        about: "How long the command that prints the secret may run",
        read: field!(config.secret_command_timeout),
    },
    setting(
        "node",
        "LOGFLUX_NODE",
        text("1 to 255 characters without control characters", "the host name"),
        "logflux_config_set_node",
        "The sender's name",
        field!(config.node, |text| words::node(text).map(Some)),
    ),
    setting(
        "ca_file",
        "LOGFLUX_CA_FILE",
        text("a path, or `system`", "Mozilla's public authorities"),
        "logflux_config_set_ca_file",
        "The file of the authority to trust, in PEM, and then no other is trusted; `system` is what the operating system trusts",
        Read::Path(|draft, path| draft.config.ca_file = Some(path)),
    ),
    setting(
        ProxySetting::NAME,
        "LOGFLUX_PROXY",
        text(ProxySetting::VALUES, "what HTTPS_PROXY, ALL_PROXY and NO_PROXY say"),
        "logflux_config_set_proxy",
        "The proxy that requests go through; none is a direct connection whatever the other variables say",
        field!(config.proxy, |text| text.parse().map(Some)),
    ),
    setting(
        HttpTimeout::NAME,
        "LOGFLUX_HTTP_TIMEOUT",
        HttpTimeout::KIND,
        "logflux_config_set_http_timeout",
        "How long one request may take",
        field!(config.http_timeout),
    ),
    setting(
        InFlight::NAME,
        "LOGFLUX_MAX_IN_FLIGHT",
        InFlight::KIND,
        "logflux_config_set_max_in_flight",
        "How many requests may be in flight at once",
        field!(config.max_in_flight),
    ),
    setting(
        MaxRetries::NAME,
        "LOGFLUX_MAX_RETRIES",
        MaxRetries::KIND,
        "logflux_config_set_retry",
        "How often a request is sent again after its first failure, where there is no spool",
        field!(config.retry.max_retries),
    ),
    setting(
        InitialDelay::NAME,
        "LOGFLUX_INITIAL_DELAY",
        InitialDelay::KIND,
        "logflux_config_set_retry",
        "The pause after the first failure, at most max_delay",
        field!(initial_delay),
    ),
    setting(
        MaxDelay::NAME,
        "LOGFLUX_MAX_DELAY",
        MaxDelay::KIND,
        "logflux_config_set_retry",
        "The longest pause between two attempts, unless the server asks for a longer one",
        field!(max_delay),
    ),
    setting(
        BackoffFactor::NAME,
        "LOGFLUX_BACKOFF_FACTOR",
        BackoffFactor::KIND,
        "logflux_config_set_retry",
        "By what the pause grows with every failure",
        field!(factor),
    ),
    setting(
        RetryDeadline::NAME,
        "LOGFLUX_RETRY_DEADLINE",
        RetryDeadline::KIND,
        "logflux_config_set_retry_deadline",
        "How long a batch is tried at most, where there is no spool",
        field!(config.retry_deadline),
    ),
    setting(
        QueueSize::NAME,
        "LOGFLUX_QUEUE_SIZE",
        QueueSize::KIND,
        "logflux_config_set_queue",
        "How many messages may wait in memory",
        field!(config.queue_size),
    ),
    setting(
        QueueBytes::NAME,
        "LOGFLUX_QUEUE_BYTES",
        QueueBytes::KIND,
        "logflux_config_set_queue",
        "How many bytes of messages may wait in memory; a longer message is taken where nothing else waits",
        field!(config.queue_bytes),
    ),
    setting(
        WhenFull::NAME,
        "LOGFLUX_WHEN_FULL",
        WhenFull::KIND,
        "logflux_config_set_when_full",
        "What a logging call does when the queue is full: drop the new message, drop the oldest, or wait",
        field!(config.when_full),
    ),
    setting(
        FlushInterval::NAME,
        "LOGFLUX_FLUSH_INTERVAL",
        FlushInterval::KIND,
        "logflux_config_set_flush_interval",
        "How long a message may wait for others to be sent with",
        field!(config.flush_interval),
    ),
    setting(
        "spool_dir",
        "LOGFLUX_SPOOL_DIR",
        text("a path", "no spool"),
        "logflux_config_set_spool_dir",
        "The folder of a durable spool: what is in it outlives the process",
        Read::Path(|draft, path| draft.config.spool_dir = Some(path)),
    ),
    setting(
        SpoolMaxBytes::NAME,
        "LOGFLUX_SPOOL_MAX_BYTES",
        SpoolMaxBytes::KIND,
        "logflux_config_set_spool",
        "How many bytes the spool of one process may take on disk",
        field!(config.spool_max_bytes),
    ),
    setting(
        SpoolFull::NAME,
        "LOGFLUX_SPOOL_WHEN_FULL",
        SpoolFull::KIND,
        "logflux_config_set_spool",
        "What a full spool does: refuse the new entry, or drop the oldest",
        field!(config.spool_when_full),
    ),
    setting(
        SyncInterval::NAME,
        "LOGFLUX_SYNC_INTERVAL",
        SyncInterval::KIND,
        "logflux_config_set_sync_interval",
        "How long a spooled entry may wait to be durable; a flush does not wait",
        field!(config.sync_interval),
    ),
    setting(
        "mode",
        "LOGFLUX_MODE",
        text(MODES, "1"),
        "logflux_config_set_mode",
        "The encryption mode",
        field!(config.mode, words::mode),
    ),
    setting(
        KEY_POLICY,
        "LOGFLUX_KEY_POLICY",
        KEY_POLICY_KIND,
        "logflux_config_set_key_policy",
        "How key derivations are spent in modes 1 to 4",
        field!(config.key_policy, key_policy),
    ),
    setting(
        "min_level",
        "LOGFLUX_MIN_LEVEL",
        text(LEVELS, "debug"),
        "logflux_config_set_min_level",
        "The least severe level that is logged",
        field!(config.min_level, words::level),
    ),
    Setting {
        name: CloseTimeout::NAME,
        variable: Some("LOGFLUX_CLOSE_TIMEOUT"),
        kind: CloseTimeout::KIND,
        c: Some("logflux_config_set_close_timeout"),
        python: true,
        about: "How long closing waits at the end of the process, or where no other time is given",
        read: field!(config.close_timeout),
    },
    Setting {
        name: StatsInterval::NAME,
        variable: None,
        kind: StatsInterval::KIND,
        c: Some("logflux_config_set_on_stats"),
        python: false,
        about: "How often the callback for statistics is called",
        read: Read::Code,
    },
];
