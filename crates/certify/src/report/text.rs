//! For people: what failed, why it matters, and what to look at.

use std::collections::HashSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::headline::{headline, of_part};
use crate::case::{Case, Part};
use crate::certificate::{CaseResult, Certificate, Counts, Outcome, Verdict};
use crate::finding::Finding;
use crate::model::Requirement;
use crate::subject::Misdeed;

/// How many failures of one kind are shown whole.
const SHOWN: usize = 3;

const BOLD: Style = Style::new().bold();
const RED: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const GREEN: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const YELLOW: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));

/// A certificate in words, with colours.
#[must_use]
pub fn text(certificate: &Certificate) -> String {
    let mut out = String::new();
    misbehaviours(certificate, &mut out);
    causes_and_failures(certificate, &mut out);
    passed_unexpectedly(certificate, &mut out);
    unsupported(certificate, &mut out);
    not_run(certificate, &mut out);
    if let Some(subject) = &certificate.subject {
        let modes: Vec<String> = subject.modes.iter().map(u64::to_string).collect();
        let _ = writeln!(
            out,
            "{BOLD}{} {}{BOLD:#} ({}): {}; modes {}; keys {}; profile {}",
            plain(&subject.name),
            plain(&subject.version),
            plain(&subject.language),
            subject.operations.join(", "),
            modes.join(", "),
            subject.key_policy.name(),
            certificate.profile,
        );
    }
    for part in Part::ALL {
        if let Some(counts) = of_part(certificate, part) {
            let _ = writeln!(out, "{part:<12} {counts}");
        }
    }
    let style = match certificate.verdict() {
        Verdict::Certified | Verdict::PartPassed => GREEN,
        Verdict::KnownFailures | Verdict::Incomplete | Verdict::ExpectedFailurePassed => YELLOW,
        Verdict::NotCertified | Verdict::Misbehaved => RED,
    };
    let _ = writeln!(
        out,
        "{style}{}{style:#} (suite {}, {:.1} s)",
        headline(certificate),
        certificate.suite_version,
        certificate.took.as_secs_f64(),
    );
    out
}

/// Why the rest was not run.
fn not_run(certificate: &Certificate, out: &mut String) {
    let Counts { not_run, timed_out, crashed, broke_protocol, .. } = certificate.counts(None);
    if not_run == 0 {
        return;
    }
    let bad = timed_out + crashed + broke_protocol;
    let _ = writeln!(
        out,
        "{RED}not run{RED:#}: {not_run} cases. The subject timed out, crashed or broke the protocol in {bad}; after the third such thing nothing more is asked. Repair those first, or name them in --expected-failures.\n"
    );
}

/// By kind: the first of each are shown, the others counted.
fn misbehaviours(certificate: &Certificate, out: &mut String) {
    for misdeed in [Misdeed::Crashed, Misdeed::TimedOut, Misdeed::BrokeProtocol] {
        let of_it = certificate.results.iter().filter(|result| {
            !result.failure_expected
                && matches!(&result.outcome, Outcome::Misbehaved(what) if what.misdeed == misdeed)
        });
        let of_it: Vec<&CaseResult> = of_it.collect();
        for result in of_it.iter().take(SHOWN) {
            result_lines(result, out);
            let _ = writeln!(out, "  fix:      {}\n", result.remedy());
        }
        more(of_it.len(), out);
    }
}

/// How many are not shown.
fn more(count: usize, out: &mut String) {
    if count > SHOWN {
        let left = count - SHOWN;
        let _ = writeln!(out, "  … and {left} more like these (--format json has them all)\n");
    }
}

/// A case that did not pass, in some lines.
fn result_lines(result: &CaseResult, out: &mut String) {
    let case = &result.case;
    match &result.outcome {
        Outcome::Misbehaved(what) => {
            let _ = writeln!(
                out,
                "{RED}{}{RED:#} {BOLD}{}{BOLD:#}",
                what.misdeed.words().to_uppercase(),
                case.id
            );
            let _ = writeln!(out, "  {}", plain(&what.to_string()));
        }
        Outcome::Failed(Finding { expected, got, said, .. }) => {
            let _ = writeln!(
                out,
                "{RED}FAILED{RED:#} {BOLD}{}{BOLD:#} ({}): {}",
                case.id,
                case.level,
                plain(&case.comment)
            );
            let _ = writeln!(out, "  expected: {}", plain(expected));
            let _ = writeln!(out, "  got:      {}", plain(got));
            if let Some(said) = said {
                let _ = writeln!(out, "  it said:  {}", plain(said));
            }
        }
        Outcome::Passed => {
            let _ = writeln!(out, "{GREEN}PASSED{GREEN:#} {}: {}", case.id, plain(&case.comment));
        }
        Outcome::Unsupported { what } => {
            let _ = writeln!(out, "lacks {}: {}", plain(what), case.id);
        }
        Outcome::NotRun => {
            let _ = writeln!(out, "not run: {}", case.id);
        }
    }
}

/// Why it matters, and what to look at.
fn explanation(result: &CaseResult, out: &mut String) {
    let note = &result.case.note;
    let _ = writeln!(out, "  rule:     {} ({})", note.rule, note.spec);
    let _ = writeln!(out, "  matters:  {}", result.effect());
    let _ = writeln!(out, "  fix:      {}\n", result.remedy());
}

/// One case and what came of it.
#[must_use]
pub fn result_text(result: &CaseResult) -> String {
    let mut out = String::new();
    result_lines(result, &mut out);
    if matches!(result.outcome, Outcome::Failed(_)) {
        explanation(result, &mut out);
    }
    out
}

/// What many failures have in common first, and then the others, by what they are about and what is
/// wrong.
fn causes_and_failures(certificate: &Certificate, out: &mut String) {
    let causes = certificate.causes();
    let mut claimed: HashSet<&str> = HashSet::new();
    for cause in &causes {
        let _ = writeln!(out, "{RED}CAUSE{RED:#} {BOLD}{}{BOLD:#}", plain(&cause.sentence));
        out.push_str("for example ");
        result_lines(cause.example, out);
        explanation(cause.example, out);
        let ids = [cause.example].into_iter().chain(cause.others.iter().copied());
        claimed.extend(ids.map(|result| result.case.id.as_str()));
        let first: Vec<&str> =
            cause.others.iter().take(SHOWN).map(|result| result.case.id.as_str()).collect();
        let left = cause.others.len().saturating_sub(SHOWN);
        let left = if left > 0 {
            format!(" and {left} more (--format json has them all)")
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "  {} cases follow from it: {}{left}\n",
            cause.others.len(),
            first.join(", ")
        );
    }
    let failed: Vec<(&CaseResult, &Finding)> = certificate
        .results
        .iter()
        .filter(|result| !result.failure_expected && !claimed.contains(result.case.id.as_str()))
        .filter_map(|result| match &result.outcome {
            Outcome::Failed(finding) => Some((result, finding)),
            _ => None,
        })
        .collect();
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for (result, finding) in &failed {
        let kind = (result.case.flag.as_str(), finding.reason.name());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for (flag, reason) in kinds {
        let of_kind: Vec<&CaseResult> = failed
            .iter()
            .filter(|(result, f)| result.case.flag == flag && f.reason.name() == reason)
            .map(|(result, _)| *result)
            .collect();
        for result in of_kind.iter().take(SHOWN) {
            result_lines(result, out);
        }
        if of_kind.len() > SHOWN {
            let left = of_kind.len() - SHOWN;
            let _ = writeln!(out, "  … and {left} more like these (--format json has them all)");
        }
        if let Some(result) = of_kind.first() {
            explanation(result, out);
        }
    }
}

fn passed_unexpectedly(certificate: &Certificate, out: &mut String) {
    let mut any = false;
    for result in &certificate.results {
        if result.failure_expected && result.outcome == Outcome::Passed {
            let _ = writeln!(
                out,
                "{YELLOW}PASSED{YELLOW:#} {}, which was expected to fail",
                result.case.id
            );
            any = true;
        }
    }
    if any {
        out.push('\n');
    }
}

/// What is lacking, by what the subject calls it.
fn unsupported(certificate: &Certificate, out: &mut String) {
    let mut lacks: Vec<(&str, Requirement, usize)> = Vec::new();
    for result in &certificate.results {
        if let Outcome::Unsupported { what } = &result.outcome {
            let level = result.case.level;
            match lacks.iter_mut().find(|(known, of, _)| known == what && *of == level) {
                Some((.., count)) => *count += 1,
                None => lacks.push((what, level, 1)),
            }
        }
    }
    for (what, level, count) in lacks {
        let style = if level == Requirement::Must { RED } else { Style::new() };
        let _ =
            writeln!(out, "{style}lacks {}{style:#}: {count} {level} cases not run", plain(what));
    }
}

/// Without control characters and marks that turn the direction: a subject's words reach a terminal.
fn plain(text: &str) -> String {
    let turns = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

/// Cases, a line each.
#[must_use]
pub fn list_text(cases: &[&Case]) -> String {
    let mut out = String::new();
    for case in cases {
        let _ = writeln!(
            out,
            "{:<52} {:<6} {} [{}]",
            case.id, case.level, case.note.rule, case.note.spec
        );
    }
    out
}
