//! `doctor` finds what is wrong and says how to fix it.

use crate::run::logflux;
use crate::server::Server;

#[test]
fn all_is_well_with_a_good_server_and_nothing_secret_is_shown() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let ended = server.call(&key, &["doctor"]).run();
    assert_eq!(ended.status, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.matches("ok ").count(), 6, "{}", ended.stdout);
    assert!(!ended.stdout.contains(&key) && !ended.stdout.contains(crate::run::SECRET));
    // Nothing was stored by it.
    assert_eq!(server.call(&key, &["query"]).run().ok(), "");
}

#[test]
fn every_fault_has_a_remedy() {
    let server = Server::start();
    let key = server.key("ingest");
    let wrong = "lf_0123456789abcdefABCDEF0123456789";
    for (call, fault) in [
        (logflux(&["doctor"]), "LOGFLUX_SERVER_URL is not set"),
        (server.call(&key, &["doctor"]).without("LOGFLUX_CA_FILE"), "LOGFLUX_CA_FILE"),
        (server.call(&key, &["doctor"]).env("LOGFLUX_CA_FILE", "/nowhere"), "/nowhere"),
        (server.call(&key, &["doctor", "--server-url", "https://127.0.0.1:1"]), "logflux serve"),
        (server.call(wrong, &["doctor"]), "logflux keys create"),
        (server.call(&key, &["doctor"]).without("LOGFLUX_SECRET"), "logflux keygen"),
    ] {
        let ended = call.run();
        assert_eq!(ended.status, 1, "{}", ended.stdout);
        assert!(ended.stdout.contains(fault) && ended.stdout.contains("fix: "), "{}", ended.stdout);
        assert!(!ended.stdout.contains(wrong), "{}", ended.stdout);
    }
}

#[test]
fn the_authorities_of_the_operating_system_are_trusted_where_that_is_asked_for() {
    let server = Server::start();
    let key = server.key("ingest");
    let doctor =
        || server.call(&key, &["doctor"]).env("LOGFLUX_CA_FILE", "system").without("SSL_CERT_DIR");
    let ended = doctor().env("SSL_CERT_FILE", server.ca()).run();
    assert_eq!(ended.status, 0, "{}", ended.stdout);
    let none = server.folder.path().join("none.pem");
    std::fs::write(&none, "").unwrap();
    let ended = doctor().env("SSL_CERT_FILE", &none).run();
    assert_eq!(ended.status, 1);
    assert!(ended.stdout.contains("the operating system has no authorities"), "{}", ended.stdout);
    // A file of this name can be named.
    std::fs::copy(server.ca(), server.folder.path().join("system")).unwrap();
    let ended = doctor().env("LOGFLUX_CA_FILE", "./system").env("SSL_CERT_FILE", &none).run();
    assert_eq!(ended.status, 0, "{}", ended.stdout);
}

#[test]
fn json_is_one_check_a_line() {
    let ended = logflux(&["doctor", "--format", "json"]).run();
    let checks: Vec<serde_json::Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(checks[0]["ok"], true);
    assert_eq!(checks[1]["ok"], false);
    assert_eq!(ended.status, 1);
}

#[test]
fn the_proxy_and_the_variable_that_chose_it_are_shown_without_credentials() {
    let server = Server::start();
    let key = server.key("ingest");
    let elsewhere = "https://logs.invalid";
    for (url, variable, value, shown) in [
        (None, "LOGFLUX_PROXY", "none", "none (LOGFLUX_PROXY)"),
        (None, "HTTPS_PROXY", "http://u:hunter2@p", "none: the server is on this machine"),
        (
            None,
            "LOGFLUX_PROXY",
            "http://u:hunter2@127.0.0.1:1",
            "http://127.0.0.1:1 (LOGFLUX_PROXY)",
        ),
        (
            Some(elsewhere),
            "ALL_PROXY",
            "http://u:hunter2@127.0.0.1:1",
            "http://127.0.0.1:1 (ALL_PROXY)",
        ),
        (
            Some(elsewhere),
            "https_proxy",
            "socks4://u:hunter2@p",
            "https_proxy: proxy scheme \"socks4\"",
        ),
        (Some(elsewhere), "LOGFLUX_PROXY", "http://u:hunter2@", "LOGFLUX_PROXY: proxy URL"),
    ] {
        let mut call = server.call(&key, &["doctor"]).env(variable, value);
        for usual in
            ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
        {
            if usual != variable {
                call = call.without(usual);
            }
        }
        if let Some(url) = url {
            call = call.env("LOGFLUX_SERVER_URL", url);
        }
        let ended = call.run();
        let line = ended.stdout.lines().find(|line| line.contains(" proxy ")).unwrap();
        assert!(line.contains(shown), "{}", ended.stdout);
        assert!(!ended.stdout.contains("hunter2") && !ended.stderr.contains("hunter2"));
        // None of these falls back to a direct connection.
        assert_eq!(ended.status == 0, shown.starts_with("none"), "{}", ended.stdout);
    }
}
