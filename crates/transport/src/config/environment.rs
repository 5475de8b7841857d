//! The configuration that the environment names.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use super::backoff::Backoff;
use super::client_config::ClientConfig;
use super::draft::{Draft, Read};
use super::error::{ConfigError, Reason};
use super::numbers::SecretCommandTimeout;
use super::table::{SETTINGS, Setting};
use super::words;

const SERVER_URL: &str = "LOGFLUX_SERVER_URL";
const API_KEY: &str = "LOGFLUX_API_KEY";
const API_KEY_FILE: &str = "LOGFLUX_API_KEY_FILE";

/// Where a variable is looked up by its name: the environment, or a test's table.
pub type Variables<'a> = &'a dyn Fn(&'static str) -> Option<OsString>;

impl ClientConfig {
    /// The configuration that the `LOGFLUX_…` environment variables name: those of [`SETTINGS`].
    ///
    /// # Errors
    /// [`ConfigError`], which names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(&|name| env::var_os(name))
    }

    /// A configuration from variables that `get` looks up. An empty one counts as not set.
    ///
    /// # Errors
    /// [`ConfigError`], which names the variable.
    pub fn from_variables(get: Variables<'_>) -> Result<Self, ConfigError> {
        let set = |variable| get(variable).filter(|value| !value.is_empty());
        let needed = |variable| {
            let missing = ConfigError { setting: variable, reason: Reason::Missing };
            set(variable).ok_or(missing).and_then(|value| text(variable, value))
        };
        let named = |variable| move |error: ConfigError| error.named(variable);
        let endpoint = words::endpoint(&needed(SERVER_URL)?).map_err(named(SERVER_URL))?;
        let api_key = match set(API_KEY_FILE) {
            Some(_) if set(API_KEY).is_some() => {
                let what = "must not be set where LOGFLUX_API_KEY is: unset one of them";
                return Err(ConfigError::invalid(API_KEY_FILE, &what));
            }
            Some(path) => words::api_key_file(Path::new(&path)).map_err(named(API_KEY_FILE))?,
            None => words::api_key(&needed(API_KEY)?).map_err(named(API_KEY))?,
        };
        let config = Self::new(endpoint, api_key);
        let backoff = config.retry.backoff;
        let mut draft = Draft {
            config,
            initial_delay: backoff.initial_delay(),
            max_delay: backoff.max_delay(),
            factor: backoff.factor(),
        };
        for Setting { variable, read, .. } in SETTINGS {
            let Some((variable, value)) = variable.and_then(|name| Some((name, set(name)?))) else {
                continue;
            };
            match read {
                Read::Text(read) => {
                    read(&mut draft, &text(variable, value)?).map_err(named(variable))?;
                }
                Read::Path(read) => read(&mut draft, value.into()),
                Read::First | Read::Secret | Read::Code => {}
            }
        }
        let Draft { mut config, initial_delay, max_delay, factor } = draft;
        config.retry.backoff = Backoff::of(initial_delay, max_delay, factor)
            .map_err(named("LOGFLUX_INITIAL_DELAY"))?;
        Ok(config)
    }
}

impl SecretCommandTimeout {
    /// What `LOGFLUX_SECRET_COMMAND_TIMEOUT` says; the default where it is not set, or empty. For what
    /// fetches a secret without a [`ClientConfig`].
    ///
    /// # Errors
    /// [`ConfigError`], which names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        const VARIABLE: &str = "LOGFLUX_SECRET_COMMAND_TIMEOUT";
        match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(value) => {
                text(VARIABLE, value)?.parse().map_err(|error: ConfigError| error.named(VARIABLE))
            }
            None => Ok(Self::DEFAULT),
        }
    }
}

fn text(variable: &'static str, value: OsString) -> Result<String, ConfigError> {
    let not_utf8 = |_| ConfigError { setting: variable, reason: Reason::NotUtf8 };
    value.into_string().map_err(not_utf8)
}
