//! Cases in which the key or the route is wrong for a while, and cases of batches that are too large
//! or have a bad entry: none of them is a reason to drop the other entries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::retries::same_bytes;
use super::stage::{Stage, distinct, must, written};
use super::{Judged, TransportCase};
use crate::case::Plan;
use crate::endpoint::{Authority, Endpoint, Manner, Reply, Request as Arrived};

const HOLD: &str = "The key or the route is wrong, not the entries: they wait, with the same bytes, and when it is right again all of them are delivered.";
const SPLIT: &str = "A batch that is answered with 413, or with 400 in the form of section 7, is sent again in smaller ones, down to single entries.";

pub(super) const CASES: &[TransportCase] = &[
    held(
        "transport/hold/status-401",
        "a server that answers 401 (no such key) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(401, "unauthorized", "no such key")),
    ),
    held(
        "transport/hold/status-403",
        "a server that answers 403 (the key may not) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(403, "forbidden", "the key may not")),
    ),
    held(
        "transport/hold/status-404",
        "a server that answers 404 (no such path) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(404, "not_found", "no such path")),
    ),
    held(
        "transport/hold/status-405",
        "a server that answers 405 (method not allowed) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(405, "method_not_allowed", "not here")),
    ),
    held(
        "transport/hold/status-415",
        "a server that answers 415 (media type) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(415, "unsupported_media_type", "not here")),
    ),
    held(
        "transport/hold/status-426",
        "a server that answers 426 (upgrade required) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::status(426, &[])),
    ),
    held(
        "transport/hold/redirect",
        "a server that redirects twice gets the same bytes again",
        |stage| {
            let location = ("Location", "https://127.0.0.1:1/v1/ingest");
            until_right(stage, move || Reply::status(308, &[location]))
        },
    ),
    held(
        "transport/hold/foreign-200",
        "a login page, which answers 200 twice, has taken nothing",
        |stage| until_right(stage, || foreign(200)),
    ),
    held(
        "transport/hold/foreign-400",
        "a gateway that answers 400 in its own form twice has refused no entry",
        |stage| until_right(stage, || foreign(400)),
    ),
    held(
        "transport/hold/tls",
        "a server whose certificate ran out gets the entries when it has a good one",
        certificate_renewed,
    ),
    TransportCase {
        id: "transport/split/status-400",
        plan: split(
            "of a batch with one bad entry, which is answered with 400, the others are delivered",
        ),
        run: one_bad_entry,
    },
    TransportCase {
        id: "transport/split/status-413",
        plan: split(
            "a server that takes two entries a request, and answers 413 to more, gets all of them",
        ),
        run: small_batches,
    },
];

const fn held(
    id: &'static str,
    comment: &'static str,
    run: fn(&mut Stage<'_>) -> Judged,
) -> TransportCase {
    let plan = Plan {
        flag: "Hold",
        comment,
        effect: "An expired key or a wrong route loses all logs until somebody notices.",
        rule: HOLD,
        spec: "PROTOCOL 8",
        remedy: "Keep the entries, and try again with a growing pause; tell the user what to set right.",
    };
    TransportCase { id, plan, run }
}

const fn split(comment: &'static str) -> Plan {
    Plan {
        flag: "Split",
        comment,
        effect: "One bad entry, or a server with a smaller bound, loses a whole batch.",
        rule: SPLIT,
        spec: "PROTOCOL 8",
        remedy: "Send the halves of the batch apart, with the same bytes, down to single entries.",
    }
}

/// What is no answer of an ingest API.
fn foreign(status: u16) -> Reply {
    let headers = vec![("Content-Type", "text/html".to_owned())];
    Reply::Answer { status, headers, body: "<html>please log in</html>".to_owned() }
}

/// Something is wrong for two requests, and right from then on.
fn until_right(stage: &mut Stage<'_>, wrong: impl Fn() -> Reply + Send + Sync + 'static) -> Judged {
    let requests = stage
        .ship(5, move |request| if request.number < 2 { wrong() } else { Reply::taken(request) })?;
    same_bytes(&requests, 2)
}

/// The certificate is a good one as soon as there has been a second attempt.
fn certificate_renewed(stage: &mut Stage<'_>) -> Judged {
    const TURN: Duration = Duration::from_millis(50);
    let authority = Authority::new()?;
    let good = authority.good()?;
    let endpoint = Endpoint::start(Manner::Tls(authority.expired()?), Reply::taken)?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if endpoint.wait_for_connections(2, TURN) {
                    return endpoint.meet(Manner::Tls(good));
                }
            }
        });
        let said = stage.deliver(&endpoint, &authority, 5);
        over.store(true, Ordering::Relaxed);
        said
    })?;
    same_bytes(&stage.arrived(&endpoint), 0)
}

fn one_bad_entry(stage: &mut Stage<'_>) -> Judged {
    // Of six messages one has this level.
    let is_bad = |entry: &String| entry.contains(r#""loglevel":3,"#);
    let entries = |request: &Arrived| written(std::slice::from_ref(request));
    let requests = stage.ship(6, move |request| {
        if entries(request).iter().any(is_bad) {
            Reply::refusal(400, "invalid_entry", "no such entry")
        } else {
            Reply::taken(request)
        }
    })?;
    let (refused, taken): (Vec<_>, Vec<_>) =
        requests.iter().cloned().partition(|request| entries(request).iter().any(is_bad));
    each_once(&taken, 5)?;
    let alone = refused.iter().filter(|request| entries(request).len() == 1).count();
    must((1..=2).contains(&alone), "the bad entry alone, once", format!("{alone} times"))?;
    same_entries(&requests)
}

fn small_batches(stage: &mut Stage<'_>) -> Judged {
    const MOST: usize = 2;
    let requests = stage.ship(6, |request| {
        if request.entries().len() > MOST {
            Reply::refusal(413, "batch_too_large", "too many entries")
        } else {
            Reply::taken(request)
        }
    })?;
    let small = requests.iter().filter(|request| request.entries().len() <= MOST);
    each_once(&small.cloned().collect::<Vec<_>>(), 6)?;
    same_entries(&requests)
}

/// So many entries were taken, and none of them twice.
fn each_once(taken: &[Arrived], count: usize) -> Judged {
    let (all, different) = (written(taken).len(), distinct(taken).len());
    let got = format!("{all}, {different} of them different");
    must(all == count && different == count, format!("{count} entries taken, each once"), got)
}

/// All six messages were sealed once.
fn same_entries(requests: &[Arrived]) -> Judged {
    let different = distinct(requests).len();
    must(different == 6, "6 entries, each sealed once", format!("{different} different entries"))
}
