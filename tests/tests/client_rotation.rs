//! Rotation without a restart: a client that runs gets another secret, key or CA file, and nothing
//! is lost.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use logflux_envelope::{Entry, Keyring, Mode, Opener, Secret};
use logflux_tests::{ENOUGH, Place, in_child, lines, logged, secret, wait_for, watched};
use logflux_transport::{ApiError, Backoff, Client, ClientConfig, QueueSize, Rotation};
use logflux_wire::ApiKey;
use tempfile::TempDir;

/// Settings with a pause after a failure that no test lives to see the end of.
fn settings(place: &Place, key: &ApiKey, spool: Option<&TempDir>) -> ClientConfig {
    let mut settings = place.settings();
    settings.api_key = key.clone();
    settings.spool_dir = spool.map(|folder| folder.path().to_owned());
    settings.queue_size = QueueSize::new(1_000_000).unwrap();
    let hours = Duration::from_secs(4 * 3600);
    settings.retry.backoff = Backoff::new(hours, hours, 2.0).unwrap();
    settings.retry_deadline = logflux_transport::RetryDeadline::new(hours).unwrap();
    settings
}

fn another_secret() -> Secret {
    Secret::new("a secret of another year").unwrap()
}

/// How many of the entries this opens.
fn opened(keyring: impl Into<Keyring>, entries: &[Entry]) -> Vec<String> {
    Opener::new(keyring).open_many(entries).into_iter().filter_map(Result::ok).collect()
}

/// Runs a test without a spool, and with one.
fn with_and_without_a_spool(test: impl Fn(Option<&TempDir>)) {
    test(None);
    test(Some(&tempfile::tempdir().unwrap()));
}

#[test]
fn a_key_that_is_revoked_while_the_client_logs_is_replaced_and_everything_arrives() {
    with_and_without_a_spool(|spool| {
        let (place, _running) = Place::new();
        let old = place.another_key();
        let said = Arc::new(Mutex::new(Vec::new()));
        let says = Arc::clone(&said);
        let client = Client::builder(settings(&place, &old, spool), secret())
            .mode(Mode::Hkdf)
            .on_drop(move |report| {
                assert_eq!(report.total(), 0);
                says.lock().unwrap().push(report.cause().unwrap().to_owned());
            })
            .build()
            .unwrap();
        let stop = AtomicBool::new(false);
        let logged_lines = thread::scope(|scope| {
            let loggers: Vec<_> = (0..3)
                .map(|thread| {
                    let (client, stop) = (&client, &stop);
                    scope.spawn(move || {
                        let mut lines = Vec::new();
                        while !stop.load(Ordering::Relaxed) {
                            let line = format!("{thread} {}", lines.len());
                            client.info(&line);
                            lines.push(line);
                            thread::sleep(Duration::from_millis(1));
                        }
                        lines
                    })
                })
                .collect();
            wait_for(&client, "the first", |stats| stats.delivered > 10);
            place.revoke(&old);
            let held = |stats: &logflux_transport::ClientStats| {
                stats.last_error.as_ref().is_some_and(|error| error.contains("replace the API key"))
            };
            wait_for(&client, "the refusal", held);
            let before = logged(&client).delivered;
            wait_for(&client, "more", |stats| stats.accepted > before + 300);
            client.rotate(Rotation::new().api_key(place.another_key())).unwrap();
            wait_for(&client, "what waited", |stats| stats.delivered > before + 300);
            stop.store(true, Ordering::Relaxed);
            loggers.into_iter().flat_map(|logger| logger.join().unwrap()).collect::<Vec<_>>()
        });
        client.close(ENOUGH).unwrap();
        let stats = logged(&client);
        assert_eq!((stats.dropped.total(), stats.dead_letters), (0, 0), "{stats:?}");
        assert_eq!(stats.delivered, logged_lines.len() as u64);
        let stored: HashSet<String> = place.stored().into_iter().collect();
        assert_eq!(stored, logged_lines.into_iter().collect());
        let said = said.lock().unwrap();
        assert_eq!(said.last().unwrap(), "the server accepts messages again", "{said:?}");
    });
}

#[test]
fn another_key_that_is_refused_as_well_is_told_of_and_the_right_one_delivers() {
    let (place, _running) = Place::new();
    let wrong = "lf_0123456789abcdefABCDEF0123456789".parse().unwrap();
    let said = Arc::new(Mutex::new(Vec::new()));
    let says = Arc::clone(&said);
    let client = Client::builder(settings(&place, &wrong, None), secret())
        .mode(Mode::Hkdf)
        .on_drop(move |report| says.lock().unwrap().push(report.cause().unwrap().to_owned()))
        .build()
        .unwrap();
    client.info("waits");
    let refused = |times: usize| {
        let begun = std::time::Instant::now();
        while said.lock().unwrap().len() < times {
            assert!(begun.elapsed() < ENOUGH, "{said:?}");
            thread::sleep(Duration::from_millis(2));
        }
    };
    refused(1);
    client.rotate(Rotation::new().api_key(wrong)).unwrap();
    refused(2);
    client.rotate(Rotation::new().api_key(place.key().clone())).unwrap();
    client.close(ENOUGH).unwrap();
    assert_eq!(place.stored(), ["waits"]);
    let said = said.lock().unwrap();
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(said[0], said[1]);
}

#[test]
fn an_authority_that_changes_is_trusted_after_its_file_is_read_again() {
    with_and_without_a_spool(|spool| {
        let (place, running) = Place::new();
        let settings = settings(&place, place.key(), spool);
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        lines(0..50).iter().for_each(|line| client.info(line));
        wait_for(&client, "the first", |stats| stats.delivered == 50);
        running.stop().unwrap();
        place.forget_authority();
        let _running = place.serve();
        lines(50..200).iter().for_each(|line| client.info(line));
        wait_for(&client, "the distrust", |stats| {
            stats.last_error.as_ref().is_some_and(|error| error.contains("CA file"))
        });
        // What cannot be used changes nothing, also where another part could be.
        let absent = Rotation::new().api_key(place.another_key()).ca_file("/no/such/file");
        let error = client.rotate(absent.secret(another_secret())).unwrap_err();
        assert!(matches!(error, ApiError::Trust(_)), "{error}");
        assert!(error.to_string().contains("/no/such/file"), "{error}");
        client.rotate(Rotation::new().ca_file(place.ca_file())).unwrap();
        client.close(ENOUGH).unwrap();
        let stats = logged(&client);
        assert_eq!((stats.delivered, stats.dropped.total()), (200, 0), "{stats:?}");
        assert_eq!(place.stored(), lines(0..200));
    });
}

#[test]
fn a_new_secret_seals_what_comes_later_and_a_keyring_opens_all() {
    with_and_without_a_spool(|spool| {
        let (place, running) = Place::new();
        let settings = settings(&place, place.key(), spool);
        let client = Client::builder(settings, secret()).build().unwrap();
        // With a spool the old entries are still there when the secret changes.
        let running = (spool.is_none()).then_some(running);
        lines(0..100).iter().for_each(|line| client.info(line));
        client.flush(ENOUGH).unwrap();
        let before = client.stats().derivations;
        assert!(before > 0);
        watched(&client, || client.rotate(Rotation::new().secret(another_secret())).unwrap());
        assert!(client.stats().derivations >= before);
        lines(100..200).iter().for_each(|line| client.info(line));
        client.flush(ENOUGH).unwrap();
        assert!(client.stats().derivations > before, "{:?}", client.stats());
        let _running = running.unwrap_or_else(|| place.serve());
        client.rotate(Rotation::new().api_key(place.another_key())).unwrap();
        client.close(ENOUGH).unwrap();
        let stats = logged(&client);
        assert_eq!((stats.delivered, stats.dropped.total()), (200, 0), "{stats:?}");
        let entries = place.entries();
        assert_eq!(opened(secret(), &entries), lines(0..100));
        assert_eq!(opened(another_secret(), &entries), lines(100..200));
        let keyring = Keyring::new(another_secret()).with_older(secret());
        assert_eq!(opened(keyring, &entries), lines(0..200));
    });
}

#[test]
fn rotations_from_many_threads_while_others_log_lose_nothing() {
    with_and_without_a_spool(|spool| {
        let (place, _running) = Place::new();
        let settings = settings(&place, place.key(), spool);
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        let keys = [place.key().clone(), place.another_key(), place.another_key()];
        thread::scope(|scope| {
            for thread in 0..3 {
                let client = &client;
                scope.spawn(move || {
                    for line in 0..500 {
                        client.info(&format!("{thread} {line}"));
                    }
                });
            }
            for key in &keys {
                let (client, place) = (&client, &place);
                scope.spawn(move || {
                    for round in 0..20 {
                        let secret = if round % 2 == 0 { another_secret() } else { secret() };
                        client.rotate(Rotation::new().secret(secret)).unwrap();
                        client.rotate(Rotation::new().ca_file(place.ca_file())).unwrap();
                        client.rotate(Rotation::new().api_key(key.clone())).unwrap();
                    }
                });
            }
        });
        client.close(ENOUGH).unwrap();
        let stats = logged(&client);
        assert_eq!((stats.delivered, stats.dropped.total()), (1_500, 0), "{stats:?}");
        let keyring = Keyring::new(another_secret()).with_older(secret());
        let stored: HashSet<String> = opened(keyring, &place.entries()).into_iter().collect();
        assert_eq!(stored.len(), 1_500);
    });
}

#[test]
fn a_callback_may_rotate() {
    let (place, _running) = Place::new();
    let wrong = "lf_0123456789abcdefABCDEF0123456789".parse().unwrap();
    let cell = Arc::new(OnceLock::<Client>::new());
    let (in_callback, key) = (Arc::clone(&cell), place.key().clone());
    let client = Client::builder(settings(&place, &wrong, None), secret())
        .mode(Mode::Hkdf)
        .on_drop(move |_| {
            let client = in_callback.wait();
            client.rotate(Rotation::new().api_key(key.clone())).unwrap();
        })
        .build()
        .unwrap();
    assert!(cell.set(client.clone()).is_ok());
    client.info("waits");
    client.close(ENOUGH).unwrap();
    assert_eq!(place.stored(), ["waits"]);
}

#[cfg(unix)]
#[test]
fn a_child_goes_on_with_what_was_rotated_and_rotates_for_itself() {
    let (place, running) = Place::new();
    let old = place.another_key();
    let settings = settings(&place, &old, None);
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    client.info("before");
    client.flush(ENOUGH).unwrap();
    running.stop().unwrap();
    place.forget_authority();
    let _running = place.serve();
    place.revoke(&old);
    let all = Rotation::new().secret(another_secret()).ca_file(place.ca_file());
    client.rotate(all.api_key(place.key().clone())).unwrap();
    assert!(in_child(|| {
        client.info("child");
        client.close(ENOUGH).unwrap();
        assert_eq!(client.stats().derivations, 1);
    }));
    assert!(in_child(|| {
        // Before the child has anything of its own, and after.
        client.rotate(Rotation::new().secret(secret())).unwrap();
        client.info("child with the old secret");
        client.flush(ENOUGH).unwrap();
        client.rotate(Rotation::new().secret(another_secret())).unwrap();
        client.info("child with the new secret");
        client.close(ENOUGH).unwrap();
        assert_eq!(client.stats().derivations, 2);
    }));
    client.info("after");
    client.close(ENOUGH).unwrap();
    let entries = place.entries();
    assert_eq!(opened(secret(), &entries), ["before", "child with the old secret"]);
    let new = opened(another_secret(), &entries);
    assert_eq!(new, ["child", "child with the new secret", "after"]);
}
