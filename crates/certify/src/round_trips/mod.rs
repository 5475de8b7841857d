//! What a subject seals by itself: opened by us and by itself, and with salts and ivs that are its
//! own and never come again.
//!
//! `plans` has the cases, `samples` the messages and requests, `drawn` judges salts and ivs.

mod drawn;
mod plans;
mod samples;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use logflux_wire::Entry;

use crate::case::{Case, Part};
use crate::certificate::Outcome;
use crate::finding::{Finding, Reason};
use crate::floor::Floor;
use crate::model::Requirement;
use crate::own_sealing::{self, Wanted};
use crate::subject::{Identity, Misbehaviour, Request};
use drawn::Drawn;
use plans::{CANONICAL, KINDS, OPENED_BY_ITSELF, OPENED_BY_US, OPENS_OURS};
use samples::{Sample, Sealed, open, our_entries, samples, seal};

/// In how many processes messages are sealed, at least.
const PROCESSES: usize = 4;
/// How many messages the first of them seals; it has ended before the others begin.
const FIRST: usize = 40;
/// How many messages are sealed in all.
const SEALS: usize = 1_000;
/// How many of them are of mode 1, where there is a mode that spends no derivation on each.
const SLOW_SEALS: usize = 60;
/// How many there are in the provisional modes.
const PROVISIONAL_SEALS: usize = 8;

const MODES: [u64; 5] = [1, 2, 3, 4, 128];

fn id(mode: u64, kind: &str) -> String {
    format!("roundtrip/mode-{mode}/{kind}")
}

/// Every case of this part.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    MODES.into_iter().flat_map(|mode| {
        let level = if mode == 1 { Requirement::Must } else { Requirement::Should };
        let case = move |kind: &plans::Kind| {
            kind.plan.case(id(mode, kind.name), Part::RoundTrip, level, kind.operations)
        };
        KINDS.iter().map(case)
    })
}

/// The modes of which something is wanted and can be asked, and how many messages are sealed in
/// each.
pub(crate) fn seals(wants: impl Fn(&str) -> bool, identity: &Identity) -> Vec<(u64, usize)> {
    let wanted = |mode: &u64| {
        identity.modes.contains(mode)
            && KINDS.iter().any(|kind| {
                wants(&id(*mode, kind.name)) && kind.operations.iter().all(|o| identity.can(o))
            })
    };
    let few = [CANONICAL, OPENED_BY_US, OPENED_BY_ITSELF, OPENS_OURS];
    let sealed = |mode: u64| {
        let wanted = KINDS.iter().map(|kind| kind.name).filter(|name| wants(&id(mode, name)));
        let wanted: Vec<&str> = wanted.collect();
        let any = wanted.iter().any(|name| *name != OPENS_OURS);
        let count = match mode {
            _ if wanted.iter().all(|name| few.contains(name)) => samples().len(),
            1 if identity.modes.contains(&128) => SLOW_SEALS,
            1 => SEALS,
            128 => SEALS - SLOW_SEALS,
            _ => PROVISIONAL_SEALS,
        };
        (mode, if any && identity.can("seal") { count } else { 0 })
    };
    MODES.into_iter().filter(wanted).map(sealed).collect()
}

/// Runs what is wanted of this part.
pub(crate) fn run(floor: &Floor<'_>, identity: &Identity) {
    for mode in MODES {
        for kind in &KINDS {
            let lacking = kind.operations.iter().find(|operation| !identity.can(operation));
            let what = match lacking {
                Some(operation) => Some(format!("operation {operation}")),
                None => (!identity.modes.contains(&mode)).then(|| format!("mode {mode}")),
            };
            if let Some(what) = what {
                floor.put(&id(mode, kind.name), Outcome::Unsupported { what });
            }
        }
    }
    for (mode, total) in seals(|id| floor.wants(id), identity) {
        if let Some(Err(misbehaviour)) = mode_trip(floor, identity, mode, total) {
            // It is no more than one: what was not reached was not run.
            let charged = if total > 0 { OPENED_BY_US } else { OPENS_OURS };
            for kind in &KINDS {
                let id = id(mode, kind.name);
                if kind.name == charged || floor.is_excused(&id) {
                    floor.put(&id, Outcome::Misbehaved(misbehaviour.clone()));
                }
            }
        }
    }
}

/// What one mode gives: `None` where the run was broken off.
fn mode_trip(
    floor: &Floor<'_>,
    identity: &Identity,
    mode: u64,
    total: usize,
) -> Option<Result<(), Misbehaviour>> {
    let samples = samples();
    let put = |kind: &str, finding: Option<Finding>| {
        let outcome = finding.map_or(Outcome::Passed, Outcome::Failed);
        floor.put(&id(mode, kind), outcome);
    };
    let mut first: Vec<Sealed> = Vec::new();
    if total > 0 {
        let sealed = match seal_all(floor, mode, total, &samples)? {
            Ok(sealed) => sealed,
            Err(misbehaviour) => return Some(Err(misbehaviour)),
        };
        let mut drawn = Drawn::new(mode);
        for (process, sealed) in &sealed {
            sealed.iter().for_each(|sealed| drawn.add(*process, sealed));
        }
        first =
            sealed.into_iter().find(|(process, _)| *process == 0).map_or_else(Vec::new, |s| s.1);
        first.truncate(samples.len());
        let checked = |expected: &str, check: fn(&[u8], &Wanted<'_>) -> Result<Entry, String>| {
            samples.iter().zip(&first).find_map(|(sample, sealed)| match sealed {
                Ok(bytes) => {
                    let got = check(bytes, &sample.wanted(mode)).err()?;
                    let finding = Finding::new(expected, got);
                    Some(match Entry::parse(bytes) {
                        Ok(_) => finding,
                        Err(_) => finding.because(Reason::NoEntry),
                    })
                }
                Err(finding) => Some(finding.clone()),
            })
        };
        put(CANONICAL, checked("canonical entries of what was given", own_sealing::form));
        let opens: fn(&[u8], &Wanted<'_>) -> Result<Entry, String> = |bytes, wanted| {
            let entry = Entry::parse(bytes).map_err(|error| format!("no entry: {error}"))?;
            own_sealing::opens(&entry, wanted).map(|()| entry)
        };
        put(OPENED_BY_US, checked("entries that open to what was sealed", opens));
        drawn.judge(identity, put);
    }
    let opens = [OPENED_BY_ITSELF, OPENS_OURS].iter().any(|kind| floor.wants(&id(mode, kind)));
    if !opens || !identity.can("open") {
        return Some(Ok(()));
    }

    // Opening, in another process.
    let mut slot = None;
    let opened = floor.work(&id(mode, OPENS_OURS), &mut slot, |subject| {
        let mut own = None;
        for (sample, sealed) in samples.iter().zip(&first) {
            let wrong = match sealed {
                Ok(bytes) => open(subject, bytes, &sample.message)?,
                Err(finding) => Some(finding.clone()),
            };
            own = own.or(wrong);
        }
        let mut ours = None;
        match our_entries(mode, &samples) {
            Ok(entries) => {
                for (sample, entry) in samples.iter().zip(entries) {
                    ours = ours.or(open(subject, entry.as_bytes(), &sample.message)?);
                }
            }
            Err(what) => ours = Some(Finding::new("entries of the Rust core", what)),
        }
        Ok((own, ours))
    })?;
    let (own, ours) = match opened {
        Ok(opened) => opened,
        Err(misbehaviour) => return Some(Err(misbehaviour)),
    };
    floor.stop(slot);
    if total > 0 {
        put(OPENED_BY_ITSELF, own);
    }
    put(OPENS_OURS, ours);
    Some(Ok(()))
}

/// What a process sealed.
type OfProcess = (usize, Vec<Sealed>);

/// Seals so many messages: the samples and some more in a first process, and when that has ended
/// the others, at least three, as many at a time as are wanted.
fn seal_all(
    floor: &Floor<'_>,
    mode: u64,
    total: usize,
    samples: &[Sample],
) -> Option<Result<Vec<OfProcess>, Misbehaviour>> {
    let short: Vec<Request> = samples
        .iter()
        .filter(|sample| sample.message.len() < 1_000)
        .map(|sample| sample.request(mode))
        .collect();
    let first = FIRST.min(total / PROCESSES).max(samples.len());
    let all: Vec<Request> = samples.iter().map(|sample| sample.request(mode)).collect();
    let rest = short.iter().cycle().take(first - samples.len());
    let sealed = match seal_in_a_process(floor, mode, all.iter().chain(rest))? {
        Ok(sealed) => sealed,
        Err(misbehaviour) => return Some(Err(misbehaviour)),
    };
    let others = (PROCESSES - 1).max(floor.jobs());
    let left = total.saturating_sub(first);
    let shares: Vec<usize> = (0..others)
        .map(|n| left / others + usize::from(n < left % others))
        .filter(|share| *share > 0)
        .collect();
    let results = Mutex::new(vec![(0, sealed)]);
    let failed = Mutex::new(None);
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(share) = shares.get(n) else { return };
            match seal_in_a_process(floor, mode, short.iter().cycle().take(*share)) {
                Some(Ok(sealed)) => {
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((n + 1, sealed));
                }
                failure => {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                    return;
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..floor.jobs().min(shares.len()) {
            scope.spawn(work);
        }
        work();
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(None) => None,
        Some(Some(Err(misbehaviour))) => Some(Err(misbehaviour)),
        _ => Some(Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner))),
    }
}

fn seal_in_a_process<'r>(
    floor: &Floor<'_>,
    mode: u64,
    requests: impl Iterator<Item = &'r Request>,
) -> Option<Result<Vec<Sealed>, Misbehaviour>> {
    let mut slot = None;
    let sealed = floor.work(&id(mode, OPENED_BY_US), &mut slot, |subject| {
        let mut sealed = Vec::new();
        for request in requests {
            sealed.push(seal(subject, request)?);
            floor.step();
        }
        Ok(sealed)
    });
    floor.stop(slot);
    sealed
}

/// What a case asks, to be shown: its requests in one process.
pub(crate) fn requests(case: &str) -> Option<Vec<Request>> {
    let named = |mode: &u64| KINDS.iter().find(|kind| id(*mode, kind.name) == case);
    let mode = MODES.into_iter().find(|mode| named(mode).is_some())?;
    let samples = samples();
    if named(&mode)?.name == OPENS_OURS {
        let entries = our_entries(mode, &samples).ok()?;
        return Some(entries.iter().map(|entry| samples::to_open(entry.as_bytes())).collect());
    }
    Some(samples.iter().map(|sample| sample.request(mode)).collect())
}
