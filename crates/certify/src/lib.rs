//! The vectors that every LogFlux implementation must agree with, and what runs them.
//!
//! The folder `vectors/` holds the suite as JSON: entries that must open, entries that must not, and
//! where each of those is refused. Whoever writes an implementation in any language reads them and
//! knows whether it is byte-compatible. This crate makes those files, checks them, and runs them
//! against the Rust core:
//!
//! - [`generate`] makes every file, always with the same bytes; [`write()`] puts them into a folder.
//! - [`check`] finds what is wrong with a folder of vectors: its form, ids, flags and notes, and
//!   whether the generator would write the same bytes.
//! - [`run`] gives every test of a folder to `logflux-envelope` and reports those that fail.
//!
//! Each takes seconds, and has a form that tells how far it is (`run_with`, …). None prints.
//!
//! From the bottom up: `encoding` (bytes as text), [`model`] (what the files hold), `task` (what a
//! test asks), `answer` (what came out, and whether that is right), `core` (the Rust
//! implementation's answers), `suite` (the generator, by topic), `load`, `check` and `run`.

mod answer;
mod check;
mod core;
mod encoding;
mod load;
pub mod model;
mod run;
mod suite;
mod task;
mod write;

pub use check::{CheckError, Problem, Summary, check, check_with};
pub use encoding::{Base64, Hex};
pub use load::LoadError;
pub use run::{Failure, Report, run, run_with};
pub use suite::{GenerateError, SuiteFile, generate, generate_with};
pub use write::{WriteError, write, write_with};

/// How far a long task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is done.
    pub done: usize,
    /// All there is to do.
    pub total: usize,
}
