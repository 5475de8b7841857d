//! What to run, and how.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use glob::Pattern;

use crate::endpoint::EndpointError;
use crate::load::LoadError;
use crate::profile::Profile;
use crate::subject::{Launch, Subject};

/// How many transport cases run at a time: most of their time they wait.
const SHIPPERS: usize = 4;

/// What to run, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The program that is the subject.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What it is to be certified as.
    pub profile: Profile,
    /// Patterns of ids; a case that fits one is run, and without any, every case.
    pub only: Vec<Pattern>,
    /// Patterns of ids of cases that are known to fail.
    pub expected_failures: Vec<Pattern>,
    /// How long a request may take.
    pub limit: Duration,
    /// How many processes of the subject run at the same time; without, one a core, and four for
    /// what waits.
    pub jobs: Option<NonZeroUsize>,
}

impl Options {
    /// The whole suite, 30 s for a request, and as many processes as there are cores.
    #[must_use]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            profile: Profile::Full,
            only: Vec::new(),
            expected_failures: Vec::new(),
            limit: Duration::from_secs(30),
            jobs: None,
        }
    }

    pub(crate) fn chooses(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|pattern| pattern.matches(id))
    }

    pub(crate) fn jobs(&self) -> usize {
        self.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }

    pub(crate) fn shippers(&self) -> usize {
        self.jobs.map_or(SHIPPERS, NonZeroUsize::get)
    }

    pub(crate) fn launch(&self) -> Launch {
        Launch { program: self.program.clone(), args: self.args.clone(), limit: self.limit }
    }

    /// Starts the subject.
    pub(crate) fn start(&self) -> Result<Subject, CertifyError> {
        Subject::start(&self.launch()).map_err(|error| CertifyError::Start {
            program: self.program.to_string_lossy().into_owned(),
            error,
        })
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
    /// What was chosen does not belong to the profile.
    #[error("no case that was chosen belongs to the profile {0}")]
    NotInProfile(Profile),
    /// A case has no endpoint that could be kept.
    #[error(
        "{0} has no endpoint: `logflux certify --list --only 'transport/*'` names those that have one"
    )]
    NoEndpoint(String),
    /// The suite cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No endpoint can be offered to the subject.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}
