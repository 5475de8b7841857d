//! `doctor` finds what is wrong and says what to mend.

use crate::run::logflux;
use crate::server::Server;

#[test]
fn all_is_well_with_a_good_server_and_nothing_secret_is_shown() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let ended = server.call(&key, &["doctor"]).run();
    assert_eq!(ended.status, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.matches("ok ").count(), 5, "{}", ended.stdout);
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
        assert!(
            ended.stdout.contains(fault) && ended.stdout.contains("mend: "),
            "{}",
            ended.stdout
        );
        assert!(!ended.stdout.contains(wrong), "{}", ended.stdout);
    }
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
