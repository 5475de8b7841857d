//! Many threads log, flush and read while the server fails at random: it all adds up.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use std::time::Duration;

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply};
use logflux_tests::{Place, closed, flushed, logged, secret, watched};
use logflux_transport::{Backoff, Client, DropReason, InFlight, QueueSize, WhenFull};

const THREADS: usize = 8;
const LINES: usize = 100;

/// A server that fails two times out of three, in one way or another, and stores at times even then.
fn moody(place: &Place, authority: &Authority) -> Endpoint {
    let api = place.api();
    Endpoint::start(Manner::Tls(authority.good()), move |request| {
        match RandomState::new().hash_one(()) % 6 {
            0 => Reply::status(503, &[]),
            1 => Reply::Lost,
            2 => Reply::status(429, &[("Retry-After", "0")]),
            3 => {
                api.ingest(&request.body).unwrap();
                Reply::Lost
            }
            _ => {
                api.ingest(&request.body).unwrap();
                Reply::taken(request)
            }
        }
    })
}

#[test]
fn what_many_threads_log_through_a_small_queue_adds_up() {
    for when_full in [WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Block] {
        for spooled in [false, true] {
            let (place, _running) = Place::new();
            let authority = Authority::new();
            let endpoint = moody(&place, &authority);
            let folder = tempfile::tempdir().unwrap();
            let mut settings = endpoint.settings(&authority);
            settings.queue_size = QueueSize::new(60).unwrap();
            settings.max_in_flight = InFlight::new(4).unwrap();
            let (first, longest) = (Duration::from_millis(1), Duration::from_millis(4));
            settings.retry.backoff = Backoff::new(first, longest, 2.0).unwrap();
            settings.spool_dir = spooled.then(|| folder.path().to_owned());
            let client = Client::builder(settings, secret())
                .mode(Mode::Hkdf)
                .when_full(when_full)
                .on_drop(|_| {})
                .build()
                .unwrap();
            let logging = &client;
            watched(&client, || {
                thread::scope(|scope| {
                    for thread in 0..THREADS {
                        scope.spawn(move || {
                            for line in 0..LINES {
                                logging.info(&format!("{thread} {line}"));
                                if line % 40 == thread {
                                    let _ = flushed(logging);
                                }
                            }
                        });
                    }
                });
                assert_eq!(closed(&client), client.stats().dropped.total());
            });
            let stats = logged(&client);
            let case = format!("{when_full:?}, spooled: {spooled}: {stats:?}");
            assert_eq!(stats.accepted, (THREADS * LINES) as u64, "{case}");
            assert_eq!(stats.dropped.total(), stats.dropped.by(DropReason::QueueFull), "{case}");
            if when_full == WhenFull::Block {
                assert_eq!(stats.dropped.total(), 0, "{case}");
            }
            let stored = place.stored();
            let distinct: HashSet<_> = stored.iter().collect();
            assert_eq!(stored.len(), distinct.len(), "{case}");
            // What a spool still had at the end may be stored, but for the answer.
            let (least, most) = (stats.delivered, stats.delivered + stats.spooled);
            assert!((least..=most).contains(&(stored.len() as u64)), "{}: {case}", stored.len());
        }
    }
}
