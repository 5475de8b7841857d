//! For programs.

use serde_json::{Value, json};

use crate::case::{Case, Part};
use crate::certificate::{CaseResult, Certificate, Counts, Outcome};

/// A certificate as JSON, as docs/certify.md says.
#[must_use]
pub fn json(certificate: &Certificate) -> Value {
    let verdict = certificate.verdict();
    let parts: serde_json::Map<String, Value> = Part::ALL
        .into_iter()
        .map(|part| (part.name().replace(' ', "_"), counts(certificate.counts(Some(part)))))
        .collect();
    json!({
        "schema": "logflux-certificate-1",
        "suite_version": certificate.suite_version,
        "subject": certificate.subject,
        "whole_suite": certificate.whole,
        "verdict": verdict.name(),
        "exit_status": verdict.exit_status(),
        "seconds": (certificate.took.as_secs_f64() * 100.0).round() / 100.0,
        "counts": counts(certificate.counts(None)),
        "parts": parts,
        "cases": certificate.results.iter().map(result).collect::<Vec<_>>(),
    })
}

fn counts(counts: Counts) -> Value {
    let Counts { total, passed, failed, unsupported, broken } = counts;
    json!({"total": total, "passed": passed, "failed": failed, "unsupported": unsupported, "broken": broken})
}

fn result(result: &CaseResult) -> Value {
    let CaseResult { case, outcome, failure_expected } = result;
    let mut value = json!({
        "id": case.id,
        "level": case.level.to_string(),
        "outcome": outcome.name(),
    });
    let Some(parts) = value.as_object_mut() else { return value };
    let mut add = |name: &str, text: &str| {
        parts.insert(name.to_owned(), Value::from(text));
    };
    match outcome {
        Outcome::Passed | Outcome::NotRun => {}
        Outcome::Failed { expected, got } => {
            add("expected", expected);
            add("got", got);
        }
        Outcome::Unsupported { what } => add("lacks", what),
        Outcome::Misbehaved(what) => add("sentence", &what.to_string()),
    }
    if !matches!(outcome, Outcome::Passed | Outcome::NotRun | Outcome::Unsupported { .. }) {
        add("flag", &case.flag);
        add("comment", &case.comment);
        add("rule", &case.note.rule);
        add("spec", &case.note.spec);
        add("effect", &case.note.effect);
        add("remedy", &case.note.remedy);
    }
    if *failure_expected {
        parts.insert("failure_expected".to_owned(), true.into());
    }
    value
}

/// Cases as JSON.
#[must_use]
pub fn list_json(cases: &[&Case]) -> Value {
    cases
        .iter()
        .map(|case| {
            json!({
                "id": case.id, "part": case.part.name(), "level": case.level.to_string(),
                "flag": case.flag, "comment": case.comment, "rule": case.note.rule,
                "spec": case.note.spec, "effect": case.note.effect, "remedy": case.note.remedy,
            })
        })
        .collect()
}
