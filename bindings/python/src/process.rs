//! The client that the functions of the module log through.

use arc_swap::ArcSwapOption;
use logflux_envelope::Level;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::args;
use crate::client::{Client, Handle};

/// Read without a lock, so that a fork finds none that is held.
static CLIENT: ArcSwapOption<Handle> = ArcSwapOption::const_empty();

/// Makes this the client of the process, or none.
#[pyfunction]
#[pyo3(signature = (client))]
fn set_process_client(client: Option<&Bound<'_, Client>>) -> PyResult<()> {
    let handle = client.map(|client| client.get().handle().cloned()).transpose()?;
    CLIENT.store(handle.map(Into::into));
    Ok(())
}

/// Tells LogFlux that this process was restored from a snapshot, and that other copies of it may run.
#[pyfunction]
fn after_restore() {
    logflux_process::after_restore();
}

fn log_to_process(
    level: Level,
    message: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
) -> PyResult<()> {
    match &*CLIENT.load() {
        Some(client) => client.log(message.py(), level, message, args, None),
        None => Ok(()),
    }
}

/// Logs a message of a level, now or at ``timestamp``, through the client of the process.
#[pyfunction]
#[pyo3(signature = (level, message, *args, timestamp = None))]
fn log(
    level: &Bound<'_, PyAny>,
    message: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
    timestamp: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let level = args::level(level)?;
    let timestamp = timestamp.map(|timestamp| args::timestamp(Some(timestamp))).transpose()?;
    match &*CLIENT.load() {
        Some(client) => client.log(message.py(), level, message, args, timestamp),
        None => Ok(()),
    }
}

macro_rules! level_functions {
    ($($name:ident $level:ident $doc:literal)*) => {
        $(
            #[doc = $doc]
            #[pyfunction]
            #[pyo3(signature = (message, *args))]
            fn $name(message: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
                log_to_process(Level::$level, message, args)
            }
        )*

        /// Adds the functions to the module.
        pub(crate) fn add(m: &Bound<'_, PyModule>) -> PyResult<()> {
            m.add_function(wrap_pyfunction!(set_process_client, m)?)?;
            m.add_function(wrap_pyfunction!(after_restore, m)?)?;
            $(m.add_function(wrap_pyfunction!($name, m)?)?;)*
            m.add_function(wrap_pyfunction!(log, m)?)
        }
    };
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
