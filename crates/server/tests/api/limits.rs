//! How often anybody may ask, seen from outside.

use std::time::{SystemTime, UNIX_EPOCH};

use logflux_server::{Rates, Scope, ServerConfig};

use crate::common::{Answer, TestServer, entry};

fn limited(per_key: u32, per_address: u32, proxies: &[&str]) -> TestServer {
    TestServer::with(|config: &mut ServerConfig| {
        config.rates = Rates::default();
        config.rates.per_key = per_key;
        config.rates.per_address = per_address;
        config.rates.trusted_proxies = proxies.iter().map(|net| net.parse().unwrap()).collect();
    })
}

/// The limit and what is left of it, as an answer tells.
fn told(answer: &Answer) -> (u64, u64) {
    let number = |name| answer.header(name).unwrap().parse::<u64>().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let reset = number("x-ratelimit-reset");
    assert!((now..=now + 62).contains(&reset), "{reset} at {now}");
    (number("x-ratelimit-limit"), number("x-ratelimit-remaining"))
}

fn refused(answer: &Answer) {
    let error = answer.error(429, "rate_limited");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(error["retry_after"].as_u64(), Some(wait));
    assert_eq!(told(answer).1, 0);
}

#[test]
fn an_address_has_its_requests_and_no_more_whatever_it_asks() {
    let server = limited(100, 6, &[]);
    let get = |path| server.send("GET", path, &[], b"");
    assert_eq!(told(&get("/health")), (6, 5));
    assert_eq!(told(&get("/version")), (6, 4));
    assert_eq!(told(&get("/nothing")), (6, 3));
    assert_eq!(told(&get("/v1/entries")), (6, 2));
    assert_eq!(told(&server.post("/v1/ingest", entry())), (6, 1));
    // What is no HTTP counts as well, and is told so.
    let bare = server.raw_answer(b"nonsense\r\n\r\n").to_lowercase();
    assert!(bare.starts_with("http/1.1 400 "), "{bare}");
    assert!(bare.contains("x-ratelimit-limit: 6\r\nx-ratelimit-remaining: 0\r\n"), "{bare}");
    refused(&get("/health"));
    refused(&server.post("/v1/ingest", entry()));
    // A stranger may not speak for another.
    refused(&server.send("GET", "/health", &[("x-forwarded-for", "192.0.2.1")], b""));
}

#[test]
fn a_key_has_its_requests_wherever_it_sends_from_and_nothing_above_is_stored() {
    let server = limited(3, 100, &["127.0.0.0/8"]);
    let send = |key: &str, from: &str| {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("x-forwarded-for", from),
        ];
        server.send("POST", "/v1/ingest", &headers, entry())
    };
    for (left, from) in [(2, "192.0.2.1"), (1, "192.0.2.2"), (0, "2001:db8::1")] {
        let answer = send(&server.key, from);
        answer.stored(1, 0);
        assert_eq!(told(&answer), (3, left));
    }
    refused(&send(&server.key, "192.0.2.4"));
    // Another key of the same tenant has its own, and so has the address.
    let other = server.new_key("acme", Scope::Admin);
    send(&other, "192.0.2.1").stored(1, 0);
    assert_eq!(server.get_with(&other, "/v1/entries").entries().len(), 4);
    // A key that is refused is not counted.
    let reader = server.new_key("acme", Scope::Read);
    send(&reader, "192.0.2.1").error(403, "forbidden");
    assert_eq!(told(&server.get_with(&reader, "/v1/entries")), (3, 2));
}

#[test]
fn behind_a_trusted_proxy_everybody_counts_for_themselves() {
    let server = limited(100, 2, &["127.0.0.1/32"]);
    let from =
        |forwarded: &str| server.send("GET", "/health", &[("x-forwarded-for", forwarded)], b"");
    for _ in 0..2 {
        assert_eq!(from("192.0.2.1").status, 200);
    }
    refused(&from("192.0.2.1"));
    // What a client claims for itself stands to the left.
    refused(&from("198.51.100.1, 192.0.2.1"));
    assert_eq!(from("192.0.2.2").status, 200);
    // IPv6 counts by 64 bits.
    assert_eq!(from("2001:db8:1:2::1").status, 200);
    assert_eq!(from("2001:db8:1:2:ffff::2").status, 200);
    refused(&from("2001:db8:1:2::3"));
    assert_eq!(from("2001:db8:1:3::1").status, 200);
}

#[test]
fn the_tighter_window_is_told_and_without_a_limit_nothing_is() {
    let server = limited(2, 5, &[]);
    let get = || server.get("/v1/entries");
    assert_eq!([told(&get()), told(&get())], [(2, 1), (2, 0)]);
    refused(&get());
    assert_eq!(told(&server.send("GET", "/health", &[], b"")), (5, 1));
    let free = limited(0, 0, &[]);
    assert_eq!(free.get("/v1/entries").header("x-ratelimit-limit"), None);
}

#[test]
fn the_limits_are_those_of_the_protocol_and_change_while_it_runs() {
    let mut config = None;
    let server = TestServer::with(|changed| {
        changed.rates = Rates::default();
        config = Some(changed.clone());
    });
    let get = || told(&server.get("/v1/entries"));
    assert_eq!(get(), (60, 59));
    let mut config = config.unwrap();
    config.rates.per_address = 1_000;
    let reloader = server.running.as_ref().unwrap().reloader();
    assert!(reloader.reload(config.clone()).unwrap().is_empty());
    assert_eq!(get(), (600, 598), "what was counted stays");
    config.rates.per_key = 7;
    config.limits.batch = 2;
    config.timeouts.header *= 2;
    assert_eq!(reloader.reload(config.clone()).unwrap(), ["timeouts.header"]);
    assert_eq!(get(), (7, 4));
    let three = format!("[{},{},{}]", entry(), entry(), entry());
    server.post("/v1/ingest", three).error(413, "batch_too_large");

    // A certificate that is unusable changes nothing.
    config.tls.cert = server.data().join("missing.pem");
    config.rates.per_key = 1;
    assert!(reloader.reload(config).is_err());
    assert_eq!(get(), (7, 2));
}
