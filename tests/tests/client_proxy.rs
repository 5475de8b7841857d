//! Calls through a proxy: everything goes through it and nothing past it, the key is not shown to it,
//! and its faults are told by its name.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::net::TcpListener;
use std::time::Duration;

use logflux_envelope::{Level, Message, Mode, Node, Sealer, Timestamp};
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply, key};
use logflux_tests::proxy::{Proxy, Verdict};
use logflux_tests::{Place, secret};
use logflux_transport::{Api, CallError, ClientConfig, HttpTimeout, ProxySetting, Route, Trust};

/// The password in every proxy's URL here.
const PASSWORD: &str = "hunter2";

/// Calls by these settings through this proxy.
fn through(settings: &ClientConfig, proxy: &str) -> Api {
    let choice: ProxySetting = proxy.parse().unwrap();
    let route = Route::choose(&settings.endpoint, Some(&choice), &|_| None).unwrap();
    let trust = Trust::from_file(settings.ca_file.as_ref().unwrap()).unwrap();
    let (endpoint, timeout) = (settings.endpoint.clone(), settings.http_timeout);
    Api::new(endpoint, &settings.api_key, trust, route, timeout.get())
}

/// A sealed entry.
fn entry(message: &str) -> String {
    let sealer = Sealer::builder(secret()).mode(Mode::Hkdf).build().unwrap();
    let node = Node::new("n").unwrap();
    let (bytes, timestamp) = (message.as_bytes(), Timestamp::now());
    let message = Message { bytes, node: &node, level: Level::Info, timestamp };
    sealer.seal(message).unwrap().to_json()
}

#[test]
fn a_real_server_is_reached_through_each_kind_of_proxy_and_the_key_is_hidden_from_it() {
    let (place, _running) = Place::new();
    let to = || {
        let server = place.address();
        move |_: &str| Verdict::To(server.clone())
    };
    let user = format!("user:{PASSWORD}@");
    let mut stored = Vec::new();
    for (scheme, user, proxy, asked) in [
        ("http", "", Proxy::http(to()), "CONNECT "),
        (
            "http",
            user.as_str(),
            Proxy::http(to()),
            "Proxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n",
        ),
        ("socks5", "", Proxy::socks(None, to()), "127.0.0.1:"),
        ("socks5h", &user, Proxy::socks(Some(("user", PASSWORD)), to()), "127.0.0.1:"),
    ] {
        let case = format!("{scheme}://{user}");
        let mut settings = place.settings();
        if scheme == "socks5" {
            // It is looked up here.
            settings.endpoint =
                settings.endpoint.url("").replace("127.0.0.1", "localhost").parse().unwrap();
        }
        let api = through(&settings, &format!("{case}{}", proxy.address()));
        let receipt = api.ingest(entry(&case).as_bytes()).unwrap();
        assert_eq!(receipt.data.succeeded, 1, "{case}");
        stored.push(case.clone());
        assert_eq!(logflux_tests::stored(&api), stored);
        let heads = proxy.asked();
        assert!(heads[0].contains(asked) && heads[0].contains(&place.address()), "{heads:?}");
        assert_eq!(proxy.connections(), 1, "{case}: connections are used again");
        assert!(proxy.passed() > 1_000, "{case}: {}", proxy.passed());
        for hidden in [place.key().expose(), "authorization: ", "/v1/ingest"] {
            assert!(!proxy.has_seen(hidden.as_bytes()), "{case}: {hidden} is shown to the proxy");
        }
        assert!(!format!("{:?}{}", api.route(), api.route()).contains(PASSWORD));
    }
}

#[test]
fn a_proxy_may_speak_tls_and_must_then_be_believed() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), Reply::taken);
    let settings = endpoint.settings(&authority);
    let server = endpoint.address().to_owned();
    let to = move |_: &str| Verdict::To(server.clone());
    let good = Proxy::https(authority.good(), to.clone());
    let url = |proxy: &Proxy| format!("https://user:{PASSWORD}@{}", proxy.address());
    through(&settings, &url(&good)).ingest(entry("x").as_bytes()).unwrap();
    assert!(good.asked()[0].contains("Proxy-Authorization: Basic "));
    assert!(good.passed() > 0 && !good.has_seen(key().expose().as_bytes()));

    let before = endpoint.connections();
    for bad in [Authority::new().good(), authority.expired(), authority.wrong_host()] {
        let bad = Proxy::https(bad, to.clone());
        let error = through(&settings, &url(&bad)).version().unwrap_err().to_string();
        assert!(error.contains(&bad.address().to_string()) && error.contains("TLS"), "{error}");
        assert_eq!(bad.asked(), [""; 0], "the credentials are sent to it");
    }
    assert_eq!(endpoint.connections(), before);
}

#[test]
fn the_server_behind_a_proxy_must_be_believed_too() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.wrong_host()), Reply::taken);
    let server = endpoint.address().to_owned();
    let proxy = Proxy::http(move |_| Verdict::To(server.clone()));
    let api = through(&endpoint.settings(&authority), &format!("http://{}", proxy.address()));
    assert!(matches!(api.version(), Err(CallError::Tls(_))));
    assert_eq!(endpoint.bytes().1, 0, "something was sent to it");
}

#[test]
fn a_name_is_looked_up_by_the_proxy_and_not_here() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.wrong_host()), Reply::taken);
    let mut settings = endpoint.settings(&authority);
    // No resolver here knows its address, and its certificate is for this name.
    settings.endpoint = "https://logs.example.com".parse().unwrap();
    let server = endpoint.address().to_owned();
    let to = move |_: &str| Verdict::To(server.clone());
    let (http, socks) = (Proxy::http(to.clone()), Proxy::socks(None, to));
    for proxy in [format!("http://{}", http.address()), format!("socks5h://{}", socks.address())] {
        through(&settings, &proxy).ingest(entry("x").as_bytes()).unwrap();
    }
    assert!(http.asked()[0].starts_with("CONNECT logs.example.com:443 HTTP/1.1\r\n"));
    assert_eq!(socks.asked(), ["logs.example.com:443"]);
}

/// A call through a proxy with a fault, which must be told and not be passed by.
fn fails(scheme: &str, address: &str, sentence: &str) {
    // Where nothing comes, a short time limit ends the call; elsewhere an answer does.
    let seconds = if sentence == "timed out" { 1 } else { 60 };
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), Reply::taken);
    let mut settings = endpoint.settings(&authority);
    settings.http_timeout = HttpTimeout::new(Duration::from_secs(seconds)).unwrap();
    let api = through(&settings, &format!("{scheme}://user:{PASSWORD}@{address}"));
    for error in [api.version().unwrap_err(), api.ingest(entry("x").as_bytes()).unwrap_err()] {
        // Entries wait for as long as the proxy refuses, and are not given up.
        let refuses = matches!(error, CallError::Proxy(_));
        assert!(refuses || matches!(error, CallError::Unreachable(_)), "{error:?}");
        let refusals = ["407", "403", "302", "HTTP proxy", "rules", "user name"];
        assert_eq!(refuses, refusals.iter().any(|refusal| sentence.contains(refusal)), "{error:?}");
        let text = error.to_string();
        let named =
            text.contains(&format!("{scheme}://{address}")) && text.contains("LOGFLUX_PROXY");
        assert!(named && text.contains(sentence), "{sentence:?}: {text}");
        assert!(!text.contains(PASSWORD) && !text.contains('\x1b'), "{text:?}");
    }
    assert_eq!(endpoint.connections(), 0, "{scheme}, {sentence}: a direct connection was made");
}

#[test]
fn a_proxy_that_is_dead_or_refuses_is_named_and_never_passed_by() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for scheme in ["http", "https", "socks5", "socks5h"] {
        fails(scheme, &closed, "refused");
    }
    let status = |line: &'static str| Proxy::http(move |_| Verdict::status(line));
    let says = |bytes: &'static [u8]| Proxy::http(move |_| Verdict::Answer(bytes.to_vec()));
    for (proxy, sentence) in [
        (status("407 Proxy Authentication Required\x1b[2J"), "407"),
        (status("403 Forbidden"), "answered CONNECT with 403"),
        (status("502 Bad Gateway"), "answered CONNECT with 502"),
        (status("302 Found\r\nLocation: http://127.0.0.1/"), "answered CONNECT with 302"),
        (says(b"\x1b[2J\r\n\r\n"), "not answer as an HTTP proxy"),
        (says(b""), "closed the connection"),
        (Proxy::http(|_| Verdict::Hang), "timed out"),
    ] {
        fails("http", &proxy.address().to_string(), sentence);
        assert!(proxy.connections() >= 2);
    }
    let socks = |reply: u8| {
        Proxy::socks(Some(("user", PASSWORD)), move |_| {
            Verdict::Answer(vec![5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
        })
    };
    for (proxy, sentence) in [
        (socks(2), "rules"),
        (socks(5), "cannot reach the server: the connection is refused"),
        (Proxy::socks(Some(("user", "another")), |_| Verdict::Hang), "user name or the password"),
        (Proxy::socks(None, |_| Verdict::Hang), "timed out"),
    ] {
        fails("socks5h", &proxy.address().to_string(), sentence);
    }
}
