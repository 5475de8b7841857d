//! 10,000 generated requests for every call: each is answered with a code, and the server goes on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use logflux_server::Scope;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rustls::{ClientConnection, StreamOwned};

use crate::common::{Parts, TestServer, entry};

const CASES: usize = 10_000;

/// The same cases in every run.
fn runner(seed: u8) -> TestRunner {
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]),
    )
}

/// JSON of any form, with an entry's names in it, deep and long and broken.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        Just("node"),
        Just("payload"),
        Just("loglevel"),
        Just("timestamp"),
        Just("iv"),
        Just("encryption_mode"),
        Just("salt"),
        Just("entries"),
        Just("x"),
    ];
    let string = prop_oneof![
        "[ -~]{0,20}".prop_map(|text| format!("{text:?}")),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        (0..400_usize).prop_map(|n| format!("\"{}\"", "\\u0041".repeat(n))),
        Just("\"AAAAAAAAAAAAAAAAAAAAAA==\"".to_owned()),
        Just("\"2024-01-17T10:30:45Z\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
    ];
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        (1..300_usize).prop_map(|n| "9".repeat(n)),
        (1..300_usize).prop_map(|n| format!("-0.{}e{}", "0".repeat(n), "9".repeat(n % 20 + 1))),
    ];
    let leaf = prop_oneof![
        string,
        number,
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(String::new()),
        Just(entry()),
        (0..2_000_usize).prop_map(|n| "[".repeat(n)),
        (0..300_usize).prop_map(|n| "{\"a\":".repeat(n)),
    ];
    let json = leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((name.clone(), inner.clone()), 0..9).prop_map(|all| {
                let fields: Vec<_> = all.iter().map(|(n, v)| format!("\"{n}\":{v}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
            inner.clone().prop_map(|value| format!("{{\"entries\":{value}}}")),
            (inner, 0..150_usize).prop_map(|(value, n)| format!("[{}]", vec![value; n].join(","))),
        ]
    });
    let bytes = json.prop_map(String::into_bytes);
    (bytes, any::<prop::sample::Index>(), 0..8_u8, any::<u8>()).prop_map(
        |(mut bytes, at, how, byte)| {
            let at = if bytes.is_empty() { 0 } else { at.index(bytes.len()) };
            match how {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 if !bytes.is_empty() => bytes[at] = byte,
                _ => {}
            }
            bytes
        },
    )
}

/// A query string of names that there are and are not, with any values.
fn query() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("from"),
        Just("to"),
        Just("level"),
        Just("node"),
        Just("limit"),
        Just("order"),
        Just("cursor"),
        Just("kind"),
        Just("since"),
        Just("x"),
    ];
    let value = prop_oneof![
        "[!-\"$-~]{0,40}",
        "(%[0-9a-fA-F]{2}){0,8}",
        Just("%ff".to_owned()),
        Just("2024-01-17T10:30:45Z".to_owned()),
        Just("desc".to_owned()),
        Just("1".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("error".to_owned()),
        Just(format!("1{}", "0".repeat(40))),
        Just(format!("1{}", "f".repeat(40))),
        Just("auth_failures".to_owned()),
    ];
    prop::collection::vec((name, value), 0..4)
        .prop_map(|all| all.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&"))
}

struct Client<'s> {
    server: &'s TestServer,
    stream: Option<BufReader<StreamOwned<ClientConnection, TcpStream>>>,
}

impl Client<'_> {
    /// The status, and the body, of an answer.
    fn call(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        let stream = self.stream.get_or_insert_with(|| BufReader::new(self.server.raw()));
        // The server may answer before it has read all.
        stream.get_mut().write_all(request).and_then(|()| stream.get_mut().flush()).ok();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_default().parse().unwrap();
        let (mut length, mut close, mut endless) = (0, false, false);
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).unwrap();
            let header = header.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            close |= header == "connection: close";
            endless |= header == "transfer-encoding: chunked";
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        if close || endless {
            self.stream = None;
        }
        (status, body)
    }
}

fn is_answered(status: u16, body: &[u8], what: &[u8]) {
    let what = String::from_utf8_lossy(what);
    assert!(matches!(status, 200 | 400 | 413 | 503), "{status} for {what}");
    if status != 200 {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert!(json["error"]["code"].as_str().is_some_and(|code| code != "internal"), "{what}");
    }
}

#[test]
fn every_body_is_answered_with_a_code() {
    let server = TestServer::start();
    let mut client = Client { server: &server, stream: None };
    for (seed, path) in [(1, "/v1/ingest"), (2, "/v1/batch")] {
        let (mut runner, strategy) = (runner(seed), body());
        for _ in 0..CASES {
            let body = strategy.new_tree(&mut runner).unwrap().current();
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n",
                server.key,
                body.len()
            );
            let (status, answer) = client.call(&[head.as_bytes(), &body].concat());
            is_answered(status, &answer, &body);
        }
    }
    server.post("/v1/ingest", Parts::default().json()).stored(1, 0);
}

#[test]
fn every_query_is_answered_with_a_code() {
    let server = TestServer::start();
    let admin = server.new_key("ops", Scope::Admin);
    server.post("/v1/ingest", entry()).stored(1, 0);
    let mut client = Client { server: &server, stream: None };
    for (seed, path, key, cases) in [
        (3, "/v1/entries", &server.key, CASES),
        (4, "/v1/alerts", &admin, CASES),
        (5, "/v1/tail", &server.key, CASES),
    ] {
        let (mut runner, strategy) = (runner(seed), query());
        for _ in 0..cases {
            let query = strategy.new_tree(&mut runner).unwrap().current();
            let head = format!(
                "GET {path}?{query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n"
            );
            let (status, answer) = client.call(head.as_bytes());
            is_answered(status, &answer, head.as_bytes());
        }
    }
}
