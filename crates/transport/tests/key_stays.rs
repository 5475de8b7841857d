//! The API key goes to the host that was named, and nowhere else.

#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use logflux_transport::{Api, CallError, Endpoint, Route, Trust};

const KEY: &str = "lf_0123456789abcdefABCDEF0123456789";

/// Answers one request with this status and these headers; gives the request's head.
fn answer_once(status: &str, headers: &str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n{headers}\r\n");
    let head = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        (&stream).write_all(answer.as_bytes()).unwrap();
        head
    });
    (url, head)
}

#[test]
fn a_redirect_is_not_followed() {
    for status in
        ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let location =
            format!("location: http://{}/v1/ingest\r\n", elsewhere.local_addr().unwrap());
        let (url, head) = answer_once(status, &location);
        let endpoint = Endpoint::allowing_plain_loopback(&url).unwrap();
        let api = Api::new(
            endpoint,
            &KEY.parse().unwrap(),
            Trust::PublicRoots,
            Route::direct(),
            Duration::from_secs(5),
        );
        let error = api.ingest(b"[]").unwrap_err();
        assert!(matches!(error, CallError::Redirected { .. }), "{status}: {error:?}");
        assert!(head.join().unwrap().contains(&format!("authorization: Bearer {KEY}\r\n")));
        elsewhere.set_nonblocking(true).unwrap();
        assert!(elsewhere.accept().is_err(), "{status} was followed");
    }
}

#[test]
fn neither_an_error_nor_a_debug_form_shows_the_key() {
    let (url, _) = answer_once("401 Unauthorized", "");
    let endpoint = Endpoint::allowing_plain_loopback(&url).unwrap();
    let api = Api::new(
        endpoint,
        &KEY.parse().unwrap(),
        Trust::PublicRoots,
        Route::direct(),
        Duration::from_secs(5),
    );
    let error = api.ingest(b"[]").unwrap_err();
    let shown = format!("{error} {error:?} {api:?}");
    assert!(!shown.contains(KEY), "{shown}");
}
