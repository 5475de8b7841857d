//! A case and its requests, for people.

use std::fmt::Write as _;

use crate::show::Shown;

/// What a case asks and expects, and how to repeat it. The requests are the lines that begin with
/// `{`.
#[must_use]
pub fn show_text(shown: &Shown) -> String {
    let Shown { case, requests, expected, needs_endpoint } = shown;
    let id = &case.id;
    let mut out = String::new();
    let _ = writeln!(out, "{id} ({}): {}", case.level, case.comment);
    let _ = writeln!(out, "expected: {expected}");
    let _ = writeln!(out, "rule:     {} ({})", case.note.rule, case.note.spec);
    let _ = writeln!(out, "matters:  {}", case.note.effect);
    let _ = writeln!(out, "fix:      {}\n", case.note.remedy);
    for request in requests {
        let _ = writeln!(out, "{request}");
    }
    let _ = writeln!(out, "\nrun it:   logflux certify --only '{id}' -- COMMAND");
    let _ = if *needs_endpoint {
        writeln!(out, "by hand:  logflux certify --keep-endpoint '{id}' -- COMMAND")
    } else {
        writeln!(out, "by hand:  logflux certify --show '{id}' | grep '^{{' | COMMAND")
    };
    out
}
