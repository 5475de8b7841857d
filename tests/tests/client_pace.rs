//! The server's limit is kept to instead of being run into, and a wrong one stalls nothing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply};
use logflux_tests::{ENOUGH, lines, logged, secret, watched};
use logflux_transport::{Client, InFlight, QueueSize};

/// The most requests in a window, and the window's seconds.
const LIMIT: u64 = 20;
const WINDOW: u64 = 2;

#[test]
fn a_limit_is_never_run_into_however_many_requests_are_in_flight() {
    for in_flight in [1, 4] {
        let authority = Authority::new();
        let used = Mutex::new((0, 0));
        let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
            let now = SystemTime::now();
            let seconds = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
            let mut used = used.lock().unwrap();
            if used.0 != seconds / WINDOW {
                *used = (seconds / WINDOW, 0);
            }
            used.1 += 1;
            let reply = if used.1 > LIMIT {
                Reply::status(429, &[("Retry-After", "1")])
            } else {
                Reply::taken(request)
            };
            reply
                .with("Date", httpdate::fmt_http_date(now))
                .with("X-RateLimit-Limit", LIMIT)
                .with("X-RateLimit-Remaining", LIMIT.saturating_sub(used.1))
                .with("X-RateLimit-Reset", (seconds / WINDOW + 1) * WINDOW)
        });
        let mut settings = endpoint.settings(&authority);
        settings.max_in_flight = InFlight::new(in_flight).unwrap();
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        // 50 requests.
        for line in lines(0..5_000) {
            client.info(&line);
        }
        watched(&client, || client.flush(ENOUGH)).unwrap();
        let stats = logged(&client);
        assert_eq!((stats.delivered, stats.retries), (5_000, 0), "{stats:?}");
        assert_eq!(endpoint.requests().len() as u64, stats.requests);
    }
}

#[test]
fn a_limit_that_makes_no_sense_stalls_nothing() {
    for (limit, remaining, reset) in [
        // The window was over long ago.
        ("60", "0", "1"),
        ("60", "0", "0"),
        ("0", "0", "1"),
        ("60", "59", "99999999999"),
        ("60", "0", "-5"),
        ("60", "0", "soon"),
        ("", "", ""),
        ("99999999999999999999999999", "0", "99999999999999999999999"),
    ] {
        let authority = Authority::new();
        let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
            Reply::taken(request)
                .with("X-RateLimit-Limit", limit)
                .with("X-RateLimit-Remaining", remaining)
                .with("X-RateLimit-Reset", reset)
        });
        let client = Client::builder(endpoint.settings(&authority), secret())
            .mode(Mode::Hkdf)
            .build()
            .unwrap();
        for line in lines(0..1_000) {
            client.info(&line);
        }
        let begun = Instant::now();
        client.flush(ENOUGH).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10), "{limit} {remaining} {reset}");
        assert_eq!(logged(&client).delivered, 1_000);
    }
}

#[test]
fn a_limit_that_holds_much_back_is_named_while_it_does() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), |request| {
        let now = SystemTime::now();
        let seconds = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
        Reply::taken(request)
            .with("Date", httpdate::fmt_http_date(now))
            .with("X-RateLimit-Limit", 60)
            .with("X-RateLimit-Remaining", 0)
            .with("X-RateLimit-Reset", seconds + 60)
    });
    let mut settings = endpoint.settings(&authority);
    settings.queue_size = QueueSize::new(1_200).unwrap();
    let (say, said) = std::sync::mpsc::channel();
    let client = Client::builder(settings, secret())
        .mode(Mode::Hkdf)
        .on_drop(move |report| {
            if report.total() == 0 {
                say.send(report.cause().unwrap().to_owned()).unwrap();
            }
        })
        .build()
        .unwrap();
    // The first request learns of the limit. Then more wait than half of what may.
    client.info("first");
    client.flush(ENOUGH).unwrap();
    for line in lines(0..1_000) {
        client.info(&line);
    }
    let sentence = said.recv_timeout(ENOUGH).unwrap();
    assert!(sentence.starts_with("the server's limit of 60 requests in 60 s holds back"));
    // The client goes on.
    assert_eq!(logged(&client).accepted, 1_001);
    assert_eq!(client.flush(Duration::from_millis(50)).unwrap_err().left, 1_000);
    let lost = client.close(Duration::from_millis(50)).unwrap_err();
    assert_eq!((lost.dropped, lost.left), (1_000, 0));
}
