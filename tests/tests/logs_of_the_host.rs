//! The host's own log sees everything that the crates below the client write, at the level TRACE.
//! Neither the API key nor a proxy's password is in any of it, however a call ends.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};
use logflux_envelope::{Level, Mode};
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply};
use logflux_tests::proxy::{Proxy, Verdict};
use logflux_tests::{Place, closed, secret};
use logflux_transport::{Api, Client, ClientConfig, ProxySetting, Route, Trust};
use logflux_wire::ApiKey;
use logflux_wire::query::Query;

const KEY: &str = "lf_q7Xv2mTz9KpL4wRb8NcYd3GhS6jF5aUe";
const USER: &str = "proxy-user";
const PASSWORD: &str = "Mellon-1954_speak-friend-and-enter";
/// `USER:PASSWORD` in base64, as CONNECT has it.
const PAIR: &str = "cHJveHktdXNlcjpNZWxsb24tMTk1NF9zcGVhay1mcmllbmQtYW5kLWVudGVy";

/// Keeps every line that is logged in this process.
struct Everything(Mutex<Vec<String>>);

impl Log for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}: {}", record.level(), record.target(), record.args());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

static LOGGED: Everything = Everything(Mutex::new(Vec::new()));

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 of whole groups of three bytes.
fn base64(bytes: &[u8]) -> Vec<u8> {
    let groups = bytes.chunks_exact(3);
    let bits =
        groups.map(|group| group.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)));
    bits.flat_map(|bits| [18, 12, 6, 0].map(|shift| DIGITS[bits >> shift & 63])).collect()
}

/// Pieces of secrets, each short enough for the 16 bytes that a line of a dump has.
struct Pieces {
    plain: HashSet<Vec<u8>>,
    hex: HashSet<Vec<u8>>,
    base64: HashSet<Vec<u8>>,
}

impl Pieces {
    fn of(secrets: &[&str]) -> Self {
        let pieces = |length: usize| secrets.iter().flat_map(move |s| s.as_bytes().windows(length));
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self {
            plain: pieces(8).map(<[u8]>::to_vec).collect(),
            hex: pieces(6).map(|piece| hex(piece).into_bytes()).collect(),
            base64: pieces(9).map(base64).collect(),
        }
    }

    fn is_in(&self, line: &str) -> bool {
        // Dumps have spaces between the bytes.
        let dense: Vec<u8> = line.bytes().filter(|byte| *byte != b' ').collect();
        let lower = dense.to_ascii_lowercase();
        let has = |text: &[u8], pieces: &HashSet<Vec<u8>>| {
            let length = pieces.iter().next().unwrap().len();
            text.windows(length).any(|window| pieces.contains(window))
        };
        has(line.as_bytes(), &self.plain)
            || has(&dense, &self.plain)
            || has(&lower, &self.hex)
            || has(&dense, &self.base64)
    }
}

/// Calls by these settings; through this proxy, where there is one.
fn api(settings: &ClientConfig, proxy: Option<&str>) -> Api {
    let choice: Option<ProxySetting> = proxy.map(|proxy| proxy.parse().unwrap());
    let route = Route::choose(&settings.endpoint, choice.as_ref(), &|_| None).unwrap();
    let trust = Trust::from_file(settings.ca_file.as_ref().unwrap()).unwrap();
    let (endpoint, timeout) = (settings.endpoint.clone(), settings.http_timeout);
    Api::new(endpoint, &settings.api_key, trust, route, timeout.get())
}

/// Makes every kind of call. What becomes of it is no matter here.
fn call_everything(api: &Api) {
    let _ = api.version();
    let _ = api.check_key();
    let _ = api.ingest(b"[]");
    let _ = api.query(&Query::default());
    let _ = api.alerts(None, None, 1);
    let _ = api.tail(&Query::default(), Some("x"));
}

/// Logs a few messages, and gives how many were dropped.
fn log_some(settings: &ClientConfig) -> u64 {
    let client = Client::builder(settings.clone(), secret()).mode(Mode::Hkdf).build().unwrap();
    for message in ["one", "two", "three"] {
        client.log(Level::Info, message);
    }
    closed(&client)
}

#[test]
fn neither_the_key_nor_a_password_is_in_any_line_of_the_hosts_log() {
    log::set_logger(&LOGGED).map(|()| log::set_max_level(LevelFilter::Trace)).unwrap();

    // A real server, with every call it has.
    let (place, _running) = Place::new();
    assert_eq!(log_some(&place.settings()), 0);
    let real = place.api();
    assert_eq!(place.stored(), ["one", "two", "three"]);
    real.version().unwrap();
    real.check_key().unwrap();
    let mut tail = real.tail(&Query::default(), None).unwrap();
    assert_eq!(log_some(&place.settings()), 0);
    tail.next().unwrap().unwrap().unwrap();
    call_everything(&real);

    // Servers that take entries, refuse the key, redirect, fail, or cannot be believed.
    let key: ApiKey = KEY.parse().unwrap();
    let authority = Authority::new();
    let settings_for = |endpoint: &Endpoint| {
        let mut settings = endpoint.settings(&authority);
        settings.api_key = key.clone();
        settings
    };
    let good = Endpoint::start(Manner::Tls(authority.good()), Reply::taken);
    assert_eq!(log_some(&settings_for(&good)), 0);
    assert_eq!(good.requests()[0].header("Authorization"), Some(&*format!("Bearer {KEY}")));
    for reply in [
        Reply::refusal(401, "unauthorized", "no such key"),
        Reply::refusal(401, "unauthorized", &format!("{KEY} is no key")).with("X-Key", KEY),
        Reply::status(308, &[("Location", "https://localhost:1/")]),
        Reply::status(500, &[]),
        Reply::Lost,
        Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nnot".to_vec()),
    ] {
        let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |_| reply.clone());
        call_everything(&api(&settings_for(&endpoint), None));
    }
    let bad = Endpoint::start(Manner::Tls(authority.expired()), Reply::taken);
    call_everything(&api(&settings_for(&bad), None));
    let plain = Endpoint::start(Manner::Plain, Reply::taken);
    let url = format!("http://{}", plain.address());
    let mut settings = settings_for(&plain);
    settings.endpoint = logflux_transport::Endpoint::allowing_plain_loopback(&url).unwrap();
    call_everything(&api(&settings, None));
    assert!(plain.has_seen(KEY.as_bytes()));

    // Proxies that want a password, and let the calls through or not.
    let settings = settings_for(&good);
    let server = good.address().to_owned();
    let to = move |_: &str| Verdict::To(server.clone());
    for (scheme, proxy) in [
        ("http", Proxy::http(to.clone())),
        ("https", Proxy::https(authority.good(), to.clone())),
        ("socks5", Proxy::socks(Some((USER, PASSWORD)), to.clone())),
        ("socks5h", Proxy::socks(Some((USER, PASSWORD)), to)),
        ("http", Proxy::http(|_| Verdict::status("407 Proxy Authentication Required"))),
        ("socks5", Proxy::socks(Some((USER, "another")), |_| Verdict::Hang)),
    ] {
        let url = format!("{scheme}://{USER}:{PASSWORD}@{}", proxy.address());
        call_everything(&api(&settings, Some(&url)));
        assert!(proxy.connections() > 0, "{url}");
    }

    let lines = std::mem::take(&mut *LOGGED.0.lock().unwrap());
    // The dump of a request is among them.
    assert!(lines.iter().any(|line| line.contains("/v1/ingest")), "{} lines", lines.len());
    let random = |key: &ApiKey| key.expose()[ApiKey::PREFIX.len()..].to_owned();
    let pieces = Pieces::of(&[&random(&key), &random(place.key()), PASSWORD, PAIR]);
    let leaks: Vec<_> = lines.iter().filter(|line| pieces.is_in(line)).collect();
    assert!(leaks.is_empty(), "{} of {} lines:\n{leaks:#?}", leaks.len(), lines.len());
}

#[test]
fn secrets_are_found_in_each_form() {
    let pieces = Pieces::of(&["q7Xv2mTz9KpL4wRb8NcYd3GhS6jF5aUe"]);
    for line in [
        "x 9KpL4wRb y",
        "TRACE 7137 5876 326d 547a 394b  q7Xv2mTz9K",
        "7137587632",
        "cTdYdjJtVHo5S3BM",
        "71 37 58 76 32 6D",
    ] {
        let expected = line != "7137587632";
        assert_eq!(pieces.is_in(line), expected, "{line}");
    }
    assert!(!pieces.is_in("Bearer lf_********************************"));
    let pair = [USER, ":", PASSWORD].concat();
    let whole = pair.len() / 3 * 3;
    assert!(PAIR.as_bytes().starts_with(&base64(&pair.as_bytes()[..whole])));
}
