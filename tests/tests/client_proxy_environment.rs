//! Which proxy a process uses is said by its environment: with curl's precedence, never silently
//! direct, and never with a password in an error.

#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply, key};
use logflux_tests::logflux;
use logflux_tests::proxy::{Proxy, Verdict};

/// The variables that a test sets, and no other.
const VARIABLES: [&str; 9] = [
    "LOGFLUX_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "http_proxy",
    "HTTP_PROXY",
];

/// Pipes one line to the server of this name, whose certificate this authority has signed.
fn pipe(authority: &Authority, url: &str, variables: &[(&str, String)]) -> Output {
    let mut command = Command::new(logflux().unwrap());
    for name in VARIABLES {
        command.env_remove(name);
    }
    let mut process = command
        .args(["pipe", "--close-timeout", "60s"])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .env("LOGFLUX_SERVER_URL", url)
        .env("LOGFLUX_API_KEY", key().expose())
        .env("LOGFLUX_CA_FILE", authority.file())
        .env("LOGFLUX_SECRET", "correct horse battery staple")
        .env("LOGFLUX_NODE", "n")
        .env("LOGFLUX_MAX_RETRIES", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may refuse its settings, and not read.
    let _ = process.stdin.take().unwrap().write_all(b"line\n");
    process.wait_with_output().unwrap()
}

/// A server that no resolver knows, two proxies to it, and one that leads nowhere.
struct World {
    authority: Authority,
    endpoint: Endpoint,
    first: Proxy,
    second: Proxy,
}

const SERVER: &str = "https://logs.example.com";

impl World {
    fn new() -> Self {
        let authority = Authority::new();
        // Its certificate is for that name.
        let endpoint = Endpoint::start(Manner::Tls(authority.wrong_host()), Reply::taken);
        let server = endpoint.address().to_owned();
        let to = move |_: &str| Verdict::To(server.clone());
        Self { authority, endpoint, first: Proxy::http(to.clone()), second: Proxy::http(to) }
    }

    fn counts(&self) -> [usize; 3] {
        [self.first.connections(), self.second.connections(), self.endpoint.requests().len()]
    }

    /// Through which proxies a line went: how many connections each had, and requests the server.
    fn pipe(&self, variables: &[(&str, &str)]) -> ([usize; 3], String) {
        let value = |text: &str| {
            let address = |proxy: &Proxy| format!("user:hunter2@{}", proxy.address());
            text.replace("FIRST", &address(&self.first)).replace("SECOND", &address(&self.second))
        };
        let variables: Vec<_> = variables.iter().map(|(name, text)| (*name, value(text))).collect();
        let before = self.counts();
        let output = pipe(&self.authority, SERVER, &variables);
        let after = self.counts();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("hunter2"), "{told}");
        let [first, second, server] =
            [0, 1, 2].map(|at| after.get(at).unwrap() - before.get(at).unwrap());
        assert_eq!(output.status.success(), server == 1, "{variables:?}: {told}");
        ([first, second, server], told)
    }
}

#[test]
fn the_variables_choose_the_proxy_as_they_do_for_curl() {
    let world = World::new();
    for variables in [
        [("https_proxy", "http://FIRST"), ("HTTPS_PROXY", "http://SECOND")].as_slice(),
        &[("HTTPS_PROXY", "http://FIRST"), ("all_proxy", "http://SECOND")],
        &[("all_proxy", "FIRST"), ("ALL_PROXY", "http://SECOND")],
        &[("https_proxy", ""), ("ALL_PROXY", "http://FIRST/")],
        &[("ALL_PROXY", "http://FIRST"), ("http_proxy", "http://SECOND")],
        &[("LOGFLUX_PROXY", "http://FIRST"), ("https_proxy", "http://SECOND")],
        &[("LOGFLUX_PROXY", "http://FIRST"), ("NO_PROXY", "*")],
        &[("HTTPS_PROXY", "http://FIRST"), ("NO_PROXY", "other.com, localhost, ample.com")],
    ] {
        assert_eq!(world.pipe(variables).0, [1, 0, 1], "{variables:?}");
    }
}

#[test]
fn without_a_proxy_for_it_the_server_is_called_directly() {
    let world = World::new();
    for variables in [
        [("http_proxy", "http://FIRST")].as_slice(),
        &[("HTTP_PROXY", "http://FIRST")],
        &[("HTTPS_PROXY", "http://FIRST"), ("LOGFLUX_PROXY", "none")],
        &[("HTTPS_PROXY", "http://FIRST"), ("NO_PROXY", "a.org, .example.com ")],
        &[
            ("HTTPS_PROXY", "http://FIRST"),
            ("no_proxy", "a.org example.com"),
            ("NO_PROXY", "b.org"),
        ],
        &[("ALL_PROXY", "http://FIRST"), ("NO_PROXY", "*")],
    ] {
        // The name is not known here, and so a direct call fails.
        let (counts, told) = world.pipe(variables);
        assert_eq!(counts, [0, 0, 0], "{variables:?}");
        assert!(!told.contains("proxy"), "{told}");
    }
}

#[test]
fn a_variable_that_cannot_be_used_is_named_and_nothing_is_called() {
    let world = World::new();
    for (variable, value) in [
        ("LOGFLUX_PROXY", "socks4://FIRST"),
        ("https_proxy", "ftp://FIRST"),
        ("HTTPS_PROXY", "http://user:hunter2@"),
        ("all_proxy", "http://FIRST:99"),
        ("ALL_PROXY", "http://user:hunter2%@127.0.0.1:1"),
    ] {
        let (counts, told) = world.pipe(
            &[(variable, value), ("ALL_PROXY", "http://SECOND")]
                [..if variable == "ALL_PROXY" { 1 } else { 2 }],
        );
        assert_eq!(counts, [0, 0, 0], "{variable}={value}");
        assert!(told.contains(&format!("{variable}: proxy ")), "{variable}={value}: {told}");
        assert_eq!(world.endpoint.connections(), 0);
    }
}

#[test]
fn a_server_on_this_machine_needs_no_proxy_but_takes_one_of_our_own_variable() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), Reply::taken);
    let server = endpoint.address().to_owned();
    let proxy = Proxy::http(move |_| Verdict::To(server.clone()));
    let url = format!("https://{}", endpoint.address());
    let through = format!("http://{}", proxy.address());
    for (variable, connections) in [("HTTPS_PROXY", 0), ("ALL_PROXY", 0), ("LOGFLUX_PROXY", 1)] {
        let output = pipe(&authority, &url, &[(variable, through.clone())]);
        assert!(output.status.success(), "{variable}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(proxy.connections(), connections, "{variable}");
    }
    assert_eq!(endpoint.requests().len(), 3);
}
