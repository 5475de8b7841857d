//! Cases in which the server cannot take anything for a while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use super::arrivals::{pause, same_bytes};
use super::judged::{Judged, must};
use super::stage::{Stage, TransportCase};
use crate::case::Plan;
use crate::endpoint::{Manner, Reply, Request as Arrived};

const RETRY: &str = "Connection errors, time-outs and the statuses 408, 429, 500, 502, 503, 504 and 507 are tried again with the same bytes.";
const BODY: &str = "The body of such an answer does not matter.";
const AFTER: &str = "`Retry-After`, in seconds or as a date, wins over the backoff, up to 5 min.";
const WAITING: &str =
    "Read `Retry-After`, as a number and as an HTTP date, and wait at least so long.";
const SECTION: &str = "PROTOCOL 8";
const LOST: &str = "PROTOCOL 7, retries; PROTOCOL 8";

pub(super) const CASES: &[TransportCase] = &[
    retry(
        "transport/retry/status-408",
        "a server that answers 408 (request time-out) gets the same bytes again",
        |stage| again(stage, |_| Reply::status(408, &[])),
    ),
    retry(
        "transport/retry/status-429",
        "a server that answers 429 (too many requests) gets the same bytes again",
        |stage| again(stage, |_| Reply::status(429, &[])),
    ),
    retry(
        "transport/retry/status-500",
        "a server that answers 500 (internal error) gets the same bytes again",
        |stage| again(stage, |_| Reply::status(500, &[])),
    ),
    retry(
        "transport/retry/status-502",
        "a server that answers 502 (bad gateway) gets the same bytes again",
        |stage| again(stage, |_| Reply::status(502, &[])),
    ),
    retry(
        "transport/retry/status-503",
        "a server that answers 503 (overloaded) gets the same bytes again",
        |stage| again(stage, |_| Reply::status(503, &[])),
    ),
    retry(
        "transport/retry/status-504",
        "a server that answers 504 (gateway time-out) gets the same bytes again",
        |stage| again(stage, |_| Reply::status(504, &[])),
    ),
    retry(
        "transport/retry/status-507",
        "a server that answers 507 (storage full) gets the same bytes again",
        |stage| again(stage, |_| Reply::status(507, &[])),
    ),
    body(
        "transport/retry/body-of-success",
        "an answer of 503 whose body says success (a cache's, or a proxy's) has taken nothing",
        |stage| again(stage, |request| Reply::taken(request).but(503)),
    ),
    body(
        "transport/retry/body-of-refusal",
        "an answer of 500 whose body names a bad entry has refused none",
        |stage| again(stage, |_| Reply::refusal(500, "invalid_entry", "no such entry")),
    ),
    TransportCase {
        id: "transport/retry/answer-lost",
        plan: unknown(
            "a server that takes a request and closes the connection gets the same bytes again",
        ),
        run: |stage| again(stage, |_| Reply::Lost),
    },
    TransportCase {
        id: "transport/retry/answer-cut",
        plan: unknown(
            "a server whose answer of 200 breaks off in the body gets the same bytes again",
        ),
        run: |stage| again(stage, |_| Reply::Raw(CUT.to_vec())),
    },
    TransportCase {
        id: "transport/retry/no-connection",
        plan: unknown(
            "a server that closes connections before the handshake gets the entries when it no longer does",
        ),
        run: no_connection,
    },
    retry(
        "transport/retry/three-times",
        "a server that fails three times gets the same bytes four times",
        three_times,
    ),
    TransportCase {
        id: "transport/retry-after/seconds",
        plan: after("after 429 with Retry-After: 2, the same entries do not come again for 2 s"),
        run: after_seconds,
    },
    TransportCase {
        id: "transport/retry-after/date",
        plan: after(
            "after 503 with Retry-After: and a date, the same entries do not come again before it",
        ),
        run: after_date,
    },
    TransportCase {
        id: "transport/retry-after/nonsense",
        plan: after(
            "after 503 with a Retry-After that is neither number nor date, the same bytes come again",
        ),
        run: |stage| again(stage, |_| Reply::status(503, &[("Retry-After", "soon")])),
    },
];

/// The head and the beginning of a good answer.
const CUT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{\"status\":\"success\",";

const fn retry(
    id: &'static str,
    comment: &'static str,
    run: fn(&mut Stage<'_>) -> Judged,
) -> TransportCase {
    TransportCase { id, plan: plan(comment, RETRY, SECTION), run }
}

const fn body(
    id: &'static str,
    comment: &'static str,
    run: fn(&mut Stage<'_>) -> Judged,
) -> TransportCase {
    TransportCase { id, plan: plan(comment, BODY, SECTION), run }
}

const fn unknown(comment: &'static str) -> Plan {
    plan(comment, RETRY, LOST)
}

const fn plan(comment: &'static str, rule: &'static str, spec: &'static str) -> Plan {
    Plan {
        flag: "Retry",
        comment,
        effect: "Logs are lost in every outage; or they are doubled, since another sealing is another entry.",
        rule,
        spec,
        remedy: "Try again on every status of that list and where the connection is lost, with a growing pause and with the bytes that were sent before.",
    }
}

const fn after(comment: &'static str) -> Plan {
    Plan {
        flag: "RetryAfter",
        comment,
        effect: "A server that is overloaded stays so.",
        rule: AFTER,
        spec: "PROTOCOL 8; RFC 9110, section 10.2.3",
        remedy: WAITING,
    }
}

/// The server answers so once, and takes everything from then on.
fn again(
    stage: &mut Stage<'_>,
    first: impl Fn(&Arrived) -> Reply + Send + Sync + 'static,
) -> Judged {
    let (requests, said) =
        stage.ship(
            5,
            move |request| {
                if request.number == 0 { first(request) } else { Reply::taken(request) }
            },
        )?;
    same_bytes(&requests, 1, 5)?;
    said.success()
}

fn three_times(stage: &mut Stage<'_>) -> Judged {
    let (requests, said) = stage.ship(5, |request| match request.number {
        0 => Reply::status(503, &[]),
        1 => Reply::Lost,
        2 => Reply::status(500, &[]),
        _ => Reply::taken(request),
    })?;
    same_bytes(&requests, 3, 5)?;
    said.success()
}

fn no_connection(stage: &mut Stage<'_>) -> Judged {
    let authority = stage.authority()?;
    let good = Manner::Tls(authority.good()?);
    mended(stage, &authority, Manner::Closed, good)
}

/// An endpoint that meets connections in one manner until there have been two, and in another from
/// then on, gets everything.
pub(super) fn mended(
    stage: &mut Stage<'_>,
    authority: &std::sync::Arc<crate::endpoint::Authority>,
    bad: Manner,
    good: Manner,
) -> Judged {
    const TURN: Duration = Duration::from_millis(50);
    let endpoint = stage.open(authority, bad, Reply::taken)?;
    let over = AtomicBool::new(false);
    let said = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if endpoint.wait_for_connections(2, TURN) {
                    return endpoint.meet(good);
                }
            }
        });
        let said = stage.deliver(&endpoint, authority, 5);
        over.store(true, Ordering::Relaxed);
        said
    })?;
    same_bytes(&stage.arrived(&endpoint), 0, 5)?;
    said.success()
}

fn after_seconds(stage: &mut Stage<'_>) -> Judged {
    waits(stage, || Reply::status(429, &[("Retry-After", "2")]))
}

fn after_date(stage: &mut Stage<'_>) -> Judged {
    // A date has whole seconds: at least two are left of three.
    waits(stage, || {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
        Reply::status(503, &[]).with("Retry-After", date)
    })
}

/// After the first request the same entries do not come again for 2 s.
fn waits(stage: &mut Stage<'_>, first: impl Fn() -> Reply + Send + Sync + 'static) -> Judged {
    let (requests, said) =
        stage.ship(
            3,
            move |request| {
                if request.number == 0 { first() } else { Reply::taken(request) }
            },
        )?;
    // Clocks and wake-ups are not exact.
    let (least, grace) = (Duration::from_secs(2), Duration::from_millis(100));
    let pause = pause(&requests, 3)?;
    must(
        pause + grace >= least,
        "the same entries again after 2 s or later",
        format!("the same entries again after {:.1} s", pause.as_secs_f64()),
    )?;
    same_bytes(&requests, 1, 3)?;
    said.success()
}
