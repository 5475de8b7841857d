//! What came of a run, and what follows from it.

use std::time::Duration;

use crate::case::{Case, Part};
use crate::finding::Finding;
use crate::model::Requirement;
use crate::profile::Profile;
use crate::protocol::STOP;
use crate::subject::{Identity, Misbehaviour, Misdeed};

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is right.
    Passed,
    /// It is wrong.
    Failed(Finding),
    /// The subject says that it has no such thing.
    Unsupported {
        /// What it lacks.
        what: String,
    },
    /// The subject crashed, hung, or broke the protocol.
    Misbehaved(Misbehaviour),
    /// The run was broken off before it.
    NotRun,
}

impl Outcome {
    /// The name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Unsupported { .. } => "unsupported",
            Self::Misbehaved(what) => what.misdeed.name(),
            Self::NotRun => "not_run",
        }
    }
}

/// A case and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseResult {
    /// The case.
    pub case: Case,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether it was said that it would fail.
    pub failure_expected: bool,
}

impl CaseResult {
    /// Why what came out matters.
    #[must_use]
    pub fn effect(&self) -> String {
        match &self.outcome {
            Outcome::Failed(finding) => finding.reason.effect(&self.case.note),
            _ => self.case.note.effect.clone(),
        }
    }

    /// What to look at.
    #[must_use]
    pub fn remedy(&self) -> String {
        let id = &self.case.id;
        match &self.outcome {
            Outcome::Failed(finding) => finding.reason.remedy(&self.case.note),
            Outcome::Misbehaved(what) if what.misdeed == Misdeed::TimedOut && id != STOP => {
                "Where the subject is slow and not stuck, give it more time with --timeout."
                    .to_owned()
            }
            Outcome::Misbehaved(_) if self.case.part != Part::Protocol => format!(
                "`logflux certify --show {id}` prints the request: send it by hand, and see what the subject does."
            ),
            _ => self.case.note.remedy.clone(),
        }
    }
}

/// What a run shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Everything that the subject has is right, and it has everything that it must.
    Certified,
    /// The same, of a part of the suite.
    PartPassed,
    /// Nothing failed but what was expected to.
    KnownFailures,
    /// Something is wrong.
    NotCertified,
    /// The subject crashed, hung, or broke the protocol.
    Misbehaved,
    /// The subject lacks something that it must have.
    Incomplete,
    /// What was expected to fail passed.
    ExpectedFailurePassed,
}

impl Verdict {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certified => "certified",
            Self::PartPassed => "part_passed",
            Self::KnownFailures => "known_failures",
            Self::NotCertified => "not_certified",
            Self::Misbehaved => "misbehaved",
            Self::Incomplete => "incomplete",
            Self::ExpectedFailurePassed => "expected_failure_passed",
        }
    }

    /// The exit status of `logflux certify`.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Certified | Self::PartPassed | Self::KnownFailures => 0,
            Self::NotCertified => 1,
            Self::Misbehaved => 3,
            Self::Incomplete => 4,
            Self::ExpectedFailurePassed => 5,
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Certificate {
    /// The version of the suite.
    pub suite_version: &'static str,
    /// What the subject says of itself; nothing, where it did not get so far.
    pub subject: Option<Identity>,
    /// Every case that was chosen, in the order of the suite.
    pub results: Vec<CaseResult>,
    /// What it is to be certified as.
    pub profile: Profile,
    /// Whether every case of the profile was chosen.
    pub whole: bool,
    /// How long it took.
    pub took: Duration,
}

/// How many cases came out in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All of them.
    pub total: usize,
    /// Right.
    pub passed: usize,
    /// Wrong.
    pub failed: usize,
    /// Lacking.
    pub unsupported: usize,
    /// Did not answer in time.
    pub timed_out: usize,
    /// Ended before it answered.
    pub crashed: usize,
    /// Answered with what is no answer.
    pub broke_protocol: usize,
    /// Not run, since the run was broken off.
    pub not_run: usize,
}

impl Certificate {
    /// The cases of a part, or of all, counted.
    #[must_use]
    pub fn counts(&self, part: Option<Part>) -> Counts {
        let mut counts = Counts::default();
        for result in self.results.iter().filter(|r| part.is_none_or(|part| r.case.part == part)) {
            counts.total += 1;
            *match result.outcome {
                Outcome::Passed => &mut counts.passed,
                Outcome::Failed(_) => &mut counts.failed,
                Outcome::Unsupported { .. } => &mut counts.unsupported,
                Outcome::Misbehaved(ref what) => match what.misdeed {
                    Misdeed::TimedOut => &mut counts.timed_out,
                    Misdeed::Crashed => &mut counts.crashed,
                    Misdeed::BrokeProtocol => &mut counts.broke_protocol,
                },
                Outcome::NotRun => &mut counts.not_run,
            } += 1;
        }
        counts
    }

    /// What the run shows.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let any = |test: fn(&CaseResult) -> bool| self.results.iter().any(test);
        if any(|r| {
            matches!(r.outcome, Outcome::Misbehaved(_)) && !r.failure_expected
                || r.outcome == Outcome::NotRun
        }) {
            Verdict::Misbehaved
        } else if any(|r| matches!(r.outcome, Outcome::Failed(_)) && !r.failure_expected) {
            Verdict::NotCertified
        } else if any(|r| r.outcome == Outcome::Passed && r.failure_expected) {
            Verdict::ExpectedFailurePassed
        } else if any(|r| {
            matches!(r.outcome, Outcome::Unsupported { .. }) && r.case.level == Requirement::Must
        }) {
            Verdict::Incomplete
        } else if any(|r| matches!(r.outcome, Outcome::Failed(_) | Outcome::Misbehaved(_))) {
            Verdict::KnownFailures
        } else if self.whole {
            Verdict::Certified
        } else {
            Verdict::PartPassed
        }
    }
}
