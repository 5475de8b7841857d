//! For programs.

use serde_json::{Value, json};

use crate::case::{Case, Part};
use crate::causes::Cause;
use crate::certificate::{CaseResult, Certificate, Counts, Outcome};
use crate::finding::Finding;
use crate::show::Shown;

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
        "profile": certificate.profile.name(),
        "whole_suite": certificate.whole,
        "verdict": verdict.name(),
        "exit_status": verdict.exit_status(),
        "seconds": (certificate.took.as_secs_f64() * 100.0).round() / 100.0,
        "counts": counts(certificate.counts(None)),
        "parts": parts,
        "causes": certificate.causes().iter().map(cause).collect::<Vec<_>>(),
        "cases": certificate.results.iter().map(result).collect::<Vec<_>>(),
    })
}

fn counts(counts: Counts) -> Value {
    let Counts { total, passed, failed, unsupported, timed_out, crashed, broke_protocol, not_run } =
        counts;
    json!({
        "total": total, "passed": passed, "failed": failed, "unsupported": unsupported,
        "timed_out": timed_out, "crashed": crashed, "broke_protocol": broke_protocol,
        "not_run": not_run,
    })
}

fn cause(cause: &Cause<'_>) -> Value {
    let ids: Vec<&str> =
        [cause.example].iter().chain(&cause.others).map(|r| r.case.id.as_str()).collect();
    json!({
        "sentence": cause.sentence, "effect": cause.example.effect(),
        "remedy": cause.example.remedy(), "cases": ids,
    })
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
        Outcome::Failed(Finding { expected, got, said, reason }) => {
            add("reason", reason.name());
            add("expected", expected);
            add("got", got);
            if let Some(said) = said {
                add("said", said);
            }
        }
        Outcome::Unsupported { what } => add("lacks", what),
        Outcome::Misbehaved(what) => add("sentence", &what.to_string()),
    }
    if !matches!(outcome, Outcome::Passed | Outcome::NotRun | Outcome::Unsupported { .. }) {
        add("flag", &case.flag);
        add("comment", &case.comment);
        add("rule", &case.note.rule);
        add("spec", &case.note.spec);
        add("effect", &result.effect());
        add("remedy", &result.remedy());
    }
    if *failure_expected {
        parts.insert("failure_expected".to_owned(), true.into());
    }
    value
}

/// A case and its requests as JSON.
#[must_use]
pub fn show_json(shown: &Shown) -> Value {
    let Shown { case, requests, expected, needs_endpoint } = shown;
    let requests: Vec<Value> =
        requests.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    json!({
        "id": case.id, "part": case.part.name(), "level": case.level.to_string(),
        "comment": case.comment, "rule": case.note.rule, "spec": case.note.spec,
        "expected": expected, "requests": requests, "needs_endpoint": needs_endpoint,
    })
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
