//! Cases in which the server refuses, at first or for good.

use std::time::{Duration, SystemTime};

use super::stage::{Stage, canonical, distinct, messages, must, opened, written};
use super::{Judged, TransportCase};
use crate::case::Plan;
use crate::endpoint::{Reply, Request as Arrived};

const RETRY: &str = "Connection errors, time-outs and the statuses 408, 429, 500, 502, 503, 504 and 507 are tried again with the same bytes.";
const AFTER: &str = "`Retry-After`, in seconds or as a date, wins over the backoff, up to 5 min.";
const WAITING: &str =
    "Read `Retry-After`, as a number and as an HTTP date, and wait at least so long.";

pub(super) const CASES: &[TransportCase] = &[
    TransportCase {
        id: "transport/retry/status-408",
        plan: Plan {
            flag: "Retry",
            comment: "a server that answers 408 (request time-out) gets the same bytes again",
            effect: "Logs are lost in every outage; or they are doubled, since another sealing is another entry.",
            rule: RETRY,
            spec: "PROTOCOL 8",
            remedy: "Try again on every status of that list, with the bytes that were sent before.",
        },
        run: |stage| again(stage, 408),
    },
    TransportCase {
        id: "transport/retry/status-429",
        plan: Plan {
            flag: "Retry",
            comment: "a server that answers 429 (too many requests) gets the same bytes again",
            effect: "Logs are lost in every outage; or they are doubled, since another sealing is another entry.",
            rule: RETRY,
            spec: "PROTOCOL 8",
            remedy: "Try again on every status of that list, with the bytes that were sent before.",
        },
        run: |stage| again(stage, 429),
    },
    TransportCase {
        id: "transport/retry/status-500",
        plan: Plan {
            flag: "Retry",
            comment: "a server that answers 500 (internal error) gets the same bytes again",
            effect: "Logs are lost in every outage; or they are doubled, since another sealing is another entry.",
            rule: RETRY,
            spec: "PROTOCOL 8",
            remedy: "Try again on every status of that list, with the bytes that were sent before.",
        },
        run: |stage| again(stage, 500),
    },
    TransportCase {
        id: "transport/retry/status-502",
        plan: Plan {
            flag: "Retry",
            comment: "a server that answers 502 (bad gateway) gets the same bytes again",
            effect: "Logs are lost in every outage; or they are doubled, since another sealing is another entry.",
            rule: RETRY,
            spec: "PROTOCOL 8",
            remedy: "Try again on every status of that list, with the bytes that were sent before.",
        },
        run: |stage| again(stage, 502),
    },
    TransportCase {
        id: "transport/retry/status-503",
        plan: Plan {
            flag: "Retry",
            comment: "a server that answers 503 (overloaded) gets the same bytes again",
            effect: "Logs are lost in every outage; or they are doubled, since another sealing is another entry.",
            rule: RETRY,
            spec: "PROTOCOL 8",
            remedy: "Try again on every status of that list, with the bytes that were sent before.",
        },
        run: |stage| again(stage, 503),
    },
    TransportCase {
        id: "transport/retry/status-504",
        plan: Plan {
            flag: "Retry",
            comment: "a server that answers 504 (gateway time-out) gets the same bytes again",
            effect: "Logs are lost in every outage; or they are doubled, since another sealing is another entry.",
            rule: RETRY,
            spec: "PROTOCOL 8",
            remedy: "Try again on every status of that list, with the bytes that were sent before.",
        },
        run: |stage| again(stage, 504),
    },
    TransportCase {
        id: "transport/retry/status-507",
        plan: Plan {
            flag: "Retry",
            comment: "a server that answers 507 (storage full) gets the same bytes again",
            effect: "Logs are lost in every outage; or they are doubled, since another sealing is another entry.",
            rule: RETRY,
            spec: "PROTOCOL 8",
            remedy: "Try again on every status of that list, with the bytes that were sent before.",
        },
        run: |stage| again(stage, 507),
    },
    TransportCase {
        id: "transport/retry/answer-lost",
        plan: Plan {
            flag: "Retry",
            comment: "a server that takes a request and closes the connection gets the same bytes again",
            effect: "Logs are lost when an answer is; or they are doubled, since the server tells copies by salt and iv.",
            rule: RETRY,
            spec: "PROTOCOL 7, retries; PROTOCOL 8",
            remedy: "Treat a lost connection as unknown, and send the same bytes again.",
        },
        run: answer_lost,
    },
    TransportCase {
        id: "transport/retry/three-times",
        plan: Plan {
            flag: "Retry",
            comment: "a server that fails three times gets the same bytes four times",
            effect: "A short outage loses logs.",
            rule: RETRY,
            spec: "PROTOCOL 8",
            remedy: "Try more than once, with a growing pause.",
        },
        run: three_times,
    },
    TransportCase {
        id: "transport/retry-after/seconds",
        plan: Plan {
            flag: "RetryAfter",
            comment: "after 429 with Retry-After: 2, nothing comes for 2 s",
            effect: "A server that is overloaded stays so.",
            rule: AFTER,
            spec: "PROTOCOL 8; RFC 9110, section 10.2.3",
            remedy: WAITING,
        },
        run: after_seconds,
    },
    TransportCase {
        id: "transport/retry-after/date",
        plan: Plan {
            flag: "RetryAfter",
            comment: "after 503 with Retry-After: and a date, nothing comes before it",
            effect: "A server that is overloaded stays so.",
            rule: AFTER,
            spec: "PROTOCOL 8; RFC 9110, section 10.2.3",
            remedy: WAITING,
        },
        run: after_date,
    },
    TransportCase {
        id: "transport/refused-entry",
        plan: Plan {
            flag: "Refused",
            comment: "an entry that is refused with 400 is not sent for ever",
            effect: "One bad entry holds up all others, and the server's limit is spent on it.",
            rule: "What is refused is kept, with the reason, and never dropped in silence.",
            spec: "PROTOCOL 8",
            remedy: "Keep what the API refuses apart (a dead letter), with the reason, and go on.",
        },
        run: |stage| refused_entry(stage, 400, "invalid_entry"),
    },
    TransportCase {
        id: "transport/refused-entry-413",
        plan: Plan {
            flag: "Refused",
            comment: "an entry that is refused with 413, alone in its request, is not sent for ever",
            effect: "One large entry holds up all others, and the server's limit is spent on it.",
            rule: "What is refused is kept, with the reason, and never dropped in silence.",
            spec: "PROTOCOL 8",
            remedy: "Keep what the API refuses apart (a dead letter), with the reason, and go on.",
        },
        run: |stage| refused_entry(stage, 413, "payload_too_large"),
    },
    TransportCase {
        id: "transport/partial",
        plan: Plan {
            flag: "Refused",
            comment: "of a batch that is taken in part, nothing is sent again",
            effect: "What the server has taken comes again and again.",
            rule: "Of a batch the good entries are stored, and the bad ones named",
            spec: "PROTOCOL 7, success; PROTOCOL 8",
            remedy: "Read `failures`: what they name is refused, everything else is delivered.",
        },
        run: partial,
    },
];

/// The server answers so once, and takes everything from then on.
fn again(stage: &mut Stage<'_>, status: u16) -> Judged {
    let requests = stage.ship(5, move |request| {
        if request.number == 0 { Reply::status(status, &[]) } else { Reply::taken(request) }
    })?;
    same_bytes(&requests, 1)
}

fn answer_lost(stage: &mut Stage<'_>) -> Judged {
    let requests = stage
        .ship(5, |request| if request.number == 0 { Reply::Lost } else { Reply::taken(request) })?;
    same_bytes(&requests, 1)
}

fn three_times(stage: &mut Stage<'_>) -> Judged {
    let requests = stage.ship(5, |request| match request.number {
        0 => Reply::status(503, &[]),
        1 => Reply::Lost,
        2 => Reply::status(500, &[]),
        _ => Reply::taken(request),
    })?;
    same_bytes(&requests, 3)
}

/// The first requests failed, so many of them: every entry of them came again with the same bytes, and all messages
/// came, each sealed once.
pub(super) fn same_bytes(requests: &[Arrived], failed: usize) -> Judged {
    must(requests.len() > failed, "another attempt", format!("{} requests", requests.len()))?;
    let (lost, taken) = requests.split_at(failed);
    let taken = written(taken);
    let resent = written(lost).iter().all(|entry| taken.contains(entry));
    must(resent, "the same entries again, byte for byte", "others")?;
    let entries = canonical(requests)?;
    let mut came = opened(&entries)?;
    came.sort();
    came.dedup();
    let mut expected = messages(5);
    expected.sort();
    must(came == expected, "all 5 messages", format!("{} of them", came.len()))?;
    let different = distinct(requests).len();
    must(different == 5, "5 entries, each sealed once", format!("{different} different entries"))
}

fn after_seconds(stage: &mut Stage<'_>) -> Judged {
    let requests = stage.ship(3, |request| {
        if request.number == 0 {
            Reply::status(429, &[("Retry-After", "2")])
        } else {
            Reply::taken(request)
        }
    })?;
    pause(&requests, Duration::from_secs(2))
}

fn after_date(stage: &mut Stage<'_>) -> Judged {
    // A date has whole seconds: at least two are left of three.
    let requests = stage.ship(3, |request| {
        if request.number == 0 {
            let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
            Reply::status(503, &[]).with("Retry-After", date)
        } else {
            Reply::taken(request)
        }
    })?;
    pause(&requests, Duration::from_secs(2))
}

fn pause(requests: &[Arrived], least: Duration) -> Judged {
    // Clocks and wake-ups are not exact.
    let grace = Duration::from_millis(100);
    let [first, second, ..] = requests else {
        return must(false, "another attempt", format!("{} requests", requests.len()));
    };
    let pause = second.at.saturating_duration_since(first.at);
    must(
        pause + grace >= least,
        format!("a pause of {} s", least.as_secs()),
        format!("one of {} ms", pause.as_millis()),
    )
}

fn refused_entry(stage: &mut Stage<'_>, status: u16, code: &'static str) -> Judged {
    let requests = stage.ship(1, move |_| Reply::refusal(status, code, "no such entry"))?;
    let count = requests.len();
    // Once more is no storm: a client may look which entry of a batch it was.
    must((1..=2).contains(&count), "the entry once", format!("{count} requests"))
}

fn partial(stage: &mut Stage<'_>) -> Judged {
    let requests = stage.ship(6, |request| {
        if request.number == 0 {
            Reply::partly(request, &[(0, "invalid_entry")])
        } else {
            Reply::taken(request)
        }
    })?;
    must(!requests.is_empty(), "a request", "none")?;
    let all = written(&requests).len();
    let different = distinct(&requests).len();
    must(
        all == different,
        "every entry once",
        format!("{all} entries, {different} of them different"),
    )
}
