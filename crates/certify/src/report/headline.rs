//! The verdict in a few words, with how many cases came out in which way.

use crate::case::Part;
use crate::certificate::{Certificate, Counts, Outcome, Verdict};
use crate::profile::Profile;

/// The verdict in a few words, and what it is made of.
#[must_use]
pub fn headline(certificate: &Certificate) -> String {
    let profile = certificate.profile;
    let counts = counted(certificate.counts(None));
    match certificate.verdict() {
        Verdict::Certified => match profile {
            Profile::Full => format!("certified: {counts}"),
            _ => format!("certified as a {profile}: {counts}"),
        },
        Verdict::PartPassed => {
            format!("what was chosen passed ({counts}); only the whole suite certifies")
        }
        Verdict::KnownFailures => {
            format!("not certified: nothing failed but what was expected to ({counts})")
        }
        Verdict::NotCertified | Verdict::Misbehaved => format!("not certified: {counts}"),
        Verdict::Incomplete => {
            format!("incomplete: the subject lacks what a {profile} subject must have ({counts})")
        }
        Verdict::ExpectedFailurePassed => {
            let passed = certificate
                .results
                .iter()
                .filter(|r| r.failure_expected && r.outcome == Outcome::Passed);
            format!(
                "{} expected failures passed: take them off the list ({counts})",
                passed.count()
            )
        }
    }
}

/// The outcomes that there are, the worst first.
pub(super) fn counted(counts: Counts) -> String {
    let Counts {
        total: _,
        passed,
        failed,
        unsupported,
        timed_out,
        crashed,
        broke_protocol,
        not_run,
    } = counts;
    let parts: Vec<String> = [
        (failed, "failed"),
        (crashed, "crashed"),
        (timed_out, "timed out"),
        (broke_protocol, "broke the protocol"),
        (not_run, "not run"),
        (unsupported, "lacking"),
        (passed, "passed"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", thousands(count)))
    .collect();
    parts.join(", ")
}

/// A number with a comma before each three digits.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What a part came to.
pub(super) fn of_part(certificate: &Certificate, part: Part) -> Option<String> {
    let counts = certificate.counts(Some(part));
    (counts.total > 0 && part != Part::Protocol).then(|| counted(counts))
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn numbers_have_commas() {
        let shown: Vec<String> = [0, 999, 1_120, 1_234_567].into_iter().map(thousands).collect();
        assert_eq!(shown, ["0", "999", "1,120", "1,234,567"]);
    }
}
