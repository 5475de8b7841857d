//! What the tests of the whole system share: the programs that they start, a server with data that
//! outlive it, and an endpoint that misbehaves as it is told.
//!
//! The tests themselves are in `tests/tests/`, the implementations in other languages in folders
//! named after the language.
//!
//! Tests of faults have a short form, and a long one that a variable asks for:
//! `LOGFLUX_TEST_KILLS`, `LOGFLUX_TEST_FORKS`, `LOGFLUX_TEST_LOST_ANSWERS` and
//! `LOGFLUX_TEST_SERVER_KILLS` say how many, and `LOGFLUX_TEST_STEADY` for how many seconds.

#[cfg(unix)]
mod child;
mod cli;
mod client;
#[cfg(target_os = "linux")]
mod disk;
pub mod endpoint;
#[cfg(unix)]
mod exiting;
mod place;
pub mod proxy;
mod python;
#[cfg(target_os = "linux")]
mod raw_fork;
mod server;
#[cfg(target_os = "linux")]
mod situations;
pub mod subjects;

use std::error::Error;
use std::path::{Path, PathBuf};

#[cfg(unix)]
pub use child::in_child;
pub use cli::logflux;
pub use client::{
    ENOUGH, assert_conserved, closed, flushed, lines, logged, number, open_all, secret, settings,
    wait_for, watched,
};
#[cfg(target_os = "linux")]
pub use disk::SmallDisk;
#[cfg(unix)]
pub use exiting::end_in_handler;
pub use place::{Place, stored};
pub use python::interpreter;
#[cfg(target_os = "linux")]
pub use raw_fork::{Way, in_raw_child};
pub use server::Server;
#[cfg(target_os = "linux")]
pub use situations::{Situation, Situations};

/// An error that a test shows and fails with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The root of the workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// The folder of this build's profile, such as `target/debug`.
fn profile_folder() -> Result<PathBuf, Failure> {
    // The test is `target/debug/deps/name-hash`.
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent);
    Ok(folder.ok_or("the test stands in no target folder")?.to_owned())
}
