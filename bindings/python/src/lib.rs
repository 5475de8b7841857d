//! The native half of the Python package `logflux`.
//!
//! A thin layer: it turns Python's values into those of the Rust core and back, and gives the
//! interpreter's lock up for whatever takes time. What is Python's own (handlers, exceptions, the
//! end of the process) is in `python/logflux`.
//!
//! `args` reads values, `errors` makes exceptions, `entry`, `secret` and `policy` are the types,
//! `sealing`, `opening` and `client` what is done with them; `flushing` is how to wait for a client; `process` is the client that the
//! functions of the module log through; `ending` keeps callbacks away from an interpreter that ends.

use pyo3::prelude::*;

mod args;
mod cli;
mod client;
mod ending;
mod entry;
mod errors;
mod flushing;
mod hazmat;
mod opening;
mod policy;
mod process;
mod sealing;
mod secret;
mod settings;
mod stats;

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
    process::add(m)?;
    // What is public is said by the package.
    m.delattr("__all__")
}
