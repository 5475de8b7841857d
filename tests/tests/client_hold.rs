//! A wrong key, a wrong route, or an answer that is not the API's costs no entry: entries wait, and
//! one sentence says why.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Messages as _, Reply, Request};
use logflux_tests::{ENOUGH, closed, lines, logged, secret, wait_for, watched};
use logflux_transport::{Client, DropReason, HttpTimeout, InFlight, MaxRetries, RetryDeadline};

/// What something wrong with the key or the route looks like.
fn wrong(kind: &str) -> Reply {
    match kind {
        "no such key" => Reply::refusal(401, "unauthorized", "no such key"),
        "a revoked key" => Reply::refusal(401, "key_revoked", "the key was revoked"),
        "a key for reading" => Reply::refusal(403, "forbidden", "the key lacks the scope"),
        "another path" => Reply::refusal(404, "not_found", "no such path"),
        "a method that is not taken" => Reply::refusal(405, "method_not_allowed", "not here"),
        "a media type that is not taken" => Reply::refusal(415, "unsupported_media_type", "no"),
        "an old protocol" => Reply::status(426, &[]),
        "a redirect" => Reply::status(308, &[("Location", "https://localhost:1/")]),
        "a login page" => Reply::status(200, &[("Content-Type", "text/html")]),
        "a portal" => Reply::status(204, &[]),
        "a proxy's refusal" => Reply::status(400, &[]),
        "a teapot" => Reply::status(418, &[]),
        "a conflict" => Reply::refusal(409, "conflict_of_the_future", "not now"),
        "a server without the method" => Reply::status(501, &[]),
        "a gateway of its own kind" => Reply::status(520, &[]),
        "an answer that tells of no entry" => Reply::Answer {
            status: 200,
            headers: Vec::new(),
            body: r#"{"status":"success","message":"m","request_id":"req_1","data":{"total":0,"succeeded":0,"failed":0,"duplicates":0}}"#.to_owned(),
        },
        other => unreachable!("{other}"),
    }
}

const KINDS: [&str; 16] = [
    "no such key",
    "a revoked key",
    "a key for reading",
    "another path",
    "a method that is not taken",
    "a media type that is not taken",
    "an old protocol",
    "a redirect",
    "a login page",
    "a portal",
    "a proxy's refusal",
    "a teapot",
    "a conflict",
    "a server without the method",
    "a gateway of its own kind",
    "an answer that tells of no entry",
];

/// An endpoint where something is wrong until it is set right.
fn endpoint(authority: &Authority, kind: &'static str) -> (Endpoint, Arc<AtomicBool>) {
    let right = Arc::new(AtomicBool::new(false));
    let is_right = Arc::clone(&right);
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
        if is_right.load(Ordering::Relaxed) { Reply::taken(request) } else { wrong(kind) }
    });
    (endpoint, right)
}

fn sent(requests: &[Request]) -> HashSet<String> {
    requests.iter().flat_map(Request::messages).collect()
}

#[test]
fn what_waits_for_a_key_or_a_route_is_delivered_when_that_is_right_and_said_once() {
    for kind in KINDS {
        for spool in [None, Some(tempfile::tempdir().unwrap())] {
            let authority = Authority::new();
            let (endpoint, right) = endpoint(&authority, kind);
            let mut settings = endpoint.settings(&authority);
            // It is not the server that fails, so this does not count.
            settings.retry.max_retries = MaxRetries::new(0).unwrap();
            settings.max_in_flight = InFlight::new(1).unwrap();
            settings.spool_dir = spool.as_ref().map(|folder| folder.path().to_owned());
            let said = Arc::new(Mutex::new(Vec::new()));
            let says = Arc::clone(&said);
            let client = Client::builder(settings, secret())
                .mode(Mode::Hkdf)
                .on_drop(move |report| {
                    assert_eq!(report.total(), 0);
                    says.lock().unwrap().push(report.cause().unwrap().to_owned());
                })
                .build()
                .unwrap();
            watched(&client, || {
                lines(0..150).iter().for_each(|line| client.info(line));
                endpoint.wait_for_requests(4);
                wait_for(&client, kind, |_| !said.lock().unwrap().is_empty());
                let flushed = client.flush(Duration::from_millis(50));
                assert_eq!(flushed.is_ok(), spool.is_some(), "{kind}");
                right.store(true, Ordering::Relaxed);
                wait_for(&client, kind, |stats| stats.delivered == 150);
            });
            let stats = logged(&client);
            assert_eq!((stats.dropped.total(), stats.dead_letters), (0, 0), "{kind}: {stats:?}");
            assert_eq!(sent(&endpoint.requests()), lines(0..150).into_iter().collect());
            client.close(ENOUGH).unwrap();
            let said = said.lock().unwrap();
            let [wrong, right] = &said[..] else { unreachable!("{kind}: {said:?}") };
            assert!(wrong.contains("messages wait until this is fixed"), "{kind}: {wrong}");
            assert_eq!(right, "the server accepts messages again");
            assert!(stats.last_error.unwrap().contains("messages wait"), "{kind}");
        }
    }
}

#[test]
fn without_a_spool_messages_wait_for_the_deadline_and_no_longer() {
    let authority = Authority::new();
    let (endpoint, _) = endpoint(&authority, "a revoked key");
    let mut settings = endpoint.settings(&authority);
    settings.retry_deadline = RetryDeadline::new(Duration::from_millis(300)).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    lines(0..5).iter().for_each(|line| client.info(line));
    let lost = client.flush(ENOUGH).unwrap_err();
    assert_eq!((lost.dropped, lost.left), (5, 0));
    assert_eq!(logged(&client).dropped.by(DropReason::Undeliverable), 5);
    assert_eq!(closed(&client), 5);
}

#[test]
fn one_entry_that_a_proxy_finds_too_large_holds_up_no_other() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), |request| {
        if request.body.len() > 5_000 { Reply::status(413, &[]) } else { Reply::taken(request) }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut settings = endpoint.settings(&authority);
    settings.spool_dir = Some(folder.path().to_owned());
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    client.info(&"x".repeat(6_000));
    lines(0..300).iter().for_each(|line| client.info(line));
    // The others arrive, it becomes durable, and nobody waits for it.
    watched(&client, || {
        wait_for(&client, "the others", |stats| (stats.delivered, stats.spooled) == (300, 1));
    });
    assert_eq!(logged(&client).dropped.total(), 0);
    let begun = Instant::now();
    client.close(ENOUGH).unwrap();
    assert!(begun.elapsed() < ENOUGH / 2);
}

#[test]
fn over_a_connection_that_is_too_slow_for_long_requests_short_ones_go() {
    let authority = Authority::new();
    let timeout = Duration::from_secs(2);
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
        if request.body.len() > 300_000 {
            thread::sleep(2 * timeout);
        }
        Reply::taken(request)
    });
    let messages: Vec<String> = (0..40).map(|number| format!("{number:0>50000}")).collect();
    for spool in [None, Some(tempfile::tempdir().unwrap())] {
        let mut settings = endpoint.settings(&authority);
        settings.http_timeout = HttpTimeout::new(timeout).unwrap();
        settings.max_in_flight = InFlight::new(1).unwrap();
        settings.spool_dir = spool.as_ref().map(|folder| folder.path().to_owned());
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        messages.iter().for_each(|message| client.info(message));
        watched(&client, || wait_for(&client, "all", |stats| stats.delivered == 40));
        client.close(ENOUGH).unwrap();
    }
}

#[test]
fn a_refused_entry_leaves_the_spool_only_when_its_letter_is_durable() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), |request| {
        let refused = request.messages().iter().position(|message| message == "refused");
        match refused {
            Some(index) => Reply::partly(request, &[(index, "nonce_reused")]),
            None => Reply::taken(request),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut settings = endpoint.settings(&authority);
    settings.spool_dir = Some(folder.path().to_owned());
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    // Where the letters go stands a folder, so that they cannot be written.
    let letters = folder.path().join("own-0000/dead.ndjson");
    std::fs::create_dir(&letters).unwrap();
    watched(&client, || {
        client.info("taken");
        client.info("refused");
        wait_for(&client, "the other one", |stats| stats.delivered == 1);
    });
    let stats = logged(&client);
    assert_eq!((stats.spooled, stats.dead_letters, stats.dropped.total()), (1, 0, 0), "{stats:?}");
    std::fs::remove_dir(&letters).unwrap();
    watched(&client, || wait_for(&client, "a letter", |stats| stats.dead_letters == 1));
    let stats = logged(&client);
    assert_eq!((stats.spooled, stats.dropped.by(DropReason::Refused)), (0, 1), "{stats:?}");
}
