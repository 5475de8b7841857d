//! The suite that certifies every LogFlux implementation, in any language.
//!
//! [`certify`] runs it against a *subject*: a process that answers requests in JSON, a line each, as
//! docs/certify.md says. It has three parts: the vectors, round trips (what the subject seals by
//! itself) and transport (what it sends to an [`endpoint`] of ours). A [`Certificate`] is what comes
//! out, and [`report`] writes it for people and programs.
//!
//! # Vectors
//! The folder `vectors/` holds the suite as JSON: entries that must open, entries that must not, and
//! where each of those is refused. Whoever writes an implementation in any language reads them and
//! knows whether it is byte-compatible. This crate makes those files, checks them, and runs them
//! against the Rust core without a process between:
//!
//! - [`generate`] makes every file, always with the same bytes; [`write()`] puts them into a folder.
//! - [`check`] finds what is wrong with a folder of vectors: its form, ids, flags and notes, and
//!   whether the generator would write the same bytes.
//! - [`run`] gives every test of a folder to `logflux-envelope` and reports those that fail.
//!
//! Each takes seconds, and has a form that tells how far it is (`run_with`, …). None prints.
//!
//! From the bottom up: `encoding` (bytes as text), [`model`] (what the files hold), `task` (what a
//! test asks), `finding` (what is wrong with what came out), `answer` (what came out), `core` (the
//! Rust implementation's answers), `suite` (the generator, by topic), `load`, `check` and `run`. For
//! subjects: `subject` (the process and its protocol), `case`, `profile`, `options`, `certificate`
//! and `causes` (what comes out of a run), `floor` (what a run's workers share), `pace`,
//! `static_cases`, `round_trips` and `transport` (the parts), `catalogue` (all their cases),
//! `certify` (the run), `show` and `keep` (a case, to be repeated).

mod answer;
mod case;
mod catalogue;
mod causes;
mod certificate;
mod certify;
mod check;
mod core;
mod encoding;
pub mod endpoint;
mod finding;
mod floor;
mod keep;
mod load;
pub mod model;
mod options;
mod own_sealing;
mod pace;
mod profile;
mod progress;
mod protocol;
pub mod report;
mod round_trips;
mod run;
mod show;
mod static_cases;
mod subject;
mod suite;
mod task;
mod transport;
mod write;

pub use case::{Case, Part};
pub use catalogue::cases;
pub use causes::Cause;
pub use certificate::{CaseResult, Certificate, Counts, Outcome, Verdict};
pub use certify::certify;
pub use check::{CheckError, Problem, Summary, check, check_with};
pub use encoding::{Base64, Hex};
pub use finding::{Finding, Reason};
pub use keep::{Kept, KeptEndpoint, keep_endpoint};
pub use load::LoadError;
pub use options::{CertifyError, Options};
pub use profile::Profile;
pub use progress::{Estimate, News, Progress};
pub use run::{Failure, Report, run, run_with};
pub use show::{Shown, show};
pub use subject::{Identity, KeyPolicy, Misbehaviour, Misdeed};
pub use suite::{GenerateError, SuiteFile, generate, generate_with};
pub use write::{WriteError, write, write_with};
