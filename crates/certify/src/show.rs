//! What a case asks and expects, so that it can be repeated by hand.

use crate::case::Case;
use crate::catalogue::Catalogue;
use crate::options::CertifyError;
use crate::subject::Request;
use crate::{round_trips, transport};

/// A case, and everything that is needed to repeat it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shown {
    /// The case.
    pub case: Case,
    /// The requests, a line of JSON each, from `hello` to `stop`.
    pub requests: Vec<String>,
    /// What must come out.
    pub expected: String,
    /// Whether the requests need an endpoint, which is made anew for each run.
    pub needs_endpoint: bool,
}

/// What a case asks and expects.
///
/// # Errors
/// [`CertifyError::NoSuchCase`] where there is none with this id.
pub fn show(id: &str) -> Result<Shown, CertifyError> {
    let suite = Catalogue::built_in()?;
    let of_vector = suite.statics.iter().find(|item| item.case.id == id);
    let case = suite.cases().find(|case| case.id == id);
    let case = case.ok_or_else(|| CertifyError::NoSuchCase(id.to_owned()))?;
    let (asked, expected) = match of_vector {
        Some(item) => (vec![item.request(true)], item.expected()),
        None => {
            let asked = round_trips::requests(id).or_else(|| transport::requests(id));
            (asked.unwrap_or_default(), case.comment.clone())
        }
    };
    let all = [Request::hello()].into_iter().chain(asked).chain([Request::new("stop")]);
    let requests = (1..).zip(all).map(|(id, request)| request.line(id)).collect();
    Ok(Shown {
        case: case.clone(),
        requests,
        expected,
        needs_endpoint: transport::requests(id).is_some(),
    })
}
