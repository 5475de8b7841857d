//! The server stores, and its answer is lost: nothing is stored twice.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply};
use logflux_tests::{ENOUGH, Place, lines, logged, number, secret, watched};
use logflux_transport::{Backoff, Client};

#[test]
fn what_is_stored_while_the_answer_is_lost_is_stored_once() {
    // The long form loses a thousand answers and more.
    let answers: usize = number("LOGFLUX_TEST_LOST_ANSWERS", 100);
    let (place, _running) = Place::new();
    let authority = Authority::new();
    let api = place.api();
    let lost = Arc::new(AtomicUsize::new(0));
    let losing = Arc::clone(&lost);
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
        api.ingest(&request.body).unwrap();
        match request.number % 4 {
            // The connection ends at once, within the answer, or after a good beginning.
            0 => losing.fetch_add(1, Ordering::Relaxed),
            1 => {
                losing.fetch_add(1, Ordering::Relaxed);
                return Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec());
            }
            2 => {
                losing.fetch_add(1, Ordering::Relaxed);
                let half = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{\"status\":\"succ";
                return Reply::Raw(half.to_vec());
            }
            _ => return Reply::taken(request),
        };
        Reply::Lost
    });
    let mut settings = endpoint.settings(&authority);
    let (first, longest) = (Duration::from_millis(1), Duration::from_millis(4));
    settings.retry.backoff = Backoff::new(first, longest, 2.0).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();

    let all = lines(0..1_000.max(answers * 10 / 3));
    let batches = (answers / 3).max(1) + 1;
    watched(&client, || {
        for some in all.chunks(all.len().div_ceil(batches)) {
            for line in some {
                client.info(line);
            }
            client.flush(ENOUGH).unwrap();
        }
    });
    let stats = logged(&client);
    assert_eq!((stats.delivered, stats.dropped.total()), (all.len() as u64, 0), "{stats:?}");
    let lost = lost.load(Ordering::Relaxed);
    println!("{lost} answers were lost, {} requests were made", endpoint.requests().len());
    assert!(lost >= answers, "only {lost} answers were lost");
    assert_eq!(place.stored(), all);
}
