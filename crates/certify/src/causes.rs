//! Failures that have one cause, so that it can be said first, and once.

use crate::case::Part;
use crate::certificate::{CaseResult, Certificate, Outcome};
use crate::finding::{Finding, Reason};

/// A cause, and the failures that follow from it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cause<'c> {
    /// What is wrong, in a sentence.
    pub sentence: String,
    /// The failure that shows it best.
    pub example: &'c CaseResult,
    /// The other failures.
    pub others: Vec<&'c CaseResult>,
}

/// So many failures of a kind have a cause in common.
const MANY: usize = 3;

/// The operations of vectors, those on which others build first.
const OPERATIONS: [(&str, &str); 4] = [
    ("derive", "No key that was derived"),
    ("seal", "No entry that was sealed"),
    ("open", "No valid entry opened"),
    ("parse", "No valid entry was read"),
];

/// What transport cases have in common.
const REASONS: [(Reason, &str); 8] = [
    (Reason::NothingArrived, "No request arrived"),
    (Reason::NoEntry, "What arrived is no valid entry"),
    (Reason::NotOpened, "No valid entry arrived: what arrived does not open"),
    (Reason::NotRetried, "What had failed was never sent again"),
    (Reason::Resealed, "Messages were sealed a second time"),
    (Reason::Lost, "Messages never arrived"),
    (Reason::FlushFailed, "`flush` answered an error, though everything had been delivered"),
    (Reason::FlushUntrue, "`flush` answered ok, though not everything had been delivered"),
];

impl Certificate {
    /// The causes of failures that were not expected. What follows from none stands for itself.
    #[must_use]
    pub fn causes(&self) -> Vec<Cause<'_>> {
        let mut causes = Causes {
            results: &self.results,
            claimed: vec![false; self.results.len()],
            found: Vec::new(),
        };
        for (operation, what) in OPERATIONS {
            causes.of_operation(operation, what);
        }
        causes.of_stages();
        for mode in [1, 2, 3, 4, 128] {
            let prefix = format!("roundtrip/mode-{mode}/");
            let of_mode = |result: &CaseResult, finding: &Finding| {
                result.case.id.starts_with(&prefix) && finding.reason == Reason::NotSealed
            };
            causes.claim(|_| format!("Nothing was sealed in mode {mode}"), of_mode);
        }
        for (reason, what) in REASONS {
            let of_reason = |result: &CaseResult, finding: &Finding| {
                result.case.part == Part::Transport && finding.reason == reason
            };
            causes.claim(|count| format!("{what}, in {count} cases"), of_reason);
        }
        causes.found
    }
}

struct Causes<'c> {
    results: &'c [CaseResult],
    claimed: Vec<bool>,
    found: Vec<Cause<'c>>,
}

/// The finding of a failure that nobody expected.
fn finding(result: &CaseResult) -> Option<&Finding> {
    match &result.outcome {
        Outcome::Failed(finding) if !result.failure_expected => Some(finding),
        _ => None,
    }
}

impl<'c> Causes<'c> {
    /// An operation that gives nothing right, in all modes or in one.
    fn of_operation(&mut self, operation: &'static str, what: &str) {
        let results = self.results;
        let valid = |mode: Option<u64>| {
            results.iter().filter(move |result| {
                result.case.accepts
                    && result.case.operations == [operation]
                    && (mode.is_none() || result.case.mode == mode)
            })
        };
        let none_right = |mode: Option<u64>| {
            let failed = valid(mode).filter(|result| finding(result).is_some()).count();
            failed >= MANY && !valid(mode).any(|result| result.outcome == Outcome::Passed)
        };
        let modes: Vec<Option<u64>> = if none_right(None) {
            vec![None]
        } else {
            [1, 2, 3, 4, 128].into_iter().map(Some).filter(|mode| none_right(*mode)).collect()
        };
        for mode in modes {
            let refused = |result: &&CaseResult| {
                finding(result).is_some_and(|f| matches!(f.reason, Reason::Refused(_)))
            };
            let judged = |result: &&CaseResult| {
                matches!(result.outcome, Outcome::Passed | Outcome::Failed(_))
            };
            let (all, refused) =
                (valid(mode).filter(judged).count(), valid(mode).filter(refused).count());
            let stage =
                most_common(valid(mode).filter_map(finding).filter_map(|f| match f.reason {
                    Reason::Refused(stage) => Some(stage),
                    _ => None,
                }));
            let of_mode = mode.map_or_else(String::new, |mode| format!(" in mode {mode}"));
            let is_right = if matches!(operation, "derive" | "seal") { " is right" } else { "" };
            let at = stage.flatten().map_or_else(String::new, |s| format!(", most at stage {s}"));
            let how = if refused > 0 {
                format!(": {refused} of {all} were refused{at}")
            } else {
                String::new()
            };
            self.claim(
                |_| format!("{what}{is_right}{of_mode}{how}"),
                |result, finding| follows(result, finding, operation, mode, stage),
            );
        }
    }

    /// What is refused at one stage where another is right, again and again.
    fn of_stages(&mut self) {
        let mut pairs: Vec<(&'static str, Reason)> = Vec::new();
        for result in self.results {
            if let (Some(Finding { reason: reason @ Reason::WrongStage { .. }, .. }), [operation]) =
                (finding(result), result.case.operations)
                && !pairs.contains(&(*operation, *reason))
            {
                pairs.push((*operation, *reason));
            }
        }
        for (operation, reason) in pairs {
            let Reason::WrongStage { expected, got } = reason else { continue };
            let got = got.map_or_else(|| "no stage".to_owned(), |got| format!("stage {got}"));
            self.claim(
                |count| {
                    format!("`{operation}` names {got} where it refuses at stage {expected}, in {count} cases")
                },
                |result, finding| {
                    result.case.operations == [operation] && finding.reason == reason
                },
            );
        }
    }

    /// Makes a cause of all failures that fit and follow from no other, where they are many.
    fn claim(
        &mut self,
        sentence: impl Fn(usize) -> String,
        fits: impl Fn(&CaseResult, &Finding) -> bool,
    ) {
        let results = self.results;
        let of_it: Vec<usize> = (0..results.len())
            .filter(|n| !self.claimed.get(*n).copied().unwrap_or_default())
            .filter(|n| {
                results.get(*n).is_some_and(|r| finding(r).is_some_and(|finding| fits(r, finding)))
            })
            .collect();
        if of_it.len() < MANY {
            return;
        }
        for slot in of_it.iter() {
            if let Some(claimed) = self.claimed.get_mut(*slot) {
                *claimed = true;
            }
        }
        let mut cases: Vec<&CaseResult> = of_it.iter().filter_map(|n| results.get(*n)).collect();
        // A known answer of the standard mode shows it best, else the first.
        let best = cases.iter().position(|r| r.case.id.ends_with("/known/mode-1"));
        let best = best.or_else(|| cases.iter().position(|r| r.case.flag == "KnownAnswer"));
        let example = cases.remove(best.unwrap_or_default());
        self.found.push(Cause { sentence: sentence(of_it.len()), example, others: cases });
    }
}

/// Whether a failure follows from an operation that gives nothing right.
fn follows(
    result: &CaseResult,
    finding: &Finding,
    operation: &str,
    mode: Option<u64>,
    stage: Option<Option<logflux_wire::Stage>>,
) -> bool {
    let case = &result.case;
    let same_mode = mode.is_none() || case.mode == mode;
    let builds_on_it = match operation {
        "derive" => &["derive", "seal", "open"][..],
        other => &[other][..],
    };
    if case.part == Part::Static && same_mode {
        let of_it = case.operations.iter().all(|o| builds_on_it.contains(o));
        let refused_earlier = match finding.reason {
            Reason::WrongStage { got, .. } => Some(got) == stage,
            _ => false,
        };
        return of_it && (case.accepts || refused_earlier);
    }
    let of_mode = mode.is_none_or(|mode| case.id.starts_with(&format!("roundtrip/mode-{mode}/")));
    let seals = matches!(operation, "derive" | "seal");
    match case.part {
        Part::RoundTrip if of_mode => {
            let opening =
                ["/opens-ours", "/opened-by-itself"].iter().any(|end| case.id.ends_with(end));
            let sealing = ["/canonical", "/opened-by-us"].iter().any(|end| case.id.ends_with(end));
            opening && operation != "seal" && operation != "parse" || sealing && seals
        }
        Part::Transport => seals && matches!(finding.reason, Reason::NotOpened | Reason::NoEntry),
        _ => false,
    }
}

/// What comes most often.
fn most_common<T: PartialEq>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: Vec<(T, usize)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}
