//! What can be wrong with a folder of vectors.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

use crate::load::{self, LoadError};
use crate::model::{Operation, VectorFile};
use crate::progress::Progress;
use crate::suite::{GenerateError, SuiteFile, generate_with};
use crate::task::Task;

/// What to do about a file that was changed by hand.
const GENERATE: &str = "edit the generator, then run `logflux vectors generate`";

/// How many tests there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// By file and operation.
    pub tests: BTreeMap<(String, Operation), usize>,
}

impl Summary {
    /// How many tests there are in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.tests.values().sum()
    }
}

/// Something that is wrong with a folder of vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// The test, where it is one test's.
    pub id: Option<String>,
    /// What is wrong, and what to do about it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if let Some(id) = &self.id {
            write!(f, "{id}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// Why a folder of vectors is not as it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The folder cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The vectors could not be made anew to compare.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// There are faults, each on a line.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Checks every vector file of a folder: its form, that ids are unique, that every flag has a note
/// and every note is used, and that the generator writes the same bytes. Making the vectors anew
/// takes seconds.
///
/// # Errors
/// [`CheckError`] with everything that was found.
pub fn check(folder: &Path) -> Result<Summary, CheckError> {
    check_with(folder, |_| {})
}

/// Like [`check`], and tells from any thread how many topics of the generator are done.
///
/// # Errors
/// [`CheckError`] with everything that was found.
pub fn check_with(
    folder: &Path,
    progress: impl Fn(Progress) + Sync,
) -> Result<Summary, CheckError> {
    let files = load::read(folder)?;
    let mut checker = Checker::default();
    for (name, bytes) in &files {
        match load::parse(name, bytes) {
            Ok(file) => checker.file(name, &file),
            Err(error) => checker.problem(name, None, format!("{}; {GENERATE}", reason(&error))),
        }
    }
    checker.reproducible(&files, &generate_with(progress)?);
    if checker.problems.is_empty() {
        Ok(checker.summary)
    } else {
        Err(CheckError::Problems(checker.problems))
    }
}

/// An error without the name of its file.
fn reason(error: &LoadError) -> String {
    match error {
        LoadError::Form { error, .. } => format!("not a vector file: {error}"),
        other => other.to_string(),
    }
}

#[derive(Default)]
struct Checker {
    ids: HashSet<String>,
    summary: Summary,
    problems: Vec<Problem>,
}

impl Checker {
    fn problem(&mut self, file: &str, id: Option<&str>, what: impl Into<String>) {
        let id = id.map(str::to_owned);
        self.problems.push(Problem { file: file.to_owned(), id, what: what.into() });
    }

    fn file(&mut self, name: &str, file: &VectorFile) {
        let mut used = HashSet::new();
        for group in &file.groups {
            if group.tests.is_empty() {
                self.problem(name, None, format!("a group of {} has no tests", group.operation));
            }
            for test in &group.tests {
                *self.summary.tests.entry((name.to_owned(), group.operation)).or_default() += 1;
                let id = Some(test.id.as_str());
                if !self.ids.insert(test.id.clone()) {
                    self.problem(name, id, "another test has this id: give it its own");
                }
                if test.id.split('/').next() != Some(group.operation.name()) {
                    let what = format!("ids of {0} tests begin with {0}/", group.operation);
                    self.problem(name, id, what);
                }
                if test.flags.is_empty() {
                    self.problem(name, id, "there is no flag: name what the test is about");
                }
                for flag in &test.flags {
                    if !file.notes.contains_key(flag) {
                        self.problem(name, id, format!("flag {flag} has no note: add one"));
                    }
                    used.insert(flag.as_str());
                }
                if let Err(what) = Task::new(group, test) {
                    self.problem(name, id, what);
                }
            }
        }
        for flag in file.notes.keys().filter(|flag| !used.contains(flag.as_str())) {
            self.problem(name, None, format!("no test has the flag of note {flag}: remove it"));
        }
    }

    fn reproducible(&mut self, files: &[(String, Vec<u8>)], generated: &[SuiteFile]) {
        for (name, bytes) in files {
            match generated.iter().find(|file| file.name == *name) {
                None => self.problem(name, None, "the generator makes no such file: remove it"),
                Some(file) if file.bytes != *bytes => {
                    let what = format!(
                        "line {} is not what the generator writes: {GENERATE}",
                        first_difference(bytes, &file.bytes)
                    );
                    self.problem(name, None, what);
                }
                Some(_) => {}
            }
        }
        for file in generated {
            if !files.iter().any(|(name, _)| *name == file.name) {
                self.problem(&file.name, None, "missing: run `logflux vectors generate`");
            }
        }
    }
}

/// The first line that is not the same, from 1.
fn first_difference(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b);
    1 + same.filter(|(byte, _)| **byte == b'\n').count()
}
