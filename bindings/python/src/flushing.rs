//! Waiting until messages are delivered: what `flush`, `close` and tickets have in common.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use logflux_transport::{Client, FlushTicket as CoreTicket, Unflushed};
use pyo3::prelude::*;

use crate::args::duration;
use crate::ending;

/// How long a signal may wait.
const LOOK: Duration = Duration::from_millis(50);

/// What a flush or a close found: how many messages were dropped, and how many are left.
#[pyclass(frozen, eq, hash, module = "logflux")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FlushResult {
    /// Messages that were dropped since the client was built.
    #[pyo3(get)]
    dropped: u64,
    /// Messages that are still on their way.
    #[pyo3(get)]
    left: u64,
}

#[pymethods]
impl FlushResult {
    /// Whether everything is delivered, or durable in the spool.
    fn __bool__(&self) -> bool {
        self.is_ok()
    }

    fn __repr__(&self) -> String {
        format!("FlushResult(dropped={}, left={})", self.dropped, self.left)
    }
}

impl FlushResult {
    pub(crate) fn is_ok(self) -> bool {
        self.dropped == 0 && self.left == 0
    }
}

impl From<Result<(), Unflushed>> for FlushResult {
    fn from(result: Result<(), Unflushed>) -> Self {
        let (dropped, left) = match result {
            Ok(()) => (0, 0),
            Err(unflushed) => (unflushed.dropped, unflushed.left),
        };
        Self { dropped, left }
    }
}

/// A flush that has begun.
#[pyclass(frozen, module = "logflux")]
pub(crate) struct FlushTicket(pub(crate) CoreTicket);

#[pymethods]
impl FlushTicket {
    /// Whether every message that was logged before the ticket is delivered, durable, or dropped.
    #[getter]
    fn is_done(&self) -> bool {
        self.0.is_done()
    }

    /// What the ticket knows now; it does not wait.
    #[getter]
    fn result(&self) -> FlushResult {
        self.0.answer().into()
    }

    /// Waits until the ticket is done; False where messages were dropped, or ``timeout`` was not
    /// enough.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        const USUAL: Duration = Duration::from_secs(5);
        let timeout = timeout.map_or(Ok(USUAL), |timeout| duration("timeout", timeout))?;
        Ok(wait(py, &self.0, timeout)?.is_ok())
    }

    fn __repr__(&self) -> String {
        let FlushResult { dropped, left } = self.result();
        format!("FlushTicket(dropped={dropped}, left={left})")
    }
}

/// A duration in seconds.
#[pyfunction]
pub(crate) fn seconds(name: &str, duration: &Bound<'_, PyAny>) -> PyResult<f64> {
    Ok(self::duration(name, duration)?.as_secs_f64())
}

/// Waits without the interpreter's lock, and so that a signal's handler still runs. In a callback it
/// does not wait, since the client's thread would wait for itself.
pub(crate) fn wait(
    py: Python<'_>,
    ticket: &CoreTicket,
    timeout: Duration,
) -> PyResult<FlushResult> {
    let begun = Instant::now();
    loop {
        let left = timeout.saturating_sub(begun.elapsed());
        let result = py.detach(|| ticket.wait(left.min(LOOK)));
        if ticket.is_done() || left <= LOOK || ending::inside() {
            return Ok(result.into());
        }
        py.check_signals()?;
    }
}

/// Closes a client; as `wait`, on a thread of its own, unless it is soon done.
pub(crate) fn close(py: Python<'_>, client: &Client, timeout: Duration) -> PyResult<FlushResult> {
    let here = |client: Client| py.detach(move || client.close(timeout)).into();
    if timeout <= LOOK || ending::inside() {
        return Ok(here(client.clone()));
    }
    let (sender, mut done) = mpsc::channel();
    let waits = client.clone();
    let started = logflux_process::start_thread("logflux-close", move || {
        // Who was interrupted hears no more.
        let _ = sender.send(waits.close(timeout));
    });
    if started.is_err() {
        // Where no thread can be had, a signal waits.
        return Ok(here(client.clone()));
    }
    loop {
        let (result, again) = py.detach(move || (done.recv_timeout(LOOK), done));
        done = again;
        match result {
            Ok(result) => return Ok(result.into()),
            Err(mpsc::RecvTimeoutError::Timeout) => py.check_signals()?,
            // The thread has failed. A second close waits no more, and knows what the first did.
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(here(client.clone())),
        }
    }
}
