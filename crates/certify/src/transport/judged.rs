//! What a case of this part finds.

use crate::endpoint::EndpointError;
use crate::finding::{Finding, Reason};
use crate::subject::Misbehaviour;

/// What a case finds wrong.
pub(super) enum Wrong {
    Failed(Finding),
    Unsupported(String),
    Misbehaved(Misbehaviour),
    /// Our own fault.
    Endpoint(EndpointError),
}

impl From<Misbehaviour> for Wrong {
    fn from(misbehaviour: Misbehaviour) -> Self {
        Self::Misbehaved(misbehaviour)
    }
}

impl From<EndpointError> for Wrong {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl From<Finding> for Wrong {
    fn from(finding: Finding) -> Self {
        Self::Failed(finding)
    }
}

pub(super) type Judged = Result<(), Wrong>;

/// The case fails, unless that is so.
pub(super) fn must(so: bool, expected: impl Into<String>, got: impl Into<String>) -> Judged {
    must_for(Reason::Rule, so, expected, got)
}

/// The case fails for this reason, unless that is so.
pub(super) fn must_for(
    reason: Reason,
    so: bool,
    expected: impl Into<String>,
    got: impl Into<String>,
) -> Judged {
    if so { Ok(()) } else { Err(Finding::new(expected, got).because(reason).into()) }
}
