//! What a subject does on the network: it ships to endpoints of ours, which misbehave, and is judged
//! by what arrives there and by nothing else.
//!
//! `stage` is what a case has to work with, `cases` are the cases (`delivery`, `retries`, `holding`,
//! `trust` by topic), `leaks` looks for what must not be seen in everything that came.

mod delivery;
mod holding;
mod leaks;
mod retries;
mod stage;
mod trust;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::case::{Case, Part, Plan};
use crate::certificate::Outcome;
use crate::endpoint::EndpointError;
use crate::floor::Floor;
use crate::model::Requirement;
use crate::subject::{Identity, Misbehaviour, Subject};
use leaks::Leaks;
use stage::Stage;

/// Most of their time these cases wait.
const WORKERS: usize = 4;

/// What a case finds wrong.
enum Wrong {
    Failed {
        expected: String,
        got: String,
    },
    Unsupported(String),
    Misbehaved(Misbehaviour),
    /// Our own fault.
    Endpoint(EndpointError),
}

impl From<Misbehaviour> for Wrong {
    fn from(misbehaviour: Misbehaviour) -> Self {
        Self::Misbehaved(misbehaviour)
    }
}

impl From<EndpointError> for Wrong {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

type Judged = Result<(), Wrong>;

/// A case of this part.
struct TransportCase {
    id: &'static str,
    plan: Plan,
    run: fn(&mut Stage<'_>) -> Judged,
}

fn all() -> impl Iterator<Item = &'static TransportCase> {
    [delivery::CASES, retries::CASES, holding::CASES, trust::CASES].into_iter().flatten()
}

/// Every case of this part.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let must = Requirement::Must;
    let leaks = leaks::CASES.iter().map(|(id, plan)| (*id, plan));
    all()
        .map(|case| (case.id, &case.plan))
        .chain(leaks)
        .map(move |(id, plan)| plan.case(id.to_owned(), Part::Transport, must))
}

/// Runs what is wanted of this part.
pub(crate) fn run(floor: &Floor<'_>, identity: &Identity) -> Result<(), EndpointError> {
    let leaks_wanted = leaks::CASES.iter().any(|(id, _)| floor.wants(id));
    if !identity.can("ship") {
        let what = "operation ship".to_owned();
        for case in cases() {
            floor.put(&case.id, Outcome::Unsupported { what: what.clone() });
        }
        return Ok(());
    }
    let wanted: Vec<&TransportCase> = all().filter(|case| floor.wants(case.id)).collect();
    // Leaks are looked for in what came in other cases; the first of them, where none was chosen.
    let wanted = match wanted.is_empty() && leaks_wanted {
        true => all().take(1).collect(),
        false => wanted,
    };
    if wanted.is_empty() {
        return Ok(());
    }
    let leaks = Leaks::default();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut subject: Option<Subject> = None;
        let mut failed = Ok(());
        while let Some(case) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let judged = floor.work(&mut subject, |subject| {
                let mut stage = Stage::new(subject, identity, &leaks);
                match (case.run)(&mut stage) {
                    Err(Wrong::Misbehaved(misbehaviour)) => Err(misbehaviour),
                    judged => Ok(judged),
                }
            });
            let outcome = match judged {
                None => break,
                Some(Ok(Ok(()))) => Outcome::Passed,
                Some(Ok(Err(Wrong::Failed { expected, got }))) => Outcome::Failed { expected, got },
                Some(Ok(Err(Wrong::Unsupported(what)))) => Outcome::Unsupported { what },
                Some(Ok(Err(Wrong::Endpoint(error)))) => {
                    failed = Err(error);
                    break;
                }
                Some(Ok(Err(Wrong::Misbehaved(misbehaviour))) | Err(misbehaviour)) => {
                    Outcome::Misbehaved(misbehaviour)
                }
            };
            floor.put(case.id, outcome);
        }
        floor.stop(subject);
        failed
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (1..WORKERS.min(wanted.len())).map(|_| scope.spawn(work)).collect();
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
