//! The native half of the Python package `logflux`.
//!
//! A thin layer: it turns Python's values into those of the Rust core and back, and gives the
//! interpreter's lock up for whatever takes time. What is Python's own (handlers, exceptions, the
//! end of the process) is in `python/logflux`.
//!
//! `args` reads values, `given` keeps them out of tracebacks, `errors` makes exceptions. `entry`,
//! `secret` and `policy` are the types, `sealing`, `opening` and `client` what is done with them;
//! `configuring` reads settings, `made` tells whether two clients are the same, and `flushing` is how to wait for one.
//!
//! `calls` logs what a call says, and `records` what `logging`, structlog and loguru have. `text` is
//! the message, `event` the JSON object, `json` any value in bounded size, by its `kinds` and with
//! `escape`; `levels` and `surroundings` are what else they say. `process` is the client that the
//! functions of the module log through, `early` what waits for it; `ending` keeps callbacks away from
//! an interpreter that ends.

use pyo3::prelude::*;

mod args;
mod calls;
mod cli;
mod client;
mod configuring;
mod early;
mod ending;
mod entry;
mod errors;
mod escape;
mod event;
mod flushing;
mod given;
mod hazmat;
mod json;
mod kinds;
mod levels;
mod made;
mod opening;
mod policy;
mod process;
mod records;
mod sealing;
mod secret;
mod settings;
mod stats;
mod surroundings;
mod text;

/// The native half of `logflux`.
#[pymodule(gil_used = true)]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_class::<entry::Entry>()?;
    m.add_class::<secret::Secret>()?;
    m.add_class::<secret::Keyring>()?;
    m.add_class::<policy::KeyPolicy>()?;
    m.add_class::<sealing::Sealer>()?;
    m.add_class::<opening::Opener>()?;
    m.add_class::<client::Client>()?;
    m.add_class::<given::Given>()?;
    m.add_class::<flushing::FlushResult>()?;
    m.add_class::<flushing::FlushTicket>()?;
    m.add_class::<stats::ClientStats>()?;
    m.add_class::<stats::SealerStats>()?;
    m.add_function(wrap_pyfunction!(settings::settings, m)?)?;
    m.add_function(wrap_pyfunction!(flushing::seconds, m)?)?;
    m.add_function(wrap_pyfunction!(sealing::seal, m)?)?;
    m.add_function(wrap_pyfunction!(opening::open, m)?)?;
    m.add_function(wrap_pyfunction!(opening::open_bytes, m)?)?;
    m.add_function(wrap_pyfunction!(opening::open_many, m)?)?;
    m.add_function(wrap_pyfunction!(hazmat::seal_with_salt_and_iv, m)?)?;
    m.add_function(wrap_pyfunction!(hazmat::derive_key, m)?)?;
    m.add_function(wrap_pyfunction!(ending::end_callbacks, m)?)?;
    m.add_function(wrap_pyfunction!(cli::run_cli, m)?)?;
    m.add_function(wrap_pyfunction!(records::log_record, m)?)?;
    m.add_function(wrap_pyfunction!(records::log_structlog, m)?)?;
    m.add_function(wrap_pyfunction!(records::log_loguru, m)?)?;
    m.add_function(wrap_pyfunction!(surroundings::set_context_variable, m)?)?;
    m.add_function(wrap_pyfunction!(args::level_number, m)?)?;
    process::add(m)?;
    // What is public is said by the package.
    m.delattr("__all__")
}
