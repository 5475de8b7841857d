//! What a sender needs, from code or from the environment.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use logflux_wire::{ApiKey, ApiKeyError, DurationError, Node, NodeError, parse_duration};

use crate::api::{Api, ApiError, Trust};
use crate::endpoint::{Endpoint, EndpointError};
use crate::http::{ProxyChoice, Route};
use crate::retry::Retry;

/// Where to send, as whom, and how patiently. The secret is not among it: see
/// [`SecretSource`](crate::SecretSource).
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ingest API (`LOGFLUX_SERVER_URL`).
    pub endpoint: Endpoint,
    /// The key (`LOGFLUX_API_KEY`).
    pub api_key: ApiKey,
    /// The sender's name (`LOGFLUX_NODE`); `None` leaves it to the caller.
    pub node: Option<Node>,
    /// The file of the authority to trust, in PEM (`LOGFLUX_CA_FILE`); `None` for the public ones.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take (`LOGFLUX_HTTP_TIMEOUT`, 30 s).
    pub http_timeout: Duration,
    /// When to try again.
    pub retry: Retry,
    /// How many messages may wait in memory (`LOGFLUX_QUEUE_SIZE`, 10,000).
    pub queue_size: usize,
    /// How long a message may wait for others to be sent with (`LOGFLUX_FLUSH_INTERVAL`, 1 s).
    pub flush_interval: Duration,
    /// The folder of the durable spool (`LOGFLUX_SPOOL_DIR`); `None` for none.
    pub spool_dir: Option<PathBuf>,
}

/// Where settings are looked up by their variable's name: the environment, or a test's table.
pub type Variables<'a> = &'a dyn Fn(&'static str) -> Option<OsString>;

impl Settings {
    /// Settings with every other at its default.
    #[must_use]
    pub fn new(endpoint: Endpoint, api_key: ApiKey) -> Self {
        Self {
            endpoint,
            api_key,
            node: None,
            ca_file: None,
            http_timeout: Duration::from_secs(30),
            retry: Retry::default(),
            queue_size: 10_000,
            flush_interval: Duration::from_secs(1),
            spool_dir: None,
        }
    }

    /// Settings from the `LOGFLUX_…` environment variables.
    ///
    /// # Errors
    /// [`SettingsError`], which names the variable.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_variables(&|name| env::var_os(name))
    }

    /// Settings from variables that are looked up by `get`. An empty one counts as not set.
    ///
    /// # Errors
    /// [`SettingsError`], which names the variable.
    pub fn from_variables(get: Variables<'_>) -> Result<Self, SettingsError> {
        let path = |name| get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let get = |name| match get(name).filter(|value| !value.is_empty()) {
            Some(value) => match value.into_string() {
                Ok(text) => Ok(Some((name, text))),
                Err(_) => Err(SettingsError::NotText { name }),
            },
            None => Ok(None),
        };
        let needed = |name| get(name)?.ok_or(SettingsError::Missing { name });
        let (name, url) = needed("LOGFLUX_SERVER_URL")?;
        let endpoint = url.parse().map_err(|error| SettingsError::Endpoint { name, error })?;
        let (name, key) = needed("LOGFLUX_API_KEY")?;
        let api_key = key.parse().map_err(|error| SettingsError::ApiKey { name, error })?;
        let mut settings = Self::new(endpoint, api_key);
        if let Some((name, node)) = get("LOGFLUX_NODE")? {
            let node = Node::new(node).map_err(|error| SettingsError::Node { name, error })?;
            settings.node = Some(node);
        }
        settings.ca_file = path("LOGFLUX_CA_FILE");
        settings.spool_dir = path("LOGFLUX_SPOOL_DIR");
        for (variable, slot) in [
            ("LOGFLUX_HTTP_TIMEOUT", &mut settings.http_timeout),
            ("LOGFLUX_INITIAL_DELAY", &mut settings.retry.initial_delay),
            ("LOGFLUX_MAX_DELAY", &mut settings.retry.max_delay),
            ("LOGFLUX_FLUSH_INTERVAL", &mut settings.flush_interval),
        ] {
            if let Some((name, text)) = get(variable)? {
                *slot = parse_duration(&text)
                    .map_err(|error| SettingsError::Duration { name, error })?;
            }
        }
        if let Some((name, text)) = get("LOGFLUX_MAX_RETRIES")? {
            settings.retry.max_retries = text
                .parse()
                .map_err(|_| SettingsError::Number { name, expected: "a whole number from 0" })?;
        }
        if let Some((name, text)) = get("LOGFLUX_QUEUE_SIZE")? {
            settings.queue_size = text
                .parse()
                .ok()
                .filter(|size: &usize| (1..=100_000_000).contains(size))
                .ok_or(SettingsError::Number { name, expected: "a whole number from 1" })?;
        }
        if let Some((name, text)) = get("LOGFLUX_BACKOFF_FACTOR")? {
            settings.retry.backoff_factor = text
                .parse()
                .ok()
                .filter(|factor: &f64| (1.0..=100.0).contains(factor))
                .ok_or(SettingsError::Number { name, expected: "a number from 1 to 100" })?;
        }
        Ok(settings)
    }

    /// Makes a caller with these settings; no connection is opened yet. Which proxy it uses is said by
    /// the environment (see [`ProxyChoice`]).
    ///
    /// # Errors
    /// [`ApiError`] where the CA file cannot be used, or a variable names no proxy that is supported.
    pub fn api(&self) -> Result<Api, ApiError> {
        let trust = match &self.ca_file {
            Some(path) => Trust::from_file(path)?,
            None => Trust::PublicRoots,
        };
        let choice = ProxyChoice::from_env()?;
        let route = Route::choose(&self.endpoint, &choice, &|name| env::var_os(name))?;
        Ok(Api::new(self.endpoint.clone(), &self.api_key, trust, route, self.http_timeout))
    }
}

/// Which setting is missing or wrong. The API key is never in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A variable that is needed is not set.
    #[error("{name} is not set")]
    Missing {
        /// The variable.
        name: &'static str,
    },
    /// A variable is not UTF-8, and what it sets is no path.
    #[error("{name} is not UTF-8")]
    NotText {
        /// The variable.
        name: &'static str,
    },
    /// The address is none.
    #[error("{name}: {error}")]
    Endpoint {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        error: EndpointError,
    },
    /// The key is none.
    #[error("{name}: {error}")]
    ApiKey {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        error: ApiKeyError,
    },
    /// The node is none.
    #[error("{name}: {error}")]
    Node {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        error: NodeError,
    },
    /// A duration is none.
    #[error("{name}: {error}")]
    Duration {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        error: DurationError,
    },
    /// A number is none, or out of its range.
    #[error("{name} must be {expected}")]
    Number {
        /// The variable.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "lf_0123456789abcdefABCDEF0123456789";

    fn read(extra: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let base = [("LOGFLUX_SERVER_URL", "https://localhost:1"), ("LOGFLUX_API_KEY", KEY)];
        let find = |table: &[(&str, &str)], name: &str| {
            table.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
        };
        Settings::from_variables(&|name| find(extra, name).or_else(|| find(&base, name)))
    }

    #[test]
    fn every_variable_is_read() {
        let settings = read(&[
            ("LOGFLUX_NODE", "bär"),
            ("LOGFLUX_CA_FILE", "/ca.pem"),
            ("LOGFLUX_HTTP_TIMEOUT", "5s"),
            ("LOGFLUX_MAX_RETRIES", "0"),
            ("LOGFLUX_INITIAL_DELAY", "250ms"),
            ("LOGFLUX_MAX_DELAY", "7"),
            ("LOGFLUX_BACKOFF_FACTOR", "1.5"),
            ("LOGFLUX_QUEUE_SIZE", "77"),
            ("LOGFLUX_FLUSH_INTERVAL", "20ms"),
            ("LOGFLUX_SPOOL_DIR", "/spool"),
        ])
        .unwrap();
        assert_eq!(settings.node, Some("bär".parse().unwrap()));
        assert_eq!(settings.ca_file, Some("/ca.pem".into()));
        assert_eq!(settings.http_timeout, Duration::from_secs(5));
        assert_eq!(settings.queue_size, 77);
        assert_eq!(settings.flush_interval, Duration::from_millis(20));
        assert_eq!(settings.spool_dir, Some("/spool".into()));
        let retry = Retry {
            max_retries: 0,
            initial_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(7),
            backoff_factor: 1.5,
        };
        assert_eq!(settings.retry, retry);
        assert_eq!(read(&[("LOGFLUX_NODE", "")]).unwrap().retry, Retry::default());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_variable_and_the_key_is_not_shown() {
        for (name, value) in [
            ("LOGFLUX_SERVER_URL", "http://example.com"),
            ("LOGFLUX_SERVER_URL", ""),
            ("LOGFLUX_API_KEY", "hunter2"),
            ("LOGFLUX_NODE", "a\nb"),
            ("LOGFLUX_HTTP_TIMEOUT", "soon"),
            ("LOGFLUX_MAX_RETRIES", "-1"),
            ("LOGFLUX_BACKOFF_FACTOR", "0.5"),
            ("LOGFLUX_QUEUE_SIZE", "0"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(!format!("{:?}", read(&[]).unwrap()).contains(KEY));
    }

    #[cfg(unix)]
    #[test]
    fn only_a_path_may_be_other_than_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let read = |broken| {
            Settings::from_variables(&move |name| match name {
                name if name == broken => Some(OsString::from_vec(b"/\xff".to_vec())),
                "LOGFLUX_SERVER_URL" => Some("https://localhost:1".into()),
                "LOGFLUX_API_KEY" => Some(KEY.into()),
                _ => None,
            })
        };
        for name in ["LOGFLUX_SERVER_URL", "LOGFLUX_API_KEY", "LOGFLUX_NODE", "LOGFLUX_QUEUE_SIZE"]
        {
            assert_eq!(read(name).unwrap_err(), SettingsError::NotText { name });
        }
        assert!(read("LOGFLUX_SPOOL_DIR").unwrap().spool_dir.is_some());
        assert!(read("LOGFLUX_CA_FILE").unwrap().ca_file.is_some());
    }
}
