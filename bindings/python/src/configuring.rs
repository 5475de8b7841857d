//! The settings of a client, from the values that Python's callers give.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use logflux_transport::{
    Backoff, BackoffFactor, ClientConfig, CloseTimeout, ConfigError, FlushInterval, HttpTimeout,
    InFlight, InitialDelay, MaxDelay, MaxRetries, QueueBytes, QueueSize, RetryDeadline,
    SpoolMaxBytes, SyncInterval,
};
use logflux_wire::ApiKey;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};

use crate::args::{self, wrong_type};
use crate::errors;
use crate::policy::KeyPolicy;

/// The settings that were given, by name.
pub(crate) struct Named<'a, 'py>(pub(crate) &'a Bound<'py, PyDict>);

impl<'py> Named<'_, 'py> {
    pub(crate) fn py(&self) -> Python<'py> {
        self.0.py()
    }

    #[expect(clippy::unused_self, reason = "what is missing, is missing here")]
    pub(crate) fn missing(&self, name: &str) -> PyErr {
        PyTypeError::new_err(format!("{name} is missing"))
    }

    /// A callback.
    pub(crate) fn callable(&self, name: &str) -> PyResult<Option<Py<PyAny>>> {
        match self.get(name)? {
            Some(callback) if !callback.is_callable() => {
                Err(wrong_type(name, "callable", &callback))
            }
            callback => Ok(callback.map(Bound::unbind)),
        }
    }

    pub(crate) fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    pub(crate) fn text(&self, name: &str) -> PyResult<Option<String>> {
        self.get(name)?.map(|value| args::named_text(name, &value)).transpose()
    }

    pub(crate) fn path(&self, name: &str) -> PyResult<Option<PathBuf>> {
        self.get(name)?.map(|value| args::path(name, &value)).transpose()
    }

    /// A duration, or what `default` is.
    fn duration<T>(
        &self,
        name: &str,
        new: impl FnOnce(Duration) -> Result<T, ConfigError>,
        out_of_bounds: impl FnOnce() -> ConfigError,
        slot: &mut T,
    ) -> PyResult<()> {
        if let Some(value) = self.get(name)? {
            let duration = args::any_duration(name, &value)?;
            *slot = duration.map_or_else(|| Err(out_of_bounds()), new).map_err(errors::config)?;
        }
        Ok(())
    }

    /// A whole number.
    fn number<T>(
        &self,
        name: &str,
        new: impl FnOnce(i128) -> Result<T, ConfigError>,
        slot: &mut T,
    ) -> PyResult<()> {
        let Some(value) = self.get(name)? else { return Ok(()) };
        let integer = value.cast::<PyInt>().map_err(|_| wrong_type(name, "int", &value))?;
        // What does not even fit is out of every bound.
        let number = integer.extract().unwrap_or(i128::MAX);
        *slot = new(number).map_err(errors::config)?;
        Ok(())
    }

    /// One of a few words.
    fn choice<T: FromStr<Err = ConfigError>>(&self, name: &str, slot: &mut T) -> PyResult<()> {
        if let Some(word) = self.text(name)? {
            *slot = word.parse().map_err(errors::config)?;
        }
        Ok(())
    }
}

/// Reads a duration into its place.
macro_rules! duration {
    ($given:ident, $name:ident, $type:ident, $slot:expr) => {
        $given.duration(stringify!($name), $type::new, $type::out_of_bounds, &mut $slot)?
    };
}

pub(crate) fn api_key(text: &str) -> PyResult<ApiKey> {
    text.parse().map_err(|error: logflux_wire::ApiKeyError| errors::setting("api_key", error))
}

pub(crate) fn config(given: &Named<'_, '_>, from_env: bool) -> PyResult<ClientConfig> {
    let (url, key) = (given.text("server_url")?, given.text("api_key")?);
    let mut config = if from_env {
        ClientConfig::from_variables(&|name| match name {
            "LOGFLUX_SERVER_URL" if url.is_some() => url.clone().map(Into::into),
            "LOGFLUX_API_KEY" if key.is_some() => key.clone().map(Into::into),
            // What is given comes before both variables.
            "LOGFLUX_API_KEY_FILE" if key.is_some() => None,
            _ => env::var_os(name),
        })
        .map_err(errors::config)?
    } else {
        let url = url.ok_or_else(|| given.missing("server_url"))?;
        let key = key.ok_or_else(|| given.missing("api_key"))?;
        let endpoint = url.parse().map_err(|error: logflux_transport::EndpointError| {
            errors::setting("server_url", error)
        })?;
        ClientConfig::new(endpoint, api_key(&key)?)
    };
    if let Some(node) = given.get("node")? {
        config.node = Some(args::node(Some(&node))?);
    }
    if let Some(proxy) = given.text("proxy")? {
        config.proxy = Some(proxy.parse().map_err(errors::config)?);
    }
    if let Some(mode) = given.get("mode")? {
        config.mode = args::mode(&mode)?;
    }
    if let Some(policy) = given.get("key_policy")? {
        let policy = policy.cast::<KeyPolicy>();
        config.key_policy = policy.map_err(PyErr::from)?.get().0;
    }
    if let Some(level) = given.get("min_level")? {
        config.min_level = args::level(&level)?;
    }
    config.ca_file = given.path("ca_file")?.or(config.ca_file);
    config.spool_dir = given.path("spool_dir")?.or(config.spool_dir);
    given.choice("when_full", &mut config.when_full)?;
    given.choice("spool_when_full", &mut config.spool_when_full)?;
    given.number("queue_size", QueueSize::new, &mut config.queue_size)?;
    given.number("queue_bytes", QueueBytes::new, &mut config.queue_bytes)?;
    given.number("max_in_flight", InFlight::new, &mut config.max_in_flight)?;
    given.number("max_retries", MaxRetries::new, &mut config.retry.max_retries)?;
    given.number("spool_max_bytes", SpoolMaxBytes::new, &mut config.spool_max_bytes)?;
    let backoff = config.retry.backoff;
    let (mut initial, mut max) = (backoff.initial_delay(), backoff.max_delay());
    let mut factor = backoff.factor();
    duration!(given, http_timeout, HttpTimeout, config.http_timeout);
    duration!(given, flush_interval, FlushInterval, config.flush_interval);
    duration!(given, sync_interval, SyncInterval, config.sync_interval);
    duration!(given, retry_deadline, RetryDeadline, config.retry_deadline);
    duration!(given, close_timeout, CloseTimeout, config.close_timeout);
    duration!(given, initial_delay, InitialDelay, initial);
    duration!(given, max_delay, MaxDelay, max);
    if let Some(value) = given.get("backoff_factor")? {
        let number = value.extract::<f64>();
        let number = number.map_err(|_| wrong_type("backoff_factor", "float", &value))?;
        factor = BackoffFactor::new(number).map_err(errors::config)?;
    }
    config.retry.backoff = Backoff::of(initial, max, factor).map_err(errors::config)?;
    Ok(config)
}
