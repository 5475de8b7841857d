//! A run of the suite against a subject.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use glob::Pattern;

use crate::case::{HELLO, STOP, Suite};
use crate::certificate::{CaseResult, Certificate, Outcome};
use crate::endpoint::EndpointError;
use crate::floor::Floor;
use crate::load::LoadError;
use crate::model::SUITE_VERSION;
use crate::static_cases::{self, StaticCase};
use crate::subject::{Launch, Subject};
use crate::{Progress, round_trips, transport};

/// What to run, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The program that is the subject.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Patterns of ids; a case that fits one is run, and without any, every case.
    pub only: Vec<Pattern>,
    /// Patterns of ids of cases that are known to fail.
    pub expected_failures: Vec<Pattern>,
    /// How long a request may take.
    pub limit: Duration,
    /// How many processes of the subject run the vectors at the same time.
    pub jobs: usize,
}

impl Options {
    /// The whole suite, 30 s for a request, and as many processes as there are cores.
    #[must_use]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            only: Vec::new(),
            expected_failures: Vec::new(),
            limit: Duration::from_secs(30),
            jobs: thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }
}

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertifyError {
    /// The system cannot start the subject.
    #[error("{program} cannot be started: {error}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// A pattern fits no case.
    #[error("no case fits {0}: `logflux certify --list` names every one")]
    NoSuchCase(String),
    /// The suite cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No endpoint can be offered to the subject.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Runs the suite against a subject, and tells from any thread how many cases are done.
///
/// # Errors
/// [`CertifyError`] where nothing could be run. What the subject does wrong is no error, but stands
/// in the certificate.
pub fn certify(
    options: &Options,
    progress: impl Fn(Progress) + Sync,
) -> Result<Certificate, CertifyError> {
    let begun = Instant::now();
    let suite = Suite::built_in()?;
    let ids: Vec<&str> = suite.cases().map(|case| case.id.as_str()).collect();
    for pattern in options.only.iter().chain(&options.expected_failures) {
        if !ids.iter().any(|id| pattern.matches(id)) {
            return Err(CertifyError::NoSuchCase(pattern.to_string()));
        }
    }
    let chosen = |id: &str| {
        options.only.is_empty() || options.only.iter().any(|pattern| pattern.matches(id))
    };
    let chosen_ids: Vec<&str> =
        ids.into_iter().filter(|id| *id == HELLO || *id == STOP || chosen(id)).collect();
    let launch = Launch {
        program: options.program.clone(),
        args: options.args.clone(),
        limit: options.limit,
    };
    let mut first = Subject::start(&launch).map_err(|error| CertifyError::Start {
        program: options.program.to_string_lossy().into_owned(),
        error,
    })?;
    let floor = Floor::new(launch, &chosen_ids, &progress);
    let identity = match first.hello() {
        Ok(identity) => {
            floor.put(HELLO, Outcome::Passed);
            Some(identity)
        }
        Err(what) => {
            floor.put(HELLO, Outcome::Misbehaved(what));
            None
        }
    };
    if let Some(identity) = &identity {
        run_statics(&floor, identity, &suite.statics, &chosen, first, options.jobs.max(1));
        round_trips::run(&floor, identity, options.jobs.max(1));
        transport::run(&floor, identity)?;
        floor.judge_stops();
    }
    let mut outcomes = floor.into_outcomes();
    let results = suite
        .cases()
        .filter_map(|case| {
            let outcome = outcomes.remove(case.id.as_str())?;
            let fits = |pattern: &Pattern| pattern.matches(&case.id);
            let failure_expected = options.expected_failures.iter().any(fits);
            Some(CaseResult { case: case.clone(), outcome, failure_expected })
        })
        .collect();
    Ok(Certificate {
        suite_version: SUITE_VERSION,
        subject: identity,
        results,
        whole: options.only.is_empty(),
        took: begun.elapsed(),
    })
}

fn run_statics(
    floor: &Floor<'_>,
    identity: &crate::Identity,
    cases: &[StaticCase],
    chosen: &(impl Fn(&str) -> bool + Sync),
    first: Subject,
    jobs: usize,
) {
    let mut selected = Vec::new();
    for item in cases {
        let lacking = if chosen(&item.case.id) { item.lacking(identity) } else { None };
        selected.push(chosen(&item.case.id) && lacking.is_none());
        if let Some(what) = lacking {
            floor.put(&item.case.id, Outcome::Unsupported { what });
        }
    }
    let bundles = static_cases::bundles(cases, &selected);
    let next = AtomicUsize::new(0);
    let first = Mutex::new(Some(first));
    let work = || {
        let mut subject = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        while let Some(bundle) = bundles.get(next.fetch_add(1, Ordering::Relaxed)) {
            for item in bundle.iter().filter_map(|index| cases.get(*index)) {
                if let Some(outcome) =
                    floor.ask(&mut subject, |subject| item.run(subject, identity))
                {
                    floor.put(&item.case.id, outcome);
                }
            }
        }
        floor.stop(subject);
    };
    thread::scope(|scope| {
        for _ in 1..jobs.min(bundles.len()) {
            scope.spawn(work);
        }
        work();
    });
}
