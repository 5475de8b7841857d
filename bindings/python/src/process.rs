//! The client that the functions of the module log through.

use arc_swap::ArcSwapOption;
use logflux_envelope::{Level, Timestamp};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::client::{Client, Handle};
use crate::early;
use crate::levels;

/// Read without a lock, so that a fork finds none that is held.
static CLIENT: ArcSwapOption<Handle> = ArcSwapOption::const_empty();

/// Where records go.
pub(crate) enum Sink<'a> {
    /// To a client.
    Client(&'a Handle),
    /// To where they wait for the client of the process.
    Early,
}

impl Sink<'_> {
    /// Tells clients apart.
    pub(crate) fn id(&self) -> u64 {
        match self {
            Self::Client(handle) => handle.id(),
            Self::Early => 0,
        }
    }

    /// Whether a record of this level would be logged, as far as is known.
    pub(crate) fn is_enabled(&self, level: Level) -> bool {
        match self {
            Self::Client(handle) => handle.is_enabled(level),
            Self::Early => true,
        }
    }

    /// Takes a record.
    pub(crate) fn take(
        &self,
        py: Python<'_>,
        level: Level,
        message: Vec<u8>,
        timestamp: Timestamp,
    ) -> PyResult<()> {
        match self {
            Self::Client(handle) => handle.take(py, level, &message, timestamp),
            Self::Early => early::keep(level, message, timestamp),
        }
        Ok(())
    }
}

/// Does something with where the handlers of this process log to, unless that is nowhere.
pub(crate) fn with_process_sink(work: impl FnOnce(&Sink<'_>) -> PyResult<()>) -> PyResult<()> {
    match &*CLIENT.load() {
        Some(client) => work(&Sink::Client(client)),
        None if early::waits() => work(&Sink::Early),
        None => Ok(()),
    }
}

/// Makes this the client of the process, or none. What handlers logged before goes through it.
#[pyfunction]
#[pyo3(signature = (client))]
fn set_process_client(py: Python<'_>, client: Option<&Bound<'_, Client>>) -> PyResult<()> {
    let handle = client.map(|client| client.get().handle().cloned()).transpose()?;
    let Some(handle) = handle else {
        CLIENT.store(None);
        early::restart(true);
        return Ok(());
    };
    CLIENT.store(Some(handle.clone().into()));
    if handle.is_disabled() {
        early::restart(false);
        return Ok(());
    }
    let before = early::take();
    for (level, message, timestamp) in before.records {
        if handle.is_enabled(level) {
            handle.take(py, level, &message, timestamp);
        }
    }
    if before.more > 0 && handle.is_enabled(Level::Warning) {
        let more = before.more;
        let sentence = format!("logflux: {more} more records came before init, and are lost");
        handle.take(py, Level::Warning, sentence.as_bytes(), Timestamp::now());
    }
    Ok(())
}

/// Tells LogFlux that this process was restored from a snapshot, and that other copies of it may run.
#[pyfunction]
fn after_restore() {
    logflux_process::after_restore();
}

fn log_to_process(
    py: Python<'_>,
    level: Level,
    args: &Bound<'_, PyTuple>,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    match &*CLIENT.load() {
        Some(client) => client.log(py, level, args, fields),
        None => Ok(()),
    }
}

/// Logs a message of a level, now or at ``timestamp``, through the client of the process.
///
/// The level is one of LogFlux's, by number or name, or one of ``logging``.
#[pyfunction]
#[pyo3(signature = (level, *args, **fields), text_signature = "(level, message, /, *args, timestamp=None, **fields)")]
fn log(
    level: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    log_to_process(level.py(), levels::any(level), args, fields)
}

macro_rules! level_functions {
    ($($name:ident $level:ident $doc:literal)*) => {
        $(
            #[doc = $doc]
            #[pyfunction]
            #[pyo3(signature = (*args, **fields), text_signature = "(message, /, *args, **fields)")]
            fn $name(
                py: Python<'_>,
                args: &Bound<'_, PyTuple>,
                fields: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<()> {
                log_to_process(py, Level::$level, args, fields)
            }
        )*

        /// Adds the functions to the module.
        pub(crate) fn add(m: &Bound<'_, PyModule>) -> PyResult<()> {
            m.add_function(wrap_pyfunction!(set_process_client, m)?)?;
            m.add_function(wrap_pyfunction!(after_restore, m)?)?;
            $(m.add_function(wrap_pyfunction!($name, m)?)?;)*
            m.add_function(wrap_pyfunction!(exception, m)?)?;
            m.add_function(wrap_pyfunction!(log, m)?)
        }
    };
}

/// Logs an error with the exception that is handled now, through the client of the process.
#[pyfunction]
#[pyo3(signature = (*args, **fields), text_signature = "(message, /, *args, **fields)")]
fn exception(
    py: Python<'_>,
    args: &Bound<'_, PyTuple>,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    match &*CLIENT.load() {
        Some(client) => client.exception(py, args, fields),
        None => Ok(()),
    }
}

level_functions! {
    emergency Emergency "Logs an emergency (the system is unusable) through the client of the process."
    alert Alert "Logs an alert (action must be taken at once) through the client of the process."
    critical Critical "Logs a critical condition through the client of the process."
    error Error "Logs an error through the client of the process."
    warning Warning "Logs a warning through the client of the process."
    notice Notice "Logs what is normal, but significant, through the client of the process."
    info Info "Logs information through the client of the process."
    debug Debug "Logs for debugging through the client of the process."
}
