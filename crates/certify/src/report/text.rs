//! For people: what failed, why it matters, and what to look at.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::case::{Case, Part};
use crate::certificate::{CaseResult, Certificate, Counts, Outcome, Verdict};
use crate::model::Requirement;

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
    failures(certificate, &mut out);
    passed_unexpectedly(certificate, &mut out);
    unsupported(certificate, &mut out);
    if let Some(subject) = &certificate.subject {
        let modes: Vec<String> = subject.modes.iter().map(u64::to_string).collect();
        let _ = writeln!(
            out,
            "{BOLD}{} {}{BOLD:#} ({}): {}; modes {}; keys {}",
            plain(&subject.name),
            plain(&subject.version),
            plain(&subject.language),
            subject.operations.join(", "),
            modes.join(", "),
            subject.key_policy.name(),
        );
    }
    for part in Part::ALL {
        let Counts { total, passed, failed, unsupported, broken } = certificate.counts(Some(part));
        if total == 0 || part == Part::Protocol {
            continue;
        }
        let _ = write!(out, "{part:<12} {passed:>5} of {total} passed");
        for (count, what) in
            [(failed, "failed"), (unsupported, "unsupported"), (broken, "broken or not run")]
        {
            if count > 0 {
                let _ = write!(out, ", {count} {what}");
            }
        }
        out.push('\n');
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

/// The verdict in a few words.
#[must_use]
pub fn headline(certificate: &Certificate) -> String {
    let counts = certificate.counts(None);
    let expected =
        certificate.results.iter().filter(|r| r.failure_expected && r.outcome == Outcome::Passed);
    match certificate.verdict() {
        Verdict::Certified => "certified".to_owned(),
        Verdict::PartPassed => "what was chosen passed; only the whole suite certifies".to_owned(),
        Verdict::KnownFailures => {
            format!("not certified: {} known failures, all as expected", counts.failed)
        }
        Verdict::NotCertified => format!("not certified: {} cases failed", counts.failed),
        Verdict::Misbehaved => "not certified: the subject broke the protocol".to_owned(),
        Verdict::Incomplete => "incomplete: the subject lacks what every one must have".to_owned(),
        Verdict::ExpectedFailurePassed => {
            format!("{} expected failures passed: take them off the list", expected.count())
        }
    }
}

fn misbehaviours(certificate: &Certificate, out: &mut String) {
    for result in &certificate.results {
        if let Outcome::Misbehaved(what) = &result.outcome {
            let _ = writeln!(out, "{RED}BROKE{RED:#} {BOLD}{}{BOLD:#}", result.case.id);
            let _ = writeln!(out, "  {}", plain(&what.to_string()));
            let _ = writeln!(out, "  fix:      {}\n", remedy(result));
        }
    }
}

fn remedy(result: &CaseResult) -> &str {
    if result.case.part == Part::Protocol {
        &result.case.note.remedy
    } else {
        "send the same request by hand (docs/certify.md), and see what the subject does"
    }
}

/// Failures by kind.
fn failures(certificate: &Certificate, out: &mut String) {
    let failed: Vec<(&CaseResult, &str, &str)> = certificate
        .results
        .iter()
        .filter(|result| !result.failure_expected)
        .filter_map(|result| match &result.outcome {
            Outcome::Failed { expected, got } => Some((result, expected.as_str(), got.as_str())),
            _ => None,
        })
        .collect();
    let mut flags: Vec<&str> = Vec::new();
    for (result, ..) in &failed {
        if !flags.contains(&result.case.flag.as_str()) {
            flags.push(&result.case.flag);
        }
    }
    for flag in flags {
        let of_flag: Vec<_> =
            failed.iter().filter(|(result, ..)| result.case.flag == flag).collect();
        for (result, expected, got) in of_flag.iter().take(SHOWN) {
            let case = &result.case;
            let _ = writeln!(
                out,
                "{RED}FAILED{RED:#} {BOLD}{}{BOLD:#} ({}): {}",
                case.id,
                case.level,
                plain(&case.comment)
            );
            let _ = writeln!(out, "  expected: {}", plain(expected));
            let _ = writeln!(out, "  got:      {}", plain(got));
        }
        if of_flag.len() > SHOWN {
            let _ = writeln!(
                out,
                "  … and {} more like these (--format json has them all)",
                of_flag.len() - SHOWN
            );
        }
        if let Some((result, ..)) = of_flag.first() {
            let note = &result.case.note;
            let _ = writeln!(out, "  rule:     {} ({})", note.rule, note.spec);
            let _ = writeln!(out, "  matters:  {}", note.effect);
            let _ = writeln!(out, "  fix:      {}\n", note.remedy);
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
