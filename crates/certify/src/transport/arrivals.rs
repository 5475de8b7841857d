//! What arrived at an endpoint, looked at as entries and messages.

use std::time::Duration;

use logflux_envelope::{Opener, Secret};
use logflux_wire::Entry;

use super::judged::{Judged, Wrong, must, must_for};
use super::shipment::{SECRET, messages};
use crate::endpoint::Request as Arrived;
use crate::finding::{Finding, Reason};
use crate::own_sealing;

/// The case fails where nothing came.
pub(super) fn some(requests: &[Arrived]) -> Judged {
    must_for(Reason::NothingArrived, !requests.is_empty(), "a request", "no request")
}

/// The entries of requests, each as it is written, in their order.
pub(super) fn written(requests: &[Arrived]) -> Vec<String> {
    requests.iter().flat_map(Arrived::entries).map(|entry| entry.get().to_owned()).collect()
}

/// The distinct entries of requests.
pub(super) fn distinct(requests: &[Arrived]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for entry in written(requests) {
        if !distinct.contains(&entry) {
            distinct.push(entry);
        }
    }
    distinct
}

/// Entries as they are written, which must be canonical.
pub(super) fn canonical(written: &[String]) -> Result<Vec<Entry>, Wrong> {
    let entries = written.iter().map(|text| own_sealing::canonical(text.as_bytes()));
    entries.collect::<Result<_, _>>().map_err(|got| {
        let expected = "nothing but canonical entries of seven fields";
        Finding::new(expected, got).because(Reason::NoEntry).into()
    })
}

/// The messages in entries.
pub(super) fn opened(entries: &[Entry]) -> Result<Vec<String>, Wrong> {
    let wrong = |got: String| {
        let expected = "entries that open with the secret of the request";
        Wrong::from(Finding::new(expected, got).because(Reason::NotOpened))
    };
    let secret = Secret::new(SECRET).map_err(|error| wrong(error.to_string()))?;
    let opened = Opener::new(secret).open_many(entries).into_iter();
    opened
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("an entry that does not: {error}")))
}

/// Each of so many messages came, sealed once; copies of an entry do not count.
pub(super) fn complete(requests: &[Arrived], count: usize) -> Judged {
    some(requests)?;
    let came = opened(&canonical(&distinct(requests))?)?;
    let all = messages(count);
    let expected = format!("all {count} messages");
    if let Some(other) = came.iter().find(|message| !all.contains(message)) {
        let start: String = other.chars().take(60).collect();
        return must(false, expected, format!("a message that was not logged: {start:?}"));
    }
    let of = |wanted: &String| came.iter().filter(|message| *message == wanted).count();
    let missing: Vec<usize> =
        (0..count).filter(|n| all.get(*n).is_some_and(|m| of(m) == 0)).collect();
    if let Some(first) = missing.first() {
        let got = format!("{} of them: message {first} never came", count - missing.len());
        return must_for(Reason::Lost, false, expected, got);
    }
    match all.iter().position(|message| of(message) > 1) {
        None => Ok(()),
        Some(n) => {
            let times = all.get(n).map_or(0, of);
            let got = format!("message {n} in {times} different entries");
            must_for(Reason::Resealed, false, format!("{count} messages, each sealed once"), got)
        }
    }
}

/// Each of so many messages came once, and no entry came twice.
pub(super) fn each_once(requests: &[Arrived], count: usize) -> Judged {
    complete(requests, count)?;
    no_copies(requests)
}

/// No entry came twice.
pub(super) fn no_copies(requests: &[Arrived]) -> Judged {
    let copies = written(requests).len() - distinct(requests).len();
    let got = format!("{copies} of them once more, after the server had taken them");
    must_for(Reason::Doubled, copies == 0, "every entry once", got)
}

/// The first requests failed, so many of them: every entry of them came again with the same bytes,
/// and all messages came, each sealed once.
pub(super) fn same_bytes(requests: &[Arrived], failed: usize, count: usize) -> Judged {
    some(requests)?;
    let (lost, later) = requests.split_at(failed.min(requests.len()));
    let came = distinct(later);
    let again = "the entries of the failed request again, byte for byte";
    let missing: Vec<String> =
        distinct(lost).into_iter().filter(|entry| !came.contains(entry)).collect();
    if !missing.is_empty() {
        let messages = opened(&canonical(&missing)?)?;
        let others = opened(&canonical(&came)?)?;
        let resealed = messages.iter().filter(|message| others.contains(message)).count();
        let all = missing.len();
        return if resealed > 0 {
            let got = format!("{resealed} of its messages in other entries, sealed anew");
            must_for(Reason::Resealed, false, again, got)
        } else {
            let after =
                if later.is_empty() { "no request came after it" } else { "other entries came" };
            let got = format!("{all} of its entries never came again: {after}");
            must_for(Reason::NotRetried, false, again, got)
        };
    }
    complete(requests, count)
}

/// How long it took until an entry of the first request came again.
pub(super) fn pause(requests: &[Arrived], count: usize) -> Result<Duration, Wrong> {
    some(requests)?;
    let lost = distinct(requests.get(..1).unwrap_or_default());
    let is_again = |request: &&Arrived| {
        written(std::slice::from_ref(*request)).iter().any(|entry| lost.contains(entry))
    };
    match (requests.first(), requests.iter().skip(1).find(is_again)) {
        (Some(first), Some(second)) => Ok(second.at.saturating_duration_since(first.at)),
        _ => {
            same_bytes(requests, 1, count)?;
            Ok(Duration::ZERO)
        }
    }
}
