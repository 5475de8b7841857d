//! Without a spool a client gives up in the end, and says so; with one it never does.

#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Messages as _, Reply, Request};
use logflux_tests::{ENOUGH, flushed, lines, logged, secret, wait_for, watched};
use logflux_transport::{Client, DropReason, MaxRetries, RetryDeadline};

/// An endpoint that is out of order until it is mended.
fn broken(authority: &Authority) -> (Endpoint, Arc<AtomicBool>) {
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
        if is_mended.load(Ordering::Relaxed) {
            Reply::taken(request)
        } else {
            Reply::status(503, &[])
        }
    });
    (endpoint, mended)
}

#[test]
fn a_batch_is_dropped_after_so_many_attempts_and_the_next_has_as_many() {
    let authority = Authority::new();
    let (endpoint, mended) = broken(&authority);
    let mut settings = endpoint.settings(&authority);
    settings.retry.max_retries = MaxRetries::new(3).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    watched(&client, || {
        for batch in 1..=2 {
            client.info("in vain");
            // What is dropped does not keep a flush waiting, and fails it.
            assert_eq!(flushed(&client), batch);
            let stats = logged(&client);
            assert_eq!(stats.dropped.by(DropReason::Undeliverable), batch, "{stats:?}");
            assert_eq!(endpoint.requests().len() as u64, 4 * batch);
        }
        mended.store(true, Ordering::Relaxed);
        client.info("line");
        assert_eq!(flushed(&client), 2);
    });
    let stats = logged(&client);
    assert_eq!((stats.delivered, stats.dropped.total()), (1, 2), "{stats:?}");
}

#[test]
fn a_batch_is_dropped_at_its_deadline() {
    let authority = Authority::new();
    let (endpoint, _) = broken(&authority);
    let mut settings = endpoint.settings(&authority);
    settings.retry_deadline = RetryDeadline::new(Duration::from_millis(500)).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    let begun = Instant::now();
    lines(0..250).iter().for_each(|line| client.info(line));
    assert_eq!(watched(&client, || flushed(&client)), 250);
    let stats = logged(&client);
    assert_eq!(stats.dropped.by(DropReason::Undeliverable), 250, "{stats:?}");
    assert!(!endpoint.requests().is_empty());
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[test]
fn a_spool_is_never_given_up() {
    let authority = Authority::new();
    let (endpoint, mended) = broken(&authority);
    let folder = tempfile::tempdir().unwrap();
    let mut settings = endpoint.settings(&authority);
    settings.spool_dir = Some(folder.path().to_owned());
    settings.retry.max_retries = MaxRetries::new(0).unwrap();
    settings.retry_deadline = RetryDeadline::new(Duration::ZERO).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    lines(0..250).iter().for_each(|line| client.info(line));
    watched(&client, || {
        client.flush(ENOUGH).unwrap();
        endpoint.wait_for_requests(8);
        mended.store(true, Ordering::Relaxed);
        wait_for(&client, "an empty spool", |stats| stats.spooled == 0);
    });
    assert_eq!(logged(&client).delivered, 250);
    let requests = endpoint.requests();
    let mut sent: Vec<_> = requests.iter().flat_map(Request::messages).collect();
    sent.sort_by_key(|line| line.split(' ').nth(1).unwrap().parse::<usize>().unwrap());
    sent.dedup();
    assert_eq!(sent, lines(0..250));
}
