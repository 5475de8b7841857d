//! The client that an application logs through.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Timestamp};
use logflux_transport::{
    BuildError, Client as CoreClient, Settings, SpoolFull, SpoolOptions, WhenFull,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

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

    /// What became of all messages of this process.
    fn stats(&self) -> PyResult<ClientStats> {
        Ok(ClientStats(self.handle()?.client.stats()))
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
        let Some(value) = self.get(name)? else { return Ok(None) };
        let string = value.cast::<PyString>().map_err(|_| wrong_type(name, "str", &value))?;
        let text = args::text(string)
            .ok_or_else(|| errors::setting(name, "holds half a surrogate pair"))?;
        Ok(Some(text.into_owned()))
    }

    fn path(&self, name: &str) -> PyResult<Option<PathBuf>> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| wrong_type(name, "str or os.PathLike", &value))
    }

    fn duration(&self, name: &str) -> PyResult<Option<Duration>> {
        self.get(name)?.map(|value| duration(name, &value)).transpose()
    }

    /// A whole number from `least`.
    fn number<T: TryFrom<u64>>(&self, name: &str, least: u64) -> PyResult<Option<T>> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        let number = value.extract::<i128>().map_err(|_| wrong_type(name, "int", &value))?;
        let number = u64::try_from(number).ok().filter(|number| *number >= least);
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(errors::setting(name, format!("must be a whole number from {least}"))),
        }
    }
}

fn build(given: &Given<'_, '_>, from_env: bool) -> PyResult<Handle> {
    let py = given.0.py();
    let settings = settings(given, from_env)?;
    let secret = match given.get("secret")? {
        Some(secret) => secret::secret(&secret)?,
        None if from_env => secret::from_env(py)?,
        None => return Err(PyTypeError::new_err("secret is missing")),
    };
    let mut builder = CoreClient::builder(settings, secret);
    if let Some(mode) = given.get("mode")? {
        builder = builder.mode(args::mode(&mode)?);
    }
    if let Some(policy) = given.get("key_policy")? {
        let policy = policy.cast::<KeyPolicy>();
        builder = builder.key_policy(policy.map_err(PyErr::from)?.get().0);
    }
    if let Some(level) = given.get("min_level")? {
        builder = builder.min_level(args::level(&level)?);
    }
    if let Some(bytes) = given.number("queue_bytes", 1)? {
        builder = builder.queue_bytes(bytes);
    }
    let when_full = match given.text("when_full")?.as_deref() {
        None | Some("drop_newest") => WhenFull::DropNewest,
        Some("drop_oldest") => WhenFull::DropOldest,
        Some("block") => WhenFull::Block,
        Some(_) => {
            let choices = "must be \"drop_newest\", \"drop_oldest\" or \"block\"";
            return Err(errors::setting("when_full", choices));
        }
    };
    if let Some(requests) = given.number("max_in_flight", 1)? {
        builder = builder.max_in_flight(requests);
    }
    if let Some(deadline) = given.duration("retry_deadline")? {
        builder = builder.retry_deadline(deadline);
    }
    if let Some(interval) = given.duration("sync_interval")? {
        builder = builder.sync_interval(interval);
    }
    let mut spool = SpoolOptions::default();
    if let Some(bytes) = given.number("spool_max_bytes", 1)? {
        spool.max_bytes = bytes;
    }
    spool.when_full = match given.text("spool_when_full")?.as_deref() {
        None | Some("refuse") => SpoolFull::Refuse,
        Some("drop_oldest") => SpoolFull::DropOldest,
        Some(_) => {
            let choices = "must be \"refuse\" or \"drop_oldest\"";
            return Err(errors::setting("spool_when_full", choices));
        }
    };
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
    let builder = builder.spool_options(spool).when_full(when_full);
    // A spool is read, and the file of an authority.
    let client = py.detach(|| builder.build()).map_err(|error| match error {
        BuildError::KeyPolicy(error) => errors::policy(error),
        BuildError::Trust(error) => errors::setting("ca_file", error),
        BuildError::Spool(error) => errors::setting("spool_dir", error),
        other => errors::settings(other),
    })?;
    Ok(Handle { client, waits: when_full == WhenFull::Block, told })
}

fn settings(given: &Given<'_, '_>, from_env: bool) -> PyResult<Settings> {
    let (url, key) = (given.text("server_url")?, given.text("api_key")?);
    let mut settings = if from_env {
        Settings::from_variables(&|name| match name {
            "LOGFLUX_SERVER_URL" if url.is_some() => url.clone().map(Into::into),
            "LOGFLUX_API_KEY" if key.is_some() => key.clone().map(Into::into),
            _ => env::var_os(name),
        })
        .map_err(errors::settings)?
    } else {
        let missing = |name: &str| PyTypeError::new_err(format!("{name} is missing"));
        let url = url.ok_or_else(|| missing("server_url"))?;
        let key = key.ok_or_else(|| missing("api_key"))?;
        let endpoint = url.parse().map_err(|error: logflux_transport::EndpointError| {
            errors::setting("server_url", error)
        })?;
        let key = key
            .parse()
            .map_err(|error: logflux_wire::ApiKeyError| errors::setting("api_key", error))?;
        Settings::new(endpoint, key)
    };
    if let Some(node) = given.get("node")? {
        settings.node = Some(args::node(Some(&node))?);
    }
    settings.ca_file = given.path("ca_file")?.or(settings.ca_file);
    settings.spool_dir = given.path("spool_dir")?.or(settings.spool_dir);
    for (name, slot) in [
        ("http_timeout", &mut settings.http_timeout),
        ("flush_interval", &mut settings.flush_interval),
        ("initial_delay", &mut settings.retry.initial_delay),
        ("max_delay", &mut settings.retry.max_delay),
    ] {
        *slot = given.duration(name)?.unwrap_or(*slot);
    }
    if let Some(size) = given.number("queue_size", 1)? {
        settings.queue_size = size;
    }
    if let Some(retries) = given.number("max_retries", 0)? {
        settings.retry.max_retries = retries;
    }
    if let Some(factor) = given.get("backoff_factor")? {
        let number = factor.extract::<f64>();
        let number = number.map_err(|_| wrong_type("backoff_factor", "float", &factor))?;
        if !(1.0..=100.0).contains(&number) {
            return Err(errors::setting("backoff_factor", "must be a number from 1 to 100"));
        }
        settings.retry.backoff_factor = number;
    }
    Ok(settings)
}
