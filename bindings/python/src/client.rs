//! The client that an application logs through.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Timestamp};
use logflux_transport::{
    ApiError, Backoff, BackoffFactor, BuildError, Client as CoreClient, ClientConfig, CloseTimeout,
    ConfigError, DropReport, FlushInterval, HttpTimeout, InFlight, InitialDelay, MaxDelay,
    MaxRetries, QueueBytes, QueueSize, RetryDeadline, Rotation, SpoolMaxBytes, SyncInterval,
    WhenFull,
};
use logflux_wire::ApiKey;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};

use crate::args::{self, duration, wrong_type};
use crate::ending;
use crate::errors;
use crate::flushing::{self, FlushResult, FlushTicket};
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
    /// What the last flush or close found. The interpreter's lock is held where it is locked, so that
    /// a fork finds it free.
    last: Arc<Mutex<Option<FlushResult>>>,
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

    /// Waits until all that was logged before is delivered, or durable in the spool; false where any
    /// of it was dropped, or ``timeout`` was not enough.
    fn flush(&self, py: Python<'_>, timeout: &Bound<'_, PyAny>) -> PyResult<bool> {
        let timeout = duration("timeout", timeout)?;
        self.handle()?.flush(py, timeout)
    }

    /// Begins to flush, and does not wait.
    fn flush_begin(&self, py: Python<'_>) -> PyResult<FlushTicket> {
        let client = &self.handle()?.client;
        Ok(FlushTicket(py.detach(|| client.flush_begin())))
    }

    /// Keeps what a flush found that was waited for elsewhere; true where all is well.
    fn _ended(&self, ticket: &FlushTicket) -> PyResult<bool> {
        Ok(self.handle()?.ended(ticket.0.answer().into()))
    }

    /// What the last flush or close found, of those that have ended.
    #[getter]
    fn last_flush(&self) -> PyResult<Option<FlushResult>> {
        Ok(*self.handle()?.last())
    }

    /// Flushes, and ends the client; false where any message was dropped.
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
        let ticket = py.detach(|| self.client.flush_begin());
        let result = flushing::wait(py, &ticket, timeout)?;
        Ok(self.ended(result))
    }

    pub(crate) fn close(&self, py: Python<'_>, timeout: Duration) -> PyResult<bool> {
        let result = flushing::close(py, &self.client, timeout)?;
        self.await_callback(py);
        Ok(self.ended(result))
    }

    /// Keeps what a flush or a close found, and gives whether all is well.
    fn ended(&self, result: FlushResult) -> bool {
        *self.last() = Some(result);
        result.is_ok()
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<FlushResult>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
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
    let callbacks = Callbacks {
        on_drop: callable(given, "on_drop")?,
        on_notice: callable(given, "on_notice")?,
    };
    let mut told = None;
    if callbacks.on_drop.is_some() || callbacks.on_notice.is_some() {
        let count = Arc::clone(told.insert(Arc::new(AtomicU64::new(0))));
        builder = builder.on_drop(move |report| {
            callbacks.tell(report);
            count.fetch_add(report.total(), Ordering::SeqCst);
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
    Ok(Handle { client, waits, told, last: Arc::default() })
}

/// A callback that was given.
fn callable(given: &Given<'_, '_>, name: &str) -> PyResult<Option<Py<PyAny>>> {
    match given.get(name)? {
        Some(callback) if !callback.is_callable() => Err(wrong_type(name, "callable", &callback)),
        callback => Ok(callback.map(Bound::unbind)),
    }
}

/// What is told of drops, and of what holds messages up.
struct Callbacks {
    on_drop: Option<Py<PyAny>>,
    on_notice: Option<Py<PyAny>>,
}

impl Callbacks {
    fn tell(&self, report: &DropReport) {
        if self.on_notice.is_none() && report.total() == 0 {
            report.write_to_stderr();
            return;
        }
        ending::call_back(|py| {
            if report.total() > 0
                && let Some(callback) = &self.on_drop
            {
                let dropped = stats::dropped(py, report);
                call(py, callback, dropped.map(Bound::into_any));
            }
            if let Some(callback) = &self.on_notice {
                let sentence = PyString::new(py, &report.sentence());
                call(py, callback, Ok(sentence.into_any()));
            }
        });
    }
}

/// Calls back; what it raises is told by `sys.unraisablehook`.
fn call(py: Python<'_>, callback: &Py<PyAny>, argument: PyResult<Bound<'_, PyAny>>) {
    let called = argument.and_then(|argument| callback.call1(py, (argument,)).map(drop));
    if let Err(error) = called {
        error.write_unraisable(py, Some(callback.bind(py)));
    }
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
