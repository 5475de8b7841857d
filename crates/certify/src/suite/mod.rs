//! The generator: every case of the suite, by topic.
//!
//! A topic is a file with one function that adds its cases. `recipe` says what a valid entry is
//! made of and seals it; `draft` is an entry as text that can be broken in any way; `builder`
//! collects the cases and writes them by file and group; `notes` explains the flags. The same
//! source always gives the same bytes: nothing is drawn at random, and nothing is read.

mod base64_text;
mod builder;
mod draft;
mod error;
mod file;
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
mod plaintext;
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
pub use error::GenerateError;
pub use file::SuiteFile;
use recipe::Forge;

use crate::progress::Progress;

type Topic = fn(&mut Suite<'_>) -> Result<(), GenerateError>;

/// Every topic, in the order of the files.
const TOPICS: &[Topic] = &[
    known_answers::add,
    tampering::add,
    plaintext::add,
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
