//! `flush` and `close` return in time, whatever the server does and wherever they are called.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply};
use logflux_tests::{lines, logged, secret, watched};
use logflux_transport::{Client, DropReason};
use tempfile::TempDir;

/// 50 ms are promised; a busy machine takes its time.
const LATE: Duration = Duration::from_secs(2);
const TIMEOUTS: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(30), Duration::from_millis(100)];

/// A server that does not help, and a client that has logged 300 lines to it.
struct Unhelpful {
    client: Client,
    _authority: Authority,
    /// None where nobody listens.
    _endpoint: Option<Endpoint>,
    _spool: Option<TempDir>,
}

fn unhelpful() -> Vec<Unhelpful> {
    let mut all = Vec::new();
    for how in ["dead", "silent", "stuck", "deaf", "hanging", "dripping", "failing"] {
        for spooled in [false, true] {
            let authority = Authority::new();
            let manner = match how {
                "silent" => Manner::Silent,
                "stuck" => Manner::Bytes(vec![22, 3, 3, 0, 100, 2]),
                "deaf" => Manner::Deaf(authority.good()),
                _ => Manner::Tls(authority.good()),
            };
            let endpoint = Endpoint::start(manner, move |_| match how {
                "hanging" => Reply::Hang,
                "dripping" => Reply::Trickle(Duration::from_millis(100)),
                _ => Reply::status(503, &[]),
            });
            let spool = spooled.then(|| tempfile::tempdir().unwrap());
            let mut settings = endpoint.settings(&authority);
            settings.spool_dir = spool.as_ref().map(|folder| folder.path().to_owned());
            let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
            lines(0..300).iter().for_each(|line| client.info(line));
            let endpoint = Some(endpoint).filter(|_| how != "dead");
            all.push(Unhelpful {
                client,
                _authority: authority,
                _endpoint: endpoint,
                _spool: spool,
            });
        }
    }
    all
}

/// Asserts that this returns within `timeout`, or not much later.
fn timed<T>(timeout: Duration, call: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = call();
    let took = begun.elapsed();
    assert!(took < timeout + LATE, "{took:?} instead of {timeout:?}");
    result
}

/// Flushes and closes, more than once.
fn flush_and_close(client: &Client) {
    for timeout in TIMEOUTS {
        if let Err(left) = timed(timeout, || client.flush(timeout)) {
            assert!((1..=300).contains(&left.left), "{left}");
        }
    }
    for timeout in TIMEOUTS.into_iter().rev() {
        let _ = timed(timeout, || client.close(timeout));
        let stats = logged(client);
        // Once a client is closed nothing is pending: it is in the spool, or counted as dropped. What
        // becomes durable only then counts as dropped, and as found in the spool.
        let (dropped, found) = (stats.dropped.by(DropReason::Closed), stats.accepted - 300);
        assert_eq!((stats.pending, stats.delivered), (0, 0), "{stats:?}");
        assert_eq!(stats.spooled + dropped, stats.accepted);
        assert!(found <= dropped && (found == 0 || stats.spooled >= found), "{stats:?}");
    }
    let _ = timed(Duration::ZERO, || client.flush(Duration::ZERO));
    let dropped = |client: &Client| logged(client).dropped.by(DropReason::Closed);
    let before = dropped(client);
    client.info("too late");
    assert_eq!(dropped(client), before + 1);
}

#[test]
fn they_return_in_time_and_may_be_called_twice() {
    for Unhelpful { client, .. } in &unhelpful() {
        watched(client, || flush_and_close(client));
    }
}

#[test]
fn they_return_in_time_within_an_asynchronous_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for Unhelpful { client, .. } in &unhelpful() {
        runtime.block_on(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            flush_and_close(client);
        });
    }
}

#[test]
fn they_return_in_time_when_eight_threads_call_them() {
    for Unhelpful { client, .. } in &unhelpful() {
        watched(client, || {
            thread::scope(|scope| {
                for thread in 0..8 {
                    scope.spawn(move || {
                        for timeout in TIMEOUTS {
                            let _ = timed(timeout, || client.flush(timeout));
                        }
                        let timeout = TIMEOUTS[thread % TIMEOUTS.len()];
                        let _ = timed(timeout, || client.close(timeout));
                        assert_eq!(logged(client).pending, 0);
                    });
                }
            });
        });
    }
}

#[test]
fn the_last_handle_closes_the_client_and_is_dropped_in_time() {
    thread::scope(|scope| {
        for unhelpful in unhelpful() {
            scope.spawn(move || {
                let Unhelpful { client, _authority, _endpoint, _spool } = unhelpful;
                let another = client.clone();
                timed(Duration::ZERO, || drop(another));
                timed(Duration::from_secs(2), || drop(client));
            });
        }
    });
}

#[test]
fn a_spool_has_everything_that_is_not_dropped_when_a_client_is_closed_at_once() {
    let nobody = Authority::new();
    for round in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = Endpoint::start(Manner::Silent, Reply::taken);
        let mut settings = endpoint.settings(&nobody);
        settings.spool_dir = Some(folder.path().to_owned());
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        // The key is derived, so that what follows is quick.
        client.info("first");
        client.flush(LATE).unwrap();
        watched(&client, || {
            for line in lines(0..round * 20) {
                client.info(&line);
            }
            let _ = client.close(Duration::from_millis(round as u64 / 8));
            // The worker may be in the middle of something still.
            thread::sleep(Duration::from_millis(10));
        });
        assert_eq!(logged(&client).pending, 0);
    }
}
