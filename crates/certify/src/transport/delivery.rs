//! Cases in which everything goes well.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::arrivals::{canonical, each_once, opened, some, written};
use super::judged::{Judged, must, must_for};
use super::shipment::{KEY, NODE, level, messages};
use super::stage::{Stage, TransportCase};
use crate::case::Plan;
use crate::endpoint::Reply;
use crate::finding::Reason;

const CALL: &str = "`Authorization: Bearer lf_…` with 32 of `[A-Za-z0-9]`; `Content-Type: application/json`; TLS 1.2 or 1.3.";

pub(super) const CASES: &[TransportCase] = &[
    TransportCase {
        id: "transport/delivers",
        plan: Plan {
            flag: "Delivery",
            comment: "every message arrives once, sealed, with its level and node",
            effect: "Logs are lost, doubled or mislabelled.",
            rule: "What is refused is kept, with the reason, and never dropped in silence.",
            spec: "PROTOCOL 8",
            remedy: "Wait in `flush` until the server has answered for every entry.",
        },
        run: delivers,
    },
    TransportCase {
        id: "transport/path",
        plan: Plan {
            flag: "Path",
            comment: "entries go to POST /v1/ingest or /v1/batch",
            effect: "The server answers 404 and 405.",
            rule: "`POST /v1/ingest`",
            spec: "PROTOCOL 7",
            remedy: "Add the path to the endpoint's URL, which has none.",
        },
        run: path,
    },
    TransportCase {
        id: "transport/authorization",
        plan: Plan {
            flag: "Authorization",
            comment: "the API key is a bearer token",
            effect: "The server answers 401.",
            rule: CALL,
            spec: "PROTOCOL 7; RFC 6750, section 2.1",
            remedy: "Send `Authorization: Bearer ` and the key, on every request.",
        },
        run: authorization,
    },
    TransportCase {
        id: "transport/content-type",
        plan: Plan {
            flag: "ContentType",
            comment: "bodies are said to be application/json",
            effect: "The server answers 415.",
            rule: CALL,
            spec: "PROTOCOL 7",
            remedy: "Send `Content-Type: application/json`.",
        },
        run: content_type,
    },
    TransportCase {
        id: "transport/canonical-entries",
        plan: Plan {
            flag: "WireEntries",
            comment: "what is sent are canonical entries, with no field besides the seven",
            effect: "The server refuses them: an unknown field is how plain text leaks by mistake.",
            rule: "The ingest API refuses them, since that is how plain text would leak by mistake.",
            spec: "PROTOCOL 2, reading; PROTOCOL 7",
            remedy: "Send the bytes that sealing gave, in an array, or one alone.",
        },
        run: canonical_entries,
    },
    TransportCase {
        id: "transport/batch-bound",
        plan: Plan {
            flag: "BatchBound",
            comment: "250 messages come in requests of 1 to 100 entries",
            effect: "The server answers 413, and the whole batch is lost or sent for ever.",
            rule: "one entry, or an array of 1 to 100",
            spec: "PROTOCOL 7",
            remedy: "Cut batches after 100 entries, and send none that is empty.",
        },
        run: batch_bound,
    },
    TransportCase {
        id: "transport/timestamps",
        plan: Plan {
            flag: "WireTimestamps",
            comment: "entries have the time at which they were logged",
            effect: "Logs are sorted and searched wrongly.",
            rule: "RFC 3339. Written in UTC with `Z` and no fraction or one of 3, 6 or 9 digits, the shortest that is exact.",
            spec: "PROTOCOL 2, timestamp",
            remedy: "Take the time when the message is handed over, and write it in UTC.",
        },
        run: timestamps,
    },
    TransportCase {
        id: "transport/salt-and-iv",
        plan: Plan {
            flag: "RepeatedSaltAndIv",
            comment: "no two of 150 entries have the same salt and iv",
            effect: "The server refuses them as `nonce_reused`, and rightly: both messages can be read by anyone.",
            rule: "The same salt and iv with anything else different is `nonce_reused`.",
            spec: "PROTOCOL 6 and 7",
            remedy: "Draw an iv for every entry from the operating system's generator.",
        },
        run: salt_and_iv,
    },
];

fn delivers(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(17, Reply::taken)?;
    each_once(&requests, 17)?;
    let entries = canonical(&written(&requests))?;
    let expected = messages(17);
    for (message, entry) in opened(&entries)?.iter().zip(&entries) {
        let n = expected.iter().position(|wanted| wanted == message).unwrap_or_default();
        let got = entry.level().number();
        let right = level(n) == u64::from(got);
        must(right, format!("message {n} with level {}", level(n)), format!("level {got}"))?;
        let node = entry.node().as_str();
        must(node == NODE, format!("the node {NODE}"), format!("the node {node}"))?;
    }
    said.success()
}

fn path(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(3, Reply::taken)?;
    some(&requests)?;
    for request in requests {
        let line = request.head.lines().next().unwrap_or_default().to_owned();
        let mut words = line.split(' ');
        let right = words.next() == Some("POST")
            && matches!(words.next(), Some("/v1/ingest" | "/v1/batch"));
        must(right, "POST /v1/ingest or POST /v1/batch", line)?;
    }
    said.success()
}

fn authorization(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(3, Reply::taken)?;
    some(&requests)?;
    for request in requests {
        let right = request.header("Authorization").is_some_and(|value| {
            value.split_once(' ').is_some_and(|(scheme, key)| {
                scheme.eq_ignore_ascii_case("Bearer") && key.trim() == KEY
            })
        });
        let there = request.header("Authorization").is_some();
        let got = if there { "such a header with something else" } else { "no such header" };
        must(right, "the header Authorization: Bearer and the key", got)?;
    }
    said.success()
}

fn content_type(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(3, Reply::taken)?;
    some(&requests)?;
    for request in requests {
        let value = request.header("Content-Type").unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim();
        let right = essence.eq_ignore_ascii_case("application/json");
        let got = if value.is_empty() { "no such header".to_owned() } else { format!("{value:?}") };
        must(right, "Content-Type: application/json", got)?;
    }
    said.success()
}

fn canonical_entries(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(12, Reply::taken)?;
    some(&requests)?;
    let came = canonical(&written(&requests))?.len();
    must_for(Reason::Lost, came == 12, "12 entries", format!("{came}"))?;
    said.success()
}

fn batch_bound(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(250, Reply::taken)?;
    some(&requests)?;
    for request in &requests {
        let count = request.entries().len();
        let got = format!("a request of {count}");
        must((1..=100).contains(&count), "1 to 100 entries in each request", got)?;
    }
    let total = written(&requests).len();
    must_for(Reason::Lost, total == 250, "250 entries in all", format!("{total}"))?;
    said.success()
}

fn timestamps(stage: &mut Stage<'_>) -> Judged {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (requests, said) = stage.ship(3, Reply::taken)?;
    some(&requests)?;
    for entry in canonical(&written(&requests))? {
        let off = entry.timestamp().unix_seconds().abs_diff(i64::try_from(now).unwrap_or(i64::MAX));
        must(off < 300, "the time of now", format!("{}, which is {off} s off", entry.timestamp()))?;
    }
    said.success()
}

fn salt_and_iv(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(150, Reply::taken)?;
    some(&requests)?;
    let entries = canonical(&written(&requests))?;
    let mut pairs: Vec<_> =
        entries.iter().map(|entry| (*entry.salt().as_bytes(), *entry.iv().as_bytes())).collect();
    let all = pairs.len();
    pairs.sort_unstable();
    pairs.dedup();
    let different = pairs.len();
    must(
        different == all,
        format!("{all} entries with {all} different pairs of salt and iv"),
        format!("{different} different pairs"),
    )?;
    must_for(Reason::Lost, all == 150, "150 entries", format!("{all}"))?;
    said.success()
}
