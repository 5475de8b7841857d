//! The generator: every case of the suite, by topic.
//!
//! A topic is a file with one function that adds its cases. `recipe` says what a valid entry is
//! made of and seals it; `draft` is an entry as text that can be broken in any way; `builder`
//! collects the cases and writes them by file and group; `notes` explains the flags. The same
//! source always gives the same bytes: nothing is drawn at random, and nothing is read.

mod base64_text;
mod builder;
mod draft;
mod json_encoding;
mod json_keys;
mod json_types;
mod known_answers;
mod levels;
mod messages;
mod metadata;
mod modes;
mod nodes;
mod notes;
mod recipe;
mod secrets;
mod sizes;
mod swapping;
mod tampering;
mod timestamps;
mod truncation;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use builder::Suite;
use logflux_envelope::{SealError, SecretError};
use logflux_wire::{NodeError, TimestampError};
use recipe::Forge;

use crate::progress::Progress;

/// A file of the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteFile {
    /// Its name, without a folder.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Why the suite could not be made. All of them are faults of the generator, or of the code that
/// seals for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A case has a secret that is none.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A case has a node that is none.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A case has a level that is none.
    #[error(transparent)]
    Level(#[from] logflux_wire::LevelError),
    /// A case has a timestamp that is none.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// A message could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A file could not be written as JSON.
    #[error("a vector file could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A flag has no note.
    #[error("flag {0} has no note: add one to the generator's notes")]
    Note(String),
}

type Topic = fn(&mut Suite<'_>) -> Result<(), GenerateError>;

/// Every topic, in the order of the files.
const TOPICS: &[Topic] = &[
    known_answers::add,
    tampering::add,
    truncation::add,
    swapping::add,
    secrets::add,
    messages::add,
    metadata::add,
    modes::add,
    sizes::add,
    base64_text::add,
    json_encoding::add,
    json_keys::add,
    json_types::add,
    nodes::add,
    levels::add,
    timestamps::add,
];

/// Makes every file of the suite, in the order of their names, always with the same bytes.
///
/// It derives some hundred keys, which takes seconds.
///
/// # Errors
/// [`GenerateError`], which only a change of the generator can bring about.
pub fn generate() -> Result<Vec<SuiteFile>, GenerateError> {
    generate_with(|_| {})
}

/// Like [`generate`], and tells from any thread how many topics are done.
///
/// # Errors
/// [`GenerateError`], which only a change of the generator can bring about.
pub fn generate_with(progress: impl Fn(Progress) + Sync) -> Result<Vec<SuiteFile>, GenerateError> {
    let forge = Forge::default();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let finished = Mutex::new(Vec::new());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(topic) = TOPICS.get(at) else { return };
            let mut suite = Suite::new(&forge);
            let added = topic(&mut suite).map(|()| suite);
            finished.lock().unwrap_or_else(PoisonError::into_inner).push((at, added));
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(Progress { done, total: TOPICS.len() });
        }
    };
    let helpers = thread::available_parallelism().map_or(1, NonZeroUsize::get) - 1;
    thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(work);
        }
        work();
    });
    let mut topics = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    topics.sort_by_key(|(at, _)| *at);
    let mut suite = Suite::new(&forge);
    for (_, topic) in topics {
        suite.append(topic?);
    }
    suite.into_files()
}
