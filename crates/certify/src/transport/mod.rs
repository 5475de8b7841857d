//! What a subject does on the network: it ships to endpoints of ours, which misbehave, and is judged
//! by what arrives there, and by whether `flush` tells the truth about it.
//!
//! `stage` is what a case has to work with, `shipment` what is asked of the subject, `arrivals` what
//! came of it, `judged` what is wrong with that. The cases are in `delivery`, `flushing`, `retries`,
//! `holding`, `refusals` and `trust`; `leaks` looks for what must not be seen in everything that
//! came.

mod arrivals;
mod delivery;
mod flushing;
mod holding;
mod judged;
mod leaks;
mod refusals;
mod retries;
mod shipment;
mod stage;
mod trust;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::case::{Case, Part};
use crate::certificate::Outcome;
use crate::endpoint::{Authority, Endpoint, EndpointError};
use crate::floor::Floor;
use crate::model::Requirement;
use crate::pace::{Pace, derivations};
use crate::subject::{Identity, Request, Subject};
use judged::Wrong;
use leaks::Leaks;
use stage::{Stage, TransportCase};

/// What is shipped in most cases, in messages.
const MESSAGES: usize = 5;
/// What is shipped in the large ones.
const LARGE: [(&str, usize); 4] = [
    ("transport/batch-bound", 250),
    ("transport/salt-and-iv", 150),
    ("transport/delivers", 17),
    ("transport/canonical-entries", 12),
];

fn all() -> impl Iterator<Item = &'static TransportCase> {
    [
        delivery::CASES,
        flushing::CASES,
        retries::CASES,
        holding::CASES,
        refusals::CASES,
        trust::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Every case of this part.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let must = Requirement::Must;
    let leaks = leaks::CASES.iter().map(|(id, plan)| (*id, plan));
    all()
        .map(|case| (case.id, &case.plan))
        .chain(leaks)
        .map(move |(id, plan)| plan.case(id.to_owned(), Part::Transport, must, &["ship"]))
}

/// The cases that are to be run. Leaks are looked for in what came in other cases; in the first of
/// them, where none was chosen.
fn to_run(wants: impl Fn(&str) -> bool) -> Vec<&'static TransportCase> {
    let wanted: Vec<&TransportCase> = all().filter(|case| wants(case.id)).collect();
    let leaks = leaks::CASES.iter().any(|(id, _)| wants(id));
    if wanted.is_empty() && leaks { all().take(1).collect() } else { wanted }
}

/// How many keys the subject derives for what is wanted, about.
pub(crate) fn keys(wants: impl Fn(&str) -> bool, identity: &Identity) -> usize {
    let mode = shipment::mode(identity);
    let of_case = |case: &&TransportCase| {
        let large = LARGE.iter().find(|(id, _)| *id == case.id);
        let count = large.map_or(MESSAGES, |(_, count)| *count);
        usize::try_from(derivations(count, mode, identity)).unwrap_or(usize::MAX)
    };
    if identity.can("ship") { to_run(wants).iter().map(of_case).sum() } else { 0 }
}

/// An endpoint that a case left open, and the authority that it is trusted by.
pub(crate) type Opened = (Arc<Endpoint>, Arc<Authority>);

/// What came of a case.
fn play(
    case: &TransportCase,
    mut stage: Stage<'_>,
) -> Result<(Outcome, Vec<Opened>), EndpointError> {
    let outcome = match (case.run)(&mut stage) {
        Ok(()) => Outcome::Passed,
        Err(Wrong::Failed(finding)) => Outcome::Failed(stage.with_words(finding)),
        Err(Wrong::Unsupported(what)) => Outcome::Unsupported { what },
        Err(Wrong::Misbehaved(misbehaviour)) => Outcome::Misbehaved(misbehaviour),
        Err(Wrong::Endpoint(error)) => return Err(error),
    };
    Ok((outcome, stage.into_opened()))
}

/// Whether a case opens an endpoint of its own.
pub(crate) fn has_endpoint(id: &str) -> bool {
    all().any(|case| case.id == id)
}

/// Runs one case alone, and gives what it opened.
pub(crate) fn run_and_keep(
    subject: &mut Subject,
    identity: &Identity,
    id: &str,
    pace: Pace,
) -> Result<Option<(Outcome, Vec<Opened>)>, EndpointError> {
    let Some(case) = all().find(|case| case.id == id) else { return Ok(None) };
    let leaks = Leaks::default();
    play(case, Stage::new(subject, identity, &leaks, pace)).map(Some)
}

/// What a case asks, to be shown: `ship` of an endpoint that is made for each run, and `flush`.
pub(crate) fn requests(id: &str) -> Option<Vec<Request>> {
    if !cases().any(|case| case.id == id) {
        return None;
    }
    let count = LARGE.iter().find(|(large, _)| *large == id).map_or(3, |(_, count)| *count);
    let ship = shipment::request("https://127.0.0.1:PORT", "CA_FILE", 1, count);
    Some(vec![ship, Request::new("flush").with("timeout_ms", 20_000)])
}

/// Runs what is wanted of this part.
pub(crate) fn run(floor: &Floor<'_>, identity: &Identity) -> Result<(), EndpointError> {
    if !identity.can("ship") {
        let what = "operation ship".to_owned();
        for case in cases() {
            floor.put(&case.id, Outcome::Unsupported { what: what.clone() });
        }
        return Ok(());
    }
    let wanted = to_run(|id| floor.wants(id));
    if wanted.is_empty() {
        return Ok(());
    }
    let leaks = Leaks::default();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut subject: Option<Subject> = None;
        let mut failed = Ok(());
        while let Some(case) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let judged = floor.work(case.id, &mut subject, |subject| {
                match play(case, Stage::new(subject, identity, &leaks, floor.pace())) {
                    Ok((Outcome::Misbehaved(misbehaviour), _)) => Err(misbehaviour),
                    Ok((outcome, _)) => Ok(Ok(outcome)),
                    Err(error) => Ok(Err(error)),
                }
            });
            let outcome = match judged {
                None => break,
                Some(Ok(Ok(outcome))) => outcome,
                Some(Ok(Err(error))) => {
                    failed = Err(error);
                    break;
                }
                Some(Err(misbehaviour)) => Outcome::Misbehaved(misbehaviour),
            };
            floor.put(case.id, outcome);
        }
        floor.stop(subject);
        failed
    };
    thread::scope(|scope| {
        let workers = floor.shippers().min(wanted.len());
        let workers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut failed = work();
        for worker in workers {
            failed = failed.and(worker.join().unwrap_or(Ok(())));
        }
        failed
    })?;
    if !floor.is_broken_off() {
        leaks.judge(floor);
    }
    Ok(())
}
