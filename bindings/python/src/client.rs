//! The client that an application logs through.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Timestamp};
use logflux_transport::{
    ApiError, Backoff, BackoffFactor, BuildError, Client as CoreClient, ClientConfig, CloseTimeout,
    ConfigError, FlushInterval, HttpTimeout, InFlight, InitialDelay, MaxDelay, MaxRetries,
    QueueBytes, QueueSize, RetryDeadline, Rotation, SpoolMaxBytes, SyncInterval, WhenFull,
};
use logflux_wire::ApiKey;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};

use crate::args::{self, duration, wrong_type};
use crate::ending;
use crate::errors;
use crate::policy::KeyPolicy;
use crate::secret;
use crate::stats::{self, ClientStats};

/// Logs through one ingest API, as one node, with one secret.
#[pyclass(frozen, subclass, module = "logflux._core")]
pub(crate) struct Client {
    /// Taken when the object is dropped, and not before.
    handle: Option<Handle>,
}

/// A client, and what a call must know of it.
#[derive(Clone)]
pub(crate) struct Handle {
    client: CoreClient,
    /// Whether a logging call may wait for room.
    waits: bool,
    /// How many drops the callback has been told of; `None` where there is no callback.
    told: Option<Arc<AtomicU64>>,
}

#[pymethods]
impl Client {
    /// ``settings`` are those of the Python class, by name; ``None`` and what is left out is at its
    /// default, or with ``from_env`` what the environment says.
    #[new]
    fn new(settings: &Bound<'_, PyDict>, from_env: bool) -> PyResult<Self> {
        build(&Given(settings), from_env).map(|handle| Self { handle: Some(handle) })
    }

    /// Logs a message of a level, now or at ``timestamp``.
    #[pyo3(signature = (level, message, *args, timestamp = None))]
    fn log(
        &self,
        py: Python<'_>,
        level: &Bound<'_, PyAny>,
        message: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        timestamp: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let level = args::level(level)?;
        let timestamp = timestamp.map(|timestamp| args::timestamp(Some(timestamp))).transpose()?;
        self.handle()?.log(py, level, message, args, timestamp)
    }

    /// Whether a message of this level would be logged.
    fn is_enabled(&self, level: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.handle()?.client.is_enabled(args::level(level)?))
    }

    /// Waits until all that was logged before is delivered, or durable in the spool; false where
    /// ``timeout`` was not enough.
    fn flush(&self, py: Python<'_>, timeout: &Bound<'_, PyAny>) -> PyResult<bool> {
        let timeout = duration("timeout", timeout)?;
        self.handle()?.flush(py, timeout)
    }

    /// Flushes, and ends the client; false where ``timeout`` was not enough.
    fn close(&self, py: Python<'_>, timeout: &Bound<'_, PyAny>) -> PyResult<bool> {
        let timeout = duration("timeout", timeout)?;
        self.handle()?.close(py, timeout)
    }

    /// Goes on with what is given; the rest stays as it is.
    #[pyo3(signature = (*, secret = None, api_key = None, ca_file = None))]
    fn rotate(
        &self,
        py: Python<'_>,
        secret: Option<&Bound<'_, PyAny>>,
        api_key: Option<&Bound<'_, PyAny>>,
        ca_file: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut rotation = Rotation::new();
        if let Some(secret) = secret {
            rotation = rotation.secret(secret::secret(secret)?);
        }
        if let Some(key) = api_key {
            let text = args::named_text("api_key", key)?;
            rotation = rotation.api_key(self::api_key(&text)?);
        }
        if let Some(file) = ca_file {
            rotation = rotation.ca_file(args::path("ca_file", file)?);
        }
        if secret.is_none() && api_key.is_none() && ca_file.is_none() {
            return Err(PyTypeError::new_err("give secret, api_key or ca_file"));
        }
        let client = &self.handle()?.client;
        // A file is read.
        py.detach(|| client.rotate(rotation)).map_err(|error| match error {
            ApiError::Trust(error) => errors::setting("ca_file", error),
            other => errors::settings(other),
        })
    }

    /// What became of all messages of this process.
    fn stats(&self) -> PyResult<ClientStats> {
        Ok(ClientStats(self.handle()?.client.stats()))
    }

    /// How many seconds ``close`` waits unless it is told otherwise.
    #[getter]
    fn _close_timeout(&self) -> PyResult<f64> {
        Ok(self.handle()?.client.close_timeout().as_secs_f64())
    }

    /// Logs an emergency: the system is unusable.
    #[pyo3(signature = (message, *args))]
    fn emergency(&self, message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.handle()?.log(message.py(), Level::Emergency, message, args, None)
    }

    /// Logs an alert: action must be taken at once.
    #[pyo3(signature = (message, *args))]
    fn alert(&self, message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.handle()?.log(message.py(), Level::Alert, message, args, None)
    }

    /// Logs a critical condition.
    #[pyo3(signature = (message, *args))]
    fn critical(&self, message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.handle()?.log(message.py(), Level::Critical, message, args, None)
    }

    /// Logs an error.
    #[pyo3(signature = (message, *args))]
    fn error(&self, message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.handle()?.log(message.py(), Level::Error, message, args, None)
    }

    /// Logs a warning.
    #[pyo3(signature = (message, *args))]
    fn warning(&self, message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.handle()?.log(message.py(), Level::Warning, message, args, None)
    }

    /// Logs what is normal, but significant.
    #[pyo3(signature = (message, *args))]
    fn notice(&self, message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.handle()?.log(message.py(), Level::Notice, message, args, None)
    }

    /// Logs information.
    #[pyo3(signature = (message, *args))]
    fn info(&self, message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.handle()?.log(message.py(), Level::Info, message, args, None)
    }

    /// Logs for debugging.
    #[pyo3(signature = (message, *args))]
    fn debug(&self, message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.handle()?.log(message.py(), Level::Debug, message, args, None)
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("{:?}", self.handle()?.client))
    }
}

impl Client {
    pub(crate) fn handle(&self) -> PyResult<&Handle> {
        self.handle.as_ref().ok_or_else(|| errors::other("the client is gone"))
    }
}

impl Handle {
    /// Logs a message, if its level is logged.
    pub(crate) fn log(
        &self,
        py: Python<'_>,
        level: Level,
        message: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        timestamp: Option<Timestamp>,
    ) -> PyResult<()> {
        if !self.client.is_enabled(level) || ending::inside() {
            return Ok(());
        }
        let message = args::logged(message, args)?;
        let timestamp = timestamp.unwrap_or_else(Timestamp::now);
        if self.waits {
            py.detach(|| self.client.log_bytes(level, &message, timestamp));
        } else {
            // It takes less time than to give the interpreter's lock up and take it again.
            self.client.log_bytes(level, &message, timestamp);
        }
        Ok(())
    }

    pub(crate) fn flush(&self, py: Python<'_>, timeout: Duration) -> PyResult<bool> {
        let client = self.client.clone();
        interruptible(py, timeout, move |timeout| client.flush(timeout).is_ok())
    }

    pub(crate) fn close(&self, py: Python<'_>, timeout: Duration) -> PyResult<bool> {
        let client = self.client.clone();
        let closed = interruptible(py, timeout, move |timeout| client.close(timeout).is_ok())?;
        self.await_callback(py);
        Ok(closed)
    }

    /// The last drops are told of by a thread of the client's own, which is given a moment for it.
    fn await_callback(&self, py: Python<'_>) {
        const MOMENT: Duration = Duration::from_millis(500);
        let Some(told) = &self.told else { return };
        if ending::inside() {
            return;
        }
        py.detach(|| {
            let begun = Instant::now();
            while told.load(Ordering::SeqCst) < self.client.stats().dropped.total()
                && begun.elapsed() < MOMENT
            {
                thread::sleep(Duration::from_millis(1));
            }
        });
    }
}

/// Waits without the interpreter's lock, and so that a signal's handler still runs: on a thread of
/// its own, unless it is soon done.
fn interruptible(
    py: Python<'_>,
    timeout: Duration,
    wait: impl Fn(Duration) -> bool + Clone + Send + 'static,
) -> PyResult<bool> {
    /// How long a signal may wait.
    const LOOK: Duration = Duration::from_millis(50);
    if timeout <= LOOK {
        return Ok(py.detach(move || wait(timeout)));
    }
    let (sender, mut done) = mpsc::channel();
    let waiter = thread::Builder::new().name("logflux-flush".to_owned());
    let waits = wait.clone();
    let started = waiter.spawn(move || {
        // Whoever was interrupted hears no more.
        let _ = sender.send(waits(timeout));
    });
    if started.is_err() {
        // Where no thread can be had, a signal waits.
        return Ok(py.detach(move || wait(timeout)));
    }
    loop {
        let (result, again) = py.detach(move || (done.recv_timeout(LOOK), done));
        done = again;
        match result {
            Ok(result) => return Ok(result),
            Err(mpsc::RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(false),
        }
    }
}

/// Dropping the last handle of a client waits for what is left; that must not hold the lock which a
/// callback may be waiting for.
impl Drop for Client {
    fn drop(&mut self) {
        let handle = self.handle.take();
        let release = move |py: Python<'_>| py.detach(move || drop(handle));
        Python::try_attach(release);
    }
}

/// The settings that were given, by name.
struct Given<'a, 'py>(&'a Bound<'py, PyDict>);

impl<'py> Given<'_, 'py> {
    fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    fn text(&self, name: &str) -> PyResult<Option<String>> {
        self.get(name)?.map(|value| args::named_text(name, &value)).transpose()
    }

    fn path(&self, name: &str) -> PyResult<Option<PathBuf>> {
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

fn build(given: &Given<'_, '_>, from_env: bool) -> PyResult<Handle> {
    let py = given.0.py();
    let config = config(given, from_env)?;
    let secret = match given.get("secret")? {
        Some(secret) => secret::secret(&secret)?,
        None if from_env => secret::from_env(py)?,
        None => return Err(PyTypeError::new_err("secret is missing")),
    };
    let waits = config.when_full == WhenFull::Block;
    let mut builder = CoreClient::builder(config, secret);
    let mut told = None;
    if let Some(callback) = given.get("on_drop")? {
        if !callback.is_callable() {
            return Err(wrong_type("on_drop", "callable", &callback));
        }
        let callback = callback.unbind();
        let count = Arc::new(AtomicU64::new(0));
        told = Some(Arc::clone(&count));
        builder = builder.on_drop(move |dropped| {
            ending::call_back(|py| {
                let called = stats::dropped(py, dropped)
                    .and_then(|dropped| callback.call1(py, (dropped,)).map(drop));
                if let Err(error) = called {
                    error.write_unraisable(py, Some(callback.bind(py)));
                }
            });
            count.fetch_add(dropped.total(), Ordering::SeqCst);
        });
    }
    // A spool is read, and the file of an authority.
    let client = py.detach(|| builder.build()).map_err(|error| match error {
        BuildError::Config(error) => errors::config(error),
        BuildError::KeyPolicy(error) => errors::policy(error),
        BuildError::Trust(error) => errors::setting("ca_file", error),
        BuildError::Spool(error) => errors::setting("spool_dir", error),
        other => errors::settings(other),
    })?;
    Ok(Handle { client, waits, told })
}

fn api_key(text: &str) -> PyResult<ApiKey> {
    text.parse().map_err(|error: logflux_wire::ApiKeyError| errors::setting("api_key", error))
}

fn config(given: &Given<'_, '_>, from_env: bool) -> PyResult<ClientConfig> {
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
        let missing = |name: &str| PyTypeError::new_err(format!("{name} is missing"));
        let url = url.ok_or_else(|| missing("server_url"))?;
        let key = key.ok_or_else(|| missing("api_key"))?;
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
