//! Cases in which everything goes well.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::stage::{KEY, NODE, Stage, canonical, level, messages, must, opened, written};
use super::{Judged, TransportCase};
use crate::case::Plan;
use crate::endpoint::Reply;

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
            comment: "entries bear the time at which they were logged",
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
    let requests = stage.ship(17, Reply::taken)?;
    let entries = canonical(&requests)?;
    let mut came = opened(&entries)?;
    let expected = messages(17);
    for (message, entry) in came.iter().zip(&entries) {
        let n = expected.iter().position(|wanted| wanted == message);
        let right = n.is_some_and(|n| level(n) == u64::from(entry.level().number()));
        must(right, "every message with its own level", "a message with another level")?;
        let node = entry.node().as_str();
        must(node == NODE, format!("the node {NODE}"), format!("the node {node}"))?;
    }
    came.sort();
    let mut sorted = expected;
    sorted.sort();
    must(
        came == sorted,
        "17 messages, each once",
        format!("{} entries, which are others", came.len()),
    )
}

fn path(stage: &mut Stage<'_>) -> Judged {
    for request in some(stage.ship(3, Reply::taken)?)? {
        let line = request.head.lines().next().unwrap_or_default().to_owned();
        let mut words = line.split(' ');
        let right = words.next() == Some("POST")
            && matches!(words.next(), Some("/v1/ingest" | "/v1/batch"));
        must(right, "POST /v1/ingest or POST /v1/batch", line)?;
    }
    Ok(())
}

fn authorization(stage: &mut Stage<'_>) -> Judged {
    for request in some(stage.ship(3, Reply::taken)?)? {
        let right = request.header("Authorization").is_some_and(|value| {
            value.split_once(' ').is_some_and(|(scheme, key)| {
                scheme.eq_ignore_ascii_case("Bearer") && key.trim() == KEY
            })
        });
        let got = if request.header("Authorization").is_some() { "another one" } else { "none" };
        must(right, "the header Authorization: Bearer and the key", got)?;
    }
    Ok(())
}

fn content_type(stage: &mut Stage<'_>) -> Judged {
    for request in some(stage.ship(3, Reply::taken)?)? {
        let value = request.header("Content-Type").unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim();
        let right = essence.eq_ignore_ascii_case("application/json");
        must(right, "Content-Type: application/json", format!("{value:?}"))?;
    }
    Ok(())
}

fn canonical_entries(stage: &mut Stage<'_>) -> Judged {
    let entries = canonical(&stage.ship(12, Reply::taken)?)?;
    must(entries.len() == 12, "12 entries", format!("{}", entries.len()))
}

fn batch_bound(stage: &mut Stage<'_>) -> Judged {
    let requests = stage.ship(250, Reply::taken)?;
    for request in &requests {
        let count = request.entries().len();
        must((1..=100).contains(&count), "1 to 100 entries a request", format!("{count}"))?;
    }
    let total = written(&requests).len();
    must(total == 250, "250 entries in all", format!("{total}"))
}

fn timestamps(stage: &mut Stage<'_>) -> Judged {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let entries = canonical(&stage.ship(3, Reply::taken)?)?;
    must(!entries.is_empty(), "3 entries", "none")?;
    for entry in entries {
        let off = entry.timestamp().unix_seconds().abs_diff(i64::try_from(now).unwrap_or(i64::MAX));
        must(off < 300, "the time of now", format!("{}, which is {off} s off", entry.timestamp()))?;
    }
    Ok(())
}

fn salt_and_iv(stage: &mut Stage<'_>) -> Judged {
    let entries = canonical(&stage.ship(150, Reply::taken)?)?;
    let mut pairs: Vec<_> =
        entries.iter().map(|entry| (*entry.salt().as_bytes(), *entry.iv().as_bytes())).collect();
    let all = pairs.len();
    pairs.sort_unstable();
    pairs.dedup();
    must(
        all > 0 && pairs.len() == all,
        format!("{all} different pairs"),
        format!("{}", pairs.len()),
    )
}

/// The requests, of which there must be one at least.
fn some<T>(requests: Vec<T>) -> Result<Vec<T>, super::Wrong> {
    must(!requests.is_empty(), "a request", "none")?;
    Ok(requests)
}
