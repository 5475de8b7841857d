//! JUnit XML, as test reporters read it.

use std::fmt::Write as _;

use super::xml::xml;
use crate::case::Part;
use crate::certificate::{CaseResult, Certificate, Outcome};
use crate::finding::Finding;

/// A certificate as JUnit XML: a suite a part, a case a case. What was expected to fail and did is
/// skipped; what was expected to fail and passed is a failure.
#[must_use]
pub fn junit(certificate: &Certificate) -> String {
    let name = certificate.subject.as_ref().map_or("subject", |subject| subject.name.as_str());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let seconds = certificate.took.as_secs_f64();
    let _ = writeln!(out, "<testsuites name=\"{}\" time=\"{seconds:.2}\">", xml(name));
    for part in Part::ALL {
        let of_part: Vec<&CaseResult> =
            certificate.results.iter().filter(|result| result.case.part == part).collect();
        if of_part.is_empty() {
            continue;
        }
        let bodies: Vec<String> = of_part.iter().map(|result| body(result)).collect();
        let count = |tag: &str| bodies.iter().filter(|body| body.starts_with(tag)).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{part}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            of_part.len(),
            count("<failure"),
            count("<error"),
            count("<skipped"),
        );
        for (result, body) in of_part.iter().zip(bodies) {
            let (class, case) = result.case.id.rsplit_once('/').unwrap_or(("", &result.case.id));
            let class = xml(&class.replace('/', "."));
            let case = xml(case);
            let _ = if body.is_empty() {
                writeln!(out, "    <testcase classname=\"{class}\" name=\"{case}\"/>")
            } else {
                writeln!(
                    out,
                    "    <testcase classname=\"{class}\" name=\"{case}\">{body}</testcase>"
                )
            };
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn body(result: &CaseResult) -> String {
    let note = &result.case.note;
    match &result.outcome {
        Outcome::Passed if result.failure_expected => {
            "<failure message=\"it was expected to fail, and passed\"/>".to_owned()
        }
        Outcome::Passed => String::new(),
        Outcome::Failed(_) | Outcome::Misbehaved(_) if result.failure_expected => {
            "<skipped message=\"it fails, as expected\"/>".to_owned()
        }
        Outcome::Failed(Finding { expected, got, said, reason }) => {
            let said = said.as_ref().map_or_else(String::new, |said| format!("; it said: {said}"));
            format!(
                "<failure type=\"{}\" message=\"expected {}; got {}{}\">{} ({}) {} {}</failure>",
                reason.name(),
                xml(expected),
                xml(got),
                xml(&said),
                xml(&note.rule),
                xml(&note.spec),
                xml(&result.effect()),
                xml(&result.remedy()),
            )
        }
        Outcome::Unsupported { what } => {
            format!("<skipped message=\"{} ({}) is not supported\"/>", xml(what), result.case.level)
        }
        Outcome::Misbehaved(what) => {
            format!(
                "<error type=\"{}\" message=\"{}\"/>",
                what.misdeed.name(),
                xml(&what.to_string())
            )
        }
        Outcome::NotRun => "<skipped message=\"not run\"/>".to_owned(),
    }
}
