//! Running a folder of vectors against the Rust core.

use std::fmt;
use std::path::Path;

use crate::answer::judge;
use crate::core;
use crate::load::{self, LoadError};
use crate::model::Requirement;
use crate::progress::Progress;
use crate::task::Task;

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many tests passed.
    pub passed: usize,
    /// The tests that did not, in the order of the files.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Whether every test passed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures.is_empty()
    }

    /// How many tests there were.
    #[must_use]
    pub fn total(&self) -> usize {
        self.passed + self.failures.len()
    }
}

/// A test that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The file it stands in.
    pub file: String,
    /// Its name.
    pub id: String,
    /// Whether an implementation may lack what it tests.
    pub level: Requirement,
    /// What is special about it.
    pub comment: String,
    /// What was expected.
    pub expected: String,
    /// What came instead.
    pub got: String,
    /// What goes wrong for users, from the notes of its flags.
    pub effects: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, id, level, comment, expected, got, effects } = self;
        write!(f, "{id} ({level}, {file}; {comment}): expected {expected}; got {got}")?;
        effects.iter().try_for_each(|effect| write!(f, "\n    {effect}"))
    }
}

/// Gives every test of a folder of vectors to the Rust core.
///
/// # Errors
/// [`LoadError`] where the vectors cannot be read; a test that fails is no error, but stands in the
/// report.
pub fn run(folder: &Path) -> Result<Report, LoadError> {
    run_with(folder, |_| {})
}

/// Like [`run`], and tells from any thread how many tests are done.
///
/// # Errors
/// [`LoadError`] where the vectors cannot be read.
pub fn run_with(folder: &Path, progress: impl Fn(Progress) + Sync) -> Result<Report, LoadError> {
    let mut tasks = Vec::new();
    let mut tests = Vec::new();
    for (name, bytes) in load::read(folder)? {
        let file = load::parse(&name, &bytes)?;
        for group in &file.groups {
            for test in &group.tests {
                let task = Task::new(group, test).map_err(|what| LoadError::Test {
                    file: name.clone(),
                    id: test.id.clone(),
                    what,
                })?;
                tasks.push(task);
                let notes = test.flags.iter().filter_map(|flag| file.notes.get(flag));
                let effects: Vec<String> = notes.map(|note| note.effect.clone()).collect();
                tests.push((name.clone(), test.clone(), effects));
            }
        }
    }
    let mut report = Report::default();
    for ((file, test, effects), answer) in tests.into_iter().zip(core::answer_all(&tasks, progress))
    {
        match judge(&test.expect, &answer) {
            None => report.passed += 1,
            Some(finding) => report.failures.push(Failure {
                file,
                id: test.id,
                level: test.level,
                comment: test.comment,
                expected: finding.expected,
                got: finding.got,
                effects,
            }),
        }
    }
    Ok(report)
}
