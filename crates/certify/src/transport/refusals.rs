//! Cases of entries that the API refuses, and of batches that are too large: the other entries are
//! delivered, and nothing is sent for ever.

use super::arrivals::{complete, distinct, no_copies, some, written};
use super::judged::{Judged, must, must_for};
use super::stage::{Stage, TransportCase};
use crate::case::Plan;
use crate::endpoint::{Reply, Request as Arrived};
use crate::finding::Reason;

const SPLIT: &str = "A batch that is answered with 413, or with 400 in the form of section 7, is sent again in smaller ones, down to single entries.";
const REFUSED: &str = "What is refused is kept, with the reason, and never dropped in silence.";

pub(super) const CASES: &[TransportCase] = &[
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
        run: |stage| {
            small_batches(stage, || Reply::refusal(413, "batch_too_large", "too many entries"))
        },
    },
    TransportCase {
        id: "transport/split/foreign-413",
        plan: split(
            "a proxy that lets two entries through, and answers 413 in its own form to more, does not stop any",
        ),
        run: |stage| small_batches(stage, || Reply::foreign(413)),
    },
    TransportCase {
        id: "transport/refused-entry",
        plan: refused(
            "an entry that is refused with 400 is not sent for ever, and `flush` says so",
        ),
        run: |stage| refused_entry(stage, 400, "invalid_entry"),
    },
    TransportCase {
        id: "transport/refused-entry-413",
        plan: refused(
            "an entry that is refused with 413, alone in its request, is not sent for ever, and `flush` says so",
        ),
        run: |stage| refused_entry(stage, 413, "payload_too_large"),
    },
    TransportCase {
        id: "transport/refused-entry-other-code",
        plan: refused(
            "an entry that is refused with a code of a later version is not sent for ever",
        ),
        run: |stage| refused_entry(stage, 400, "a_code_of_tomorrow"),
    },
    TransportCase {
        id: "transport/partial",
        plan: Plan {
            flag: "Refused",
            comment: "of a batch that is taken in part, nothing is sent again, and `flush` says that one was refused",
            effect: "What the server has taken comes again and again.",
            rule: "Of a batch the good entries are stored, and the bad ones named",
            spec: "PROTOCOL 7, success; PROTOCOL 8",
            remedy: "Read `failures`: what they name is refused, everything else is delivered.",
        },
        run: partial,
    },
];

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

const fn refused(comment: &'static str) -> Plan {
    Plan {
        flag: "Refused",
        comment,
        effect: "One bad entry holds up all others, and the server's limit is spent on it.",
        rule: REFUSED,
        spec: "PROTOCOL 8",
        remedy: "Keep what the API refuses apart (a dead letter), with the reason, and go on.",
    }
}

fn entries(request: &Arrived) -> Vec<String> {
    written(std::slice::from_ref(request))
}

fn one_bad_entry(stage: &mut Stage<'_>) -> Judged {
    // Of six messages one has this level.
    let is_bad = |entry: &String| entry.contains(r#""loglevel":3,"#);
    let (requests, said) = stage.ship(6, move |request| {
        if entries(request).iter().any(is_bad) {
            Reply::refusal(400, "invalid_entry", "no such entry")
        } else {
            Reply::taken(request)
        }
    })?;
    complete(&requests, 6)?;
    let (refused, taken): (Vec<_>, Vec<_>) =
        requests.into_iter().partition(|request| entries(request).iter().any(is_bad));
    taken_once(&taken, 5)?;
    let alone = refused.iter().filter(|request| entries(request).len() == 1).count();
    must((1..=2).contains(&alone), "the bad entry alone, once", format!("{alone} times alone"))?;
    said.failure("one entry was refused")
}

fn small_batches(stage: &mut Stage<'_>, refusal: fn() -> Reply) -> Judged {
    const MOST: usize = 2;
    let (requests, said) = stage.ship(6, move |request| {
        if request.entries().len() > MOST { refusal() } else { Reply::taken(request) }
    })?;
    complete(&requests, 6)?;
    let small = requests.iter().filter(|request| request.entries().len() <= MOST);
    taken_once(&small.cloned().collect::<Vec<_>>(), 6)?;
    said.success()
}

/// So many entries were taken, and none of them twice.
fn taken_once(taken: &[Arrived], count: usize) -> Judged {
    let different = distinct(taken).len();
    let expected = format!("{count} entries taken");
    must_for(Reason::Lost, different == count, expected, format!("{different}"))?;
    no_copies(taken)
}

fn refused_entry(stage: &mut Stage<'_>, status: u16, code: &'static str) -> Judged {
    let (requests, said) = stage.ship(1, move |_| Reply::refusal(status, code, "no such entry"))?;
    some(&requests)?;
    let count = requests.len();
    // Once more is no storm: a client may look which entry of a batch it was.
    must(count <= 2, "the entry once", format!("{count} requests with it"))?;
    said.failure("the server refused the entry")
}

fn partial(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(6, |request| {
        if request.number == 0 {
            Reply::partly(request, &[(0, "invalid_entry")])
        } else {
            Reply::taken(request)
        }
    })?;
    complete(&requests, 6)?;
    no_copies(&requests)?;
    said.failure("one entry was refused")
}
