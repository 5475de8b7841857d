//! A run of the suite against a subject.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use glob::Pattern;

use crate::catalogue::Catalogue;
use crate::certificate::{CaseResult, Certificate, Outcome};
use crate::floor::{Floor, Wanted};
use crate::model::SUITE_VERSION;
use crate::options::{CertifyError, Options};
use crate::pace::Pace;
use crate::progress::{Estimate, News};
use crate::protocol::{ANSWERS, HELLO, STOP};
use crate::static_cases::{self, StaticCase};
use crate::subject::{Identity, Subject};
use crate::{round_trips, transport};

/// Runs the suite against a subject, and tells from any thread how far it is.
///
/// # Errors
/// [`CertifyError`] where nothing could be run. What the subject does wrong is no error, but stands
/// in the certificate.
pub fn certify(options: &Options, news: impl Fn(News) + Sync) -> Result<Certificate, CertifyError> {
    let begun = Instant::now();
    let suite = Catalogue::built_in()?;
    let asked = |pattern: &Pattern| suite.cases().any(|case| pattern.matches(&case.id));
    if let Some(pattern) = options.only.iter().chain(&options.expected_failures).find(|p| !asked(p))
    {
        return Err(CertifyError::NoSuchCase(pattern.to_string()));
    }
    let chosen: HashSet<&str> = suite
        .cases()
        .filter(|case| options.profile.asks(case.operations) && options.chooses(&case.id))
        .map(|case| case.id.as_str())
        .collect();
    if chosen.is_empty() {
        return Err(CertifyError::NotInProfile(options.profile));
    }
    let chosen: HashSet<&str> = chosen.into_iter().chain([HELLO, ANSWERS, STOP]).collect();
    let launch = options.launch();
    let mut first = options.start()?;
    let said = first.hello();
    let (mut slot, mut wanted) = (
        Some(first),
        Wanted {
            ids: chosen.iter().copied().collect(),
            expected: &options.expected_failures,
            seals: 0,
            pace: Pace::default(),
            jobs: options.jobs(),
            shippers: options.shippers(),
        },
    );
    if let Ok(identity) = &said {
        let wants = |id: &str| chosen.contains(id);
        let seals = round_trips::seals(wants, identity);
        wanted.seals = seals.iter().map(|(_, count)| count).sum();
        let shipped = transport::keys(wants, identity);
        if wanted.seals + shipped > 0 {
            wanted.pace = measure(&mut slot, &suite.statics, identity);
        }
        let statics = derivations(&suite.statics, wants, identity);
        let keys: usize = seals.iter().map(|(mode, count)| keys(*mode, *count, identity)).sum();
        news(News::Estimate(Estimate {
            derivations: statics + keys + shipped,
            each: wanted.pace.derivation,
            processes: wanted.jobs,
        }));
    }
    let floor = Floor::new(launch, wanted, &news);
    let identity = match said {
        Ok(identity) => {
            floor.put(HELLO, Outcome::Passed);
            Some(identity)
        }
        Err(what) => {
            floor.put(HELLO, Outcome::Misbehaved(what));
            None
        }
    };
    if let Some(identity) = &identity {
        run_statics(&floor, identity, &suite.statics, slot);
        round_trips::run(&floor, identity);
        transport::run(&floor, identity)?;
        floor.judge_protocol();
    }
    let mut outcomes = floor.into_outcomes();
    let results = suite
        .cases()
        .filter_map(|case| {
            let outcome = outcomes.remove(case.id.as_str())?;
            let fits = |pattern: &Pattern| pattern.matches(&case.id);
            let failure_expected = options.expected_failures.iter().any(fits);
            Some(CaseResult { case: case.clone(), outcome, failure_expected })
        })
        .collect();
    Ok(Certificate {
        suite_version: SUITE_VERSION,
        subject: identity,
        results,
        profile: options.profile,
        whole: options.only.is_empty(),
        took: begun.elapsed(),
    })
}

/// Vectors that derive a key, in the order in which they are preferred to measure it.
const MEASURES: [&str; 3] = ["open/known/mode-1", "derive/known/mode-1", "seal/known/mode-1"];

/// How long the subject takes for a derivation, about: for the first known answer that it can give.
/// Whether it is right is judged later; a subject that misbehaves is asked again then, too.
pub(crate) fn measure(
    slot: &mut Option<Subject>,
    statics: &[StaticCase],
    identity: &Identity,
) -> Pace {
    let mut candidates = MEASURES.iter().filter_map(|id| statics.iter().find(|c| c.case.id == *id));
    let case = candidates.find(|case| case.lacking(identity).is_none());
    let (Some(case), Some(subject)) = (case, slot.as_mut()) else { return Pace::default() };
    let begun = Instant::now();
    match case.run(subject, identity) {
        Err(misbehaviour) if !misbehaviour.in_step => {
            *slot = None;
            Pace::default()
        }
        _ => Pace { derivation: begun.elapsed() },
    }
}

/// How many keys the vectors take.
fn derivations(statics: &[StaticCase], wants: impl Fn(&str) -> bool, identity: &Identity) -> usize {
    let asked =
        statics.iter().filter(|item| wants(&item.case.id) && item.lacking(identity).is_none());
    let keys: HashSet<_> =
        asked.map(|item| &item.derivation).filter(|key| !key.0.is_empty()).collect();
    keys.len()
}

/// How many keys sealing so many messages takes.
fn keys(mode: u64, count: usize, identity: &Identity) -> usize {
    usize::try_from(crate::pace::derivations(count, mode, identity)).unwrap_or(usize::MAX)
}

fn run_statics(
    floor: &Floor<'_>,
    identity: &Identity,
    cases: &[StaticCase],
    first: Option<Subject>,
) {
    let mut selected = Vec::new();
    for item in cases {
        let wanted = floor.wants(&item.case.id);
        let lacking = if wanted { item.lacking(identity) } else { None };
        selected.push(wanted && lacking.is_none());
        if let Some(what) = lacking {
            floor.put(&item.case.id, Outcome::Unsupported { what });
        }
    }
    let bundles = static_cases::bundles(cases, &selected);
    let next = AtomicUsize::new(0);
    let first = Mutex::new(first);
    let work = || {
        let mut subject = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        while let Some(bundle) = bundles.get(next.fetch_add(1, Ordering::Relaxed)) {
            for item in bundle.iter().filter_map(|index| cases.get(*index)) {
                let id = &item.case.id;
                match floor.work(id, &mut subject, |subject| item.run(subject, identity)) {
                    Some(Ok(outcome)) => floor.put(id, outcome),
                    Some(Err(misbehaviour)) => floor.put(id, Outcome::Misbehaved(misbehaviour)),
                    None => {}
                }
            }
        }
        floor.stop(subject);
    };
    thread::scope(|scope| {
        for _ in 1..floor.jobs().min(bundles.len()) {
            scope.spawn(work);
        }
        work();
    });
}
