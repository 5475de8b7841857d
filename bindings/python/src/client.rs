//! The client that an application logs through.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Secret, Timestamp};
use logflux_transport::{
    ApiError, BuildError, Client as CoreClient, ClientConfig, DropReport, Rotation, WhenFull,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::args::duration;
use crate::calls;
use crate::configuring::{Named, api_key};
use crate::ending;
use crate::errors;
use crate::flushing::{self, FlushResult, FlushTicket};
use crate::given::Given;
use crate::levels;
use crate::made::Made;
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
    /// What it was made with, rotations included; as `last`. `None` where it does nothing.
    made: Option<Arc<Mutex<Made>>>,
    /// Whether it was closed.
    closed: Arc<AtomicBool>,
    /// Whether it does nothing.
    disabled: bool,
    /// Tells clients apart.
    id: u64,
}

/// A number that no other client of this process has; none has 0.
fn new_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl Client {
    /// ``settings`` are those of the Python class, by name; ``None`` and what is left out is at its
    /// default, or with ``from_env`` what the environment says. One that is ``disabled`` has none, and
    /// does nothing.
    #[new]
    fn new(py: Python<'_>, settings: &Given, from_env: bool, disabled: bool) -> PyResult<Self> {
        let handle = if disabled {
            idle()?
        } else {
            build(Made::of(&Named(settings.0.bind(py)), from_env)?, py)?
        };
        Ok(Self { handle: Some(handle) })
    }

    /// Logs a message of a level, now or at ``timestamp``.
    ///
    /// The level is one of LogFlux's, by number or name, or one of ``logging``.
    #[pyo3(signature = (level, *args, **fields), text_signature = "($self, level, message, /, *args, timestamp=None, **fields)")]
    fn log(
        &self,
        level: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.handle()?.log(level.py(), levels::any(level), args, fields)
    }

    /// Whether a message of this level would be logged.
    fn is_enabled(&self, level: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.handle()?.is_enabled(levels::any(level)))
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
    fn _rotate(&self, py: Python<'_>, settings: &Given) -> PyResult<()> {
        let given = Named(settings.0.bind(py));
        let secret = given.get("secret")?.map(|secret| secret::secret(&secret)).transpose()?;
        let api_key = given.text("api_key")?.map(|key| api_key(&key)).transpose()?;
        let ca_file = given.path("ca_file")?;
        let mut rotation = Rotation::new();
        if let Some(secret) = &secret {
            rotation = rotation.secret(secret.clone());
        }
        if let Some(key) = &api_key {
            rotation = rotation.api_key(key.clone());
        }
        if let Some(file) = &ca_file {
            rotation = rotation.ca_file(file.clone());
        }
        if secret.is_none() && api_key.is_none() && ca_file.is_none() {
            return Err(PyTypeError::new_err("give secret, api_key or ca_file"));
        }
        let handle = self.handle()?;
        let client = &handle.client;
        // A file is read.
        py.detach(|| client.rotate(rotation)).map_err(|error| match error {
            ApiError::Trust(error) => errors::setting("ca_file", error),
            other => errors::settings(other),
        })?;
        if let Some(made) = &handle.made {
            let mut made = lock(made);
            made.secret = secret.unwrap_or_else(|| made.secret.clone());
            made.config.api_key = api_key.unwrap_or_else(|| made.config.api_key.clone());
            made.config.ca_file = ca_file.or_else(|| made.config.ca_file.clone());
        }
        Ok(())
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
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn emergency(
        &self,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.handle()?.log(args.py(), Level::Emergency, args, fields)
    }

    /// Logs an alert: action must be taken at once.
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn alert(&self, args: &Bound<'_, PyTuple>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        self.handle()?.log(args.py(), Level::Alert, args, fields)
    }

    /// Logs a critical condition.
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn critical(
        &self,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.handle()?.log(args.py(), Level::Critical, args, fields)
    }

    /// Logs an error.
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn error(&self, args: &Bound<'_, PyTuple>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        self.handle()?.log(args.py(), Level::Error, args, fields)
    }

    /// Logs a warning.
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn warning(
        &self,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.handle()?.log(args.py(), Level::Warning, args, fields)
    }

    /// Logs what is normal, but significant.
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn notice(
        &self,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.handle()?.log(args.py(), Level::Notice, args, fields)
    }

    /// Logs information.
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn info(&self, args: &Bound<'_, PyTuple>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        self.handle()?.log(args.py(), Level::Info, args, fields)
    }

    /// Logs for debugging.
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn debug(&self, args: &Bound<'_, PyTuple>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        self.handle()?.log(args.py(), Level::Debug, args, fields)
    }

    /// Waits for what this process has in memory, within ``close_timeout``, whatever signals come: for
    /// an end that asks nobody. With ``last`` it says what is lost then.
    fn _deliver(&self, py: Python<'_>, last: bool) -> PyResult<()> {
        let client = &self.handle()?.client;
        if client.stats().pending == 0 {
            return Ok(());
        }
        py.detach(|| {
            let is_safe = client.flush_begin().wait(client.close_timeout()).is_ok();
            if last && !is_safe {
                // What was dropped is told by the client.
                let _ = client.close(Duration::ZERO);
            }
        });
        Ok(())
    }

    /// Logs an error with the exception that is handled now.
    #[pyo3(signature = (*args, **fields), text_signature = "($self, message, /, *args, **fields)")]
    fn exception(
        &self,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.handle()?.exception(args.py(), args, fields)
    }

    /// Whether the client does nothing, because LogFlux is switched off.
    #[getter]
    fn is_disabled(&self) -> PyResult<bool> {
        Ok(self.handle()?.disabled)
    }

    /// Whether a client with these settings would be the same as this one, which is open.
    fn _is_same(&self, py: Python<'_>, settings: &Given, from_env: bool) -> PyResult<bool> {
        let handle = self.handle()?;
        if handle.disabled || handle.closed.load(Ordering::SeqCst) {
            return Ok(false);
        }
        let wanted = Made::of(&Named(settings.0.bind(py)), from_env)?;
        Ok(handle.made.as_ref().is_some_and(|made| lock(made).is_same(py, &wanted)))
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
    /// Logs a message, if its level is logged. `args` are the message and the values that are put into
    /// it, `fields` what it has beside, by name.
    pub(crate) fn log(
        &self,
        py: Python<'_>,
        level: Level,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        if !self.is_enabled(level) || ending::inside() {
            return Ok(());
        }
        calls::log(self, py, level, args, fields, false)
    }

    /// As `log`, an error with the exception that is handled now.
    pub(crate) fn exception(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        if !self.is_enabled(Level::Error) || ending::inside() {
            return Ok(());
        }
        calls::log(self, py, Level::Error, args, fields, true)
    }

    /// Takes a message of a level that is logged.
    pub(crate) fn take(&self, py: Python<'_>, level: Level, message: &[u8], timestamp: Timestamp) {
        if self.waits {
            py.detach(|| self.client.log_bytes(level, message, timestamp));
        } else {
            // It takes less time than to give the interpreter's lock up and take it again.
            self.client.log_bytes(level, message, timestamp);
        }
    }

    pub(crate) fn is_enabled(&self, level: Level) -> bool {
        !self.disabled && self.client.is_enabled(level)
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.disabled
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn flush(&self, py: Python<'_>, timeout: Duration) -> PyResult<bool> {
        let ticket = py.detach(|| self.client.flush_begin());
        let result = flushing::wait(py, &ticket, timeout)?;
        Ok(self.ended(result))
    }

    pub(crate) fn close(&self, py: Python<'_>, timeout: Duration) -> PyResult<bool> {
        self.closed.store(true, Ordering::SeqCst);
        let result = flushing::close(py, &self.client, timeout)?;
        self.await_callback(py);
        Ok(self.ended(result))
    }

    /// Keeps what a flush or a close found, and gives whether all is well.
    fn ended(&self, result: FlushResult) -> bool {
        *self.last() = Some(result);
        result.is_ok()
    }

    fn last(&self) -> MutexGuard<'_, Option<FlushResult>> {
        lock(&self.last)
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

/// A client that does nothing: it takes no message, and so starts no thread and opens no connection.
fn idle() -> PyResult<Handle> {
    const NOWHERE: &str = "https://disabled.invalid";
    let endpoint: Result<_, logflux_transport::EndpointError> = NOWHERE.parse();
    let endpoint = endpoint.map_err(errors::settings)?;
    let key = api_key(&format!("lf_{}", "0".repeat(32)))?;
    let secret = Secret::generate().map_err(errors::secret)?;
    let client = CoreClient::builder(ClientConfig::new(endpoint, key), secret).build();
    let client = client.map_err(errors::settings)?;
    Ok(Handle {
        client,
        waits: false,
        told: None,
        last: Arc::default(),
        made: None,
        closed: Arc::default(),
        disabled: true,
        id: new_id(),
    })
}

fn build(made: Made, py: Python<'_>) -> PyResult<Handle> {
    let waits = made.config.when_full == WhenFull::Block;
    let mut builder = CoreClient::builder(made.config.clone(), made.secret.clone());
    let (on_drop, on_notice) = made.callbacks(py);
    let callbacks = Callbacks { on_drop, on_notice };
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
    Ok(Handle {
        client,
        waits,
        told,
        last: Arc::default(),
        made: Some(Arc::new(Mutex::new(made))),
        closed: Arc::default(),
        disabled: false,
        id: new_id(),
    })
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
