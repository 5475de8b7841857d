//! Servers that are slow, silent, or speak without an end: a call ends in time, and what it carried
//! is sent again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Messages as _, Reply, Request};
use logflux_tests::{ENOUGH, lines, logged, secret, wait_for, watched};
use logflux_transport::{Client, HttpTimeout, InFlight};

const TIMEOUT: Duration = Duration::from_millis(300);
/// How late anything may be on a busy machine.
const LATE: Duration = Duration::from_secs(4);

/// The first two requests get `bad`, and those after them what is right. Everything arrives.
fn bad_twice(bad: &Reply, http_timeout: Duration) -> Endpoint {
    let authority = Authority::new();
    let badly = bad.clone();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
        if request.number < 2 { badly.clone() } else { Reply::taken(request) }
    });
    let mut settings = endpoint.settings(&authority);
    settings.http_timeout = HttpTimeout::new(http_timeout).unwrap();
    settings.max_in_flight = InFlight::new(1).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    for line in lines(0..30) {
        client.info(&line);
    }
    watched(&client, || client.flush(ENOUGH)).unwrap();
    let stats = logged(&client);
    assert_eq!((stats.delivered, stats.dropped.total()), (30, 0), "{bad:?}: {stats:?}");
    let requests = endpoint.requests();
    assert!(requests.len() >= 3, "{bad:?} was taken for an answer");
    for pair in requests.windows(2) {
        let apart = pair[1].at - pair[0].at;
        assert!(apart < TIMEOUT + LATE, "{bad:?} held the client up for {apart:?}");
    }
    assert_eq!(requests[0].body, requests[1].body);
    let taken: Vec<_> = requests[2..].iter().flat_map(|request| request.messages()).collect();
    assert_eq!(taken, lines(0..30), "{bad:?}");
    endpoint
}

#[test]
fn a_server_that_never_answers_is_left_at_the_deadline() {
    bad_twice(&Reply::Hang, TIMEOUT);
}

#[test]
fn a_byte_now_and_then_does_not_extend_the_deadline() {
    bad_twice(&Reply::Trickle(Duration::from_secs(1)), TIMEOUT);
    bad_twice(&Reply::Trickle(Duration::from_millis(10)), TIMEOUT);
}

#[test]
fn of_an_endless_answer_no_more_is_read_than_an_answer_can_have() {
    // It is the length that ends it: the deadline would be far too late.
    let endpoint = bad_twice(&Reply::Endless, ENOUGH);
    // 64 KiB are read; what the system keeps in its buffers is its own affair.
    assert!(endpoint.endless_bytes() < 32 << 20, "{} bytes", endpoint.endless_bytes());
}

#[test]
fn half_answers_and_answers_of_something_else_are_none() {
    let head = "HTTP/1.1 200 OK\r\n";
    thread::scope(|scope| {
        for raw in [
            String::new(),
            "HTTP/1.1 20".to_owned(),
            "\u{0}\u{1}\u{2} no HTTP at all \r\n\r\n".to_owned(),
            format!("{head}Content-Length: 500\r\n\r\n{{\"status\":\"success\","),
            format!("{head}Content-Length: 0\r\n\r\n"),
            format!("{head}Content-Length: 2\r\n\r\n{{}}"),
            format!("{head}Content-Length: 7\r\n\r\nWelcome"),
            format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            format!("{head}Content-Length: -1\r\n\r\n"),
            format!("{head}X: {}\r\n\r\n", "y".repeat(1 << 20)),
            // A portal that wants a login, or a proxy that has something to say.
            "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "HTTP/1.1 520 Web Server Returned an Unknown Error\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
        ] {
            scope.spawn(move || bad_twice(&Reply::Raw(raw.into_bytes()), ENOUGH));
        }
    });
}

#[test]
fn failures_that_may_pass_are_tried_again_with_the_same_bytes() {
    thread::scope(|scope| {
        for status in [408, 429, 500, 502, 503, 504, 507] {
            scope.spawn(move || bad_twice(&Reply::status(status, &[]), ENOUGH));
        }
    });
}

#[test]
fn a_server_that_stops_reading_or_writing_anywhere_is_left_at_the_deadline() {
    let authority = Authority::new();
    let ways = [
        ("never serves the connection", Manner::Silent),
        ("stops in the middle of its hello", Manner::Bytes(vec![22, 3, 3, 0, 100, 2])),
        ("stops reading after the handshake", Manner::Deaf(authority.good())),
    ];
    for (how, manner) in ways {
        let endpoint = Endpoint::start(manner, Reply::taken);
        let mut settings = endpoint.settings(&authority);
        settings.http_timeout = HttpTimeout::new(2 * TIMEOUT).unwrap();
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        // Not everything fits into the buffers of a connection.
        let all: Vec<_> =
            lines(0..30).into_iter().map(|line| line + &"!".repeat(100_000)).collect();
        all.iter().for_each(|line| client.info(line));
        let begun = Instant::now();
        wait_for(&client, "two deadlines", |stats| stats.retries >= 2);
        assert!(begun.elapsed() < 6 * TIMEOUT + 2 * LATE, "{how}: {:?}", begun.elapsed());
        let stats = logged(&client);
        assert_eq!((stats.pending, stats.accepted), (30, 30), "{how}: {stats:?}");

        endpoint.meet(Manner::Tls(authority.good()));
        client.flush(ENOUGH).unwrap();
        assert_eq!(logged(&client).delivered, 30, "{how}");
        let sent: Vec<_> = endpoint.requests().iter().flat_map(Request::messages).collect();
        assert!(all.iter().all(|line| sent.contains(line)), "{how}");
    }
}
