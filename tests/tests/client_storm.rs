//! A server that says "later", in every form: it is asked once a pause, and nothing is lost.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Messages as _, Reply, Request};
use logflux_tests::{ENOUGH, lines, logged, secret, wait_for, watched};
use logflux_transport::{Backoff, Client, MaxRetries, Retry};

fn impatient() -> Retry {
    let (first, longest) = (Duration::from_millis(40), Duration::from_millis(160));
    let backoff = Backoff::new(first, longest, 2.0).unwrap();
    Retry { max_retries: MaxRetries::new(1_000).unwrap(), backoff }
}

/// So many answers are 429 with this `Retry-After`; the requests in between are at least `pause`
/// apart, and afterwards everything arrives, once, in the bytes that were sent at first.
fn storm(refused: usize, retry_after: impl Fn() -> String + Send + Sync + 'static, pause: u64) {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
        if request.number < refused {
            Reply::status(429, &[("Retry-After", &retry_after())])
        } else {
            Reply::taken(request)
        }
    });
    let mut settings = endpoint.settings(&authority);
    settings.retry = impatient();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    for line in lines(0..250) {
        client.info(&line);
    }
    watched(&client, || client.flush(ENOUGH)).unwrap();
    let stats = logged(&client);
    assert_eq!((stats.delivered, stats.dropped.total()), (250, 0), "{stats:?}");

    let requests = endpoint.requests();
    let (refused, taken) = requests.split_at(refused);
    // Two were under way before the first was refused.
    for pair in requests[..=refused.len()].windows(2).skip(1) {
        let apart = pair[1].at - pair[0].at;
        assert!(apart >= Duration::from_millis(pause), "only {apart:?} between two probes");
    }
    // Whatever request an entry is in, its bytes stay the same.
    let entries = |requests: &[Request]| -> Vec<String> {
        let entries = requests.iter().flat_map(Request::entries);
        entries.map(|entry| entry.get().to_owned()).collect()
    };
    let stored: HashSet<_> = entries(taken).into_iter().collect();
    assert!(entries(refused).iter().all(|entry| stored.contains(entry)), "other bytes");
    assert_eq!(entries(taken).len(), stored.len(), "something was sent again that was taken");
    let mut messages: Vec<_> = taken.iter().flat_map(|request| request.messages()).collect();
    messages.sort_by_key(|line| line.split(' ').nth(1).unwrap().parse::<usize>().unwrap());
    assert_eq!(messages, lines(0..250));
}

#[test]
fn retry_after_in_seconds_is_kept() {
    storm(4, || "1".to_owned(), 990);
}

#[test]
fn retry_after_as_a_date_is_kept() {
    // A date has whole seconds: from 1 s to 2 s are left of it.
    let soon = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    storm(4, soon, 900);
}

#[test]
fn retry_after_that_is_none_leaves_it_to_the_backoff() {
    thread::scope(|scope| {
        for value in ["-1", "soon", "", "1.5", "Sun, 99 Foo 2026 25:61:61 GMT", "0x10", "\u{fc}"] {
            // Jitter takes up to half of the pauses of 40, 80, 160, 160, … ms.
            scope.spawn(move || storm(7, move || value.to_owned(), 20));
        }
    });
}

#[test]
fn retry_after_of_no_time_at_all_is_no_leave_to_hammer() {
    thread::scope(|scope| {
        for value in ["0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            scope.spawn(move || storm(7, move || value.to_owned(), 20));
        }
    });
}

#[test]
fn retry_after_of_a_billion_seconds_loses_nothing_and_holds_up_nobody() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), |_| {
        Reply::status(429, &[("Retry-After", "1000000000")])
    });
    let mut settings = endpoint.settings(&authority);
    settings.retry = impatient();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    for line in lines(0..250) {
        client.info(&line);
    }
    wait_for(&client, "a refusal", |stats| stats.last_error.is_some());
    let begun = Instant::now();
    assert_eq!(client.flush(Duration::from_millis(500)).unwrap_err().left, 250);
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
    let stats = logged(&client);
    assert_eq!((stats.pending, stats.dropped.total()), (250, 0));
    // Two were under way before the first was refused.
    assert!(endpoint.requests().len() <= 2);
    client.close(Duration::ZERO).unwrap_err();
    assert_eq!(logged(&client).dropped.total(), 250);
}
