//! The monitors, provoked from outside: `GET /metrics` and `GET /v1/alerts`.

use std::time::{Duration, Instant};

use logflux_server::{Scope, ServerConfig};
use serde_json::Value;

use crate::common::{Parts, TestServer, array, entries, entry};

struct Watched {
    server: TestServer,
    admin: String,
}

impl Watched {
    fn with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let server = TestServer::with(change);
        let admin = server.new_key("acme", Scope::Admin);
        Self { server, admin }
    }

    fn alerts(&self, query: &str) -> Vec<Value> {
        let answer = self.server.get_with(&self.admin, &format!("/v1/alerts{query}"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["data"]["alerts"].as_array().unwrap().clone()
    }

    /// Waits for the first alert of a kind.
    fn alert(&self, kind: &str) -> Value {
        let began = Instant::now();
        loop {
            if let Some(alert) = self.alerts(&format!("?kind={kind}")).first() {
                return alert.clone();
            }
            assert!(began.elapsed() < Duration::from_secs(20), "no {kind}: {:?}", self.alerts(""));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn metrics(&self) -> String {
        let answer = self.server.get_with(&self.admin, "/metrics");
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
        answer.text
    }

    /// The value of a series, written as it stands in the text.
    fn metric(&self, series: &str) -> f64 {
        let text = self.metrics();
        let line = text.lines().find(|line| line.starts_with(series)).unwrap_or_else(|| {
            panic!("{series} is not in\n{text}");
        });
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    }
}

#[test]
fn repeated_failures_to_authenticate_are_an_alert() {
    let watched = Watched::with(|config| config.monitor.auth_failures.count = 3);
    let unknown = format!("lf_{}", "Unknown1".repeat(4));
    for _ in 0..2 {
        watched.server.post_with(&unknown, "/v1/ingest", entry()).error(401, "unauthorized");
    }
    assert_eq!(watched.alerts(""), Vec::<Value>::new());
    watched.server.send("GET", "/v1/entries", &[], b"").error(401, "unauthorized");
    let alert = watched.alert("auth_failures");
    assert_eq!((&alert["address"], &alert["details"]["count"]), (&"127.0.0.1".into(), &3.into()));
    assert!(alert.get("key").is_none() && alert["id"] == 1, "{alert}");
    assert!(!alert.to_string().contains("Unknown"));
    // Told once, however often it goes on.
    for _ in 0..5 {
        watched.server.send("GET", "/v1/entries", &[], b"").error(401, "unauthorized");
    }
    assert_eq!(watched.metric("logflux_alerts_total{kind=\"auth_failures\"}"), 1.0);
    assert_eq!(watched.metric("logflux_refusals_total{code=\"unauthorized\"}"), 8.0);
}

#[test]
fn a_limit_that_is_near_is_an_alert_and_so_is_one_that_is_exceeded() {
    let watched = Watched::with(|config| config.rates.per_key = 10);
    for _ in 0..7 {
        watched.server.post("/v1/ingest", entry()).stored(1, 0);
    }
    assert_eq!(watched.alerts(""), Vec::<Value>::new());
    watched.server.post("/v1/ingest", entry()).stored(1, 0);
    let near = watched.alert("limit_near");
    assert_eq!((&near["details"]["used"], &near["details"]["limit"]), (&8.into(), &10.into()));
    assert_eq!(near["tenant"], "acme", "{near}");
    for _ in 0..2 {
        watched.server.post("/v1/ingest", entry()).stored(1, 0);
    }
    watched.server.post("/v1/ingest", entry()).error(429, "rate_limited");
    let exceeded = watched.alert("limit_exceeded");
    assert_eq!(exceeded["key"], near["key"], "{exceeded}");
    assert_eq!(watched.metric("logflux_limit_hits_total{whose=\"key\"}"), 1.0);
}

#[test]
fn unusual_use_is_an_alert_against_the_keys_own_past() {
    let watched = Watched::with(|config| {
        let rule = &mut config.monitor.unusual_use;
        rule.window = Duration::from_millis(200);
        rule.history = Duration::from_millis(1_200);
        (rule.factor, rule.least) = (5, 60);
    });
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1_500) {
        watched.server.post("/v1/ingest", entry()).stored(1, 0);
        std::thread::sleep(Duration::from_millis(40));
    }
    assert_eq!(watched.alerts(""), Vec::<Value>::new());
    watched.server.post("/v1/batch", array(&entries(100))).stored(100, 0);
    let alert = watched.alert("unusual_use");
    assert!(alert["key"].as_str().unwrap().starts_with("key_"), "{alert}");
    assert_eq!(alert["tenant"], "acme");
    assert!(alert["details"]["entries"].as_u64().unwrap() >= 100, "{alert}");
    assert!(alert["details"]["usual"].as_f64().unwrap() < 20.0, "{alert}");
}

#[test]
fn large_payloads_are_an_alert_whether_taken_or_refused() {
    let watched = Watched::with(|config| {
        config.monitor.large_payload.size = "10kB".parse().unwrap();
        config.monitor.quiet = Duration::ZERO;
    });
    let sized = |size| Parts { payload: vec![200; size], ..Parts::default() }.json();
    watched.server.post("/v1/ingest", sized(7_000)).stored(1, 0);
    assert_eq!(watched.alerts(""), Vec::<Value>::new());
    watched.server.post("/v1/ingest", sized(7_600)).stored(1, 0);
    let alert = watched.alert("large_payload");
    assert!(alert["message"].as_str().unwrap().contains("10136"), "{alert}");
    let too_large =
        entry().replacen("\"payload\":\"", &format!("\"payload\":\"{}", "A".repeat(1 << 20)), 1);
    watched.server.post("/v1/ingest", too_large).error(413, "payload_too_large");
    let began = Instant::now();
    while !watched.alert("large_payload")["message"].as_str().unwrap().contains("too large") {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_reused_nonce_is_an_alert() {
    let watched = Watched::with(|_| {});
    let one = Parts::default();
    let other = Parts { payload: vec![1; 64], ..one.clone() };
    watched.server.post("/v1/ingest", one.json()).stored(1, 0);
    watched.server.post("/v1/ingest", other.json()).error(400, "nonce_reused");
    let alert = watched.alert("nonce_reused");
    assert_eq!(alert["details"]["count"], 1, "{alert}");
    assert_eq!(watched.metric("logflux_entries_refused_total{code=\"nonce_reused\"}"), 1.0);
}

#[test]
fn many_invalid_payloads_are_an_alert() {
    let watched = Watched::with(|config| config.monitor.invalid_payloads.count = 5);
    watched.server.post("/v1/ingest", "{").error(400, "invalid_json");
    let batch = [entry(), "{}".to_owned(), "{}".to_owned(), "{}".to_owned()];
    assert_eq!(watched.server.post("/v1/batch", array(&batch)).status, 200);
    assert_eq!(watched.alerts(""), Vec::<Value>::new());
    watched.server.post("/v1/ingest", "{}").error(400, "invalid_entry");
    assert_eq!(watched.alert("invalid_payloads")["details"]["count"], 5);
}

#[test]
fn a_rule_that_is_off_tells_nothing() {
    let watched = Watched::with(|config| {
        config.monitor.auth_failures.count = 1;
        config.monitor.auth_failures.enabled = false;
    });
    watched.server.send("GET", "/v1/entries", &[], b"").error(401, "unauthorized");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(watched.alerts(""), Vec::<Value>::new());
}

#[test]
fn alerts_are_filtered_and_kept_over_a_restart_and_for_admins_alone() {
    let watched = Watched::with(|config| {
        config.monitor.auth_failures.count = 1;
        config.monitor.quiet = Duration::ZERO;
        config.monitor.keep = 3;
    });
    for _ in 0..5 {
        watched.server.send("GET", "/v1/entries", &[], b"").error(401, "unauthorized");
    }
    let began = Instant::now();
    while watched.alerts("").first().is_none_or(|newest| newest["id"] != 5) {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    let ids = |query: &str| -> Vec<i64> {
        watched.alerts(query).iter().map(|alert| alert["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(""), [5, 4, 3], "the newest first, and no more than are kept");
    assert_eq!(ids("?limit=1"), [5]);
    assert_eq!(ids("?kind=unusual_use"), [0; 0]);
    assert_eq!(ids("?since=2020-01-01T00:00:00Z&kind=auth_failures"), [5, 4, 3]);
    assert_eq!(ids("?since=2100-01-01T00:00:00Z"), [0; 0]);
    for bad in ["?limit=0", "?limit=1001", "?kind=x", "?since=now", "?x=1", "?limit=1&limit=1"] {
        watched
            .server
            .get_with(&watched.admin, &format!("/v1/alerts{bad}"))
            .error(400, "invalid_query");
    }
    for path in ["/v1/alerts", "/metrics"] {
        watched.server.get(path).error(403, "forbidden");
        watched.server.send("GET", path, &[], b"").error(401, "unauthorized");
    }
    // Another process reads them from the data folder.
    let alerts = logflux_server::monitor::Alerts::open(watched.server.data()).unwrap();
    let filter = logflux_server::monitor::AlertFilter::default();
    assert!(alerts.list(&filter).unwrap().alerts.len() == 3);
}

#[test]
fn the_metrics_count_what_happened_and_name_no_key() {
    let watched = Watched::with(|_| {});
    watched.server.post("/v1/batch", array(&entries(3))).stored(3, 0);
    let again = entry();
    watched.server.post("/v1/ingest", &again).stored(1, 0);
    watched.server.post("/v1/ingest", &again).stored(1, 1);
    watched.server.post("/v1/ingest", "{").error(400, "invalid_json");
    watched.server.get("/no/such/path/hunter2").error(404, "not_found");
    for (series, value) in [
        ("logflux_requests_total{route=\"/v1/ingest\",status=\"200\"}", 2.0),
        ("logflux_requests_total{route=\"/v1/ingest\",status=\"400\"}", 1.0),
        ("logflux_requests_total{route=\"none\",status=\"404\"}", 1.0),
        ("logflux_refusals_total{code=\"invalid_json\"}", 1.0),
        ("logflux_entries_received_total", 5.0),
        ("logflux_entries_stored_total", 4.0),
        ("logflux_entries_duplicate_total", 1.0),
        ("logflux_commit_seconds_count", 3.0),
        ("logflux_request_seconds_count{route=\"/v1/batch\"}", 1.0),
        ("logflux_request_seconds_bucket{route=\"/v1/batch\",le=\"+Inf\"}", 1.0),
        ("logflux_queue_requests", 0.0),
        ("logflux_tails", 0.0),
        ("logflux_store_newest", 4.0),
    ] {
        assert_eq!(watched.metric(series), value, "{series}");
    }
    assert!(watched.metric("logflux_bytes_received_total") > 500.0);
    let text = watched.metrics();
    assert!(
        text.contains("logflux_key_requests_total{key=\"key_") && text.contains("tenant=\"acme\"")
    );
    let used = text.lines().find(|l| l.starts_with("logflux_key_last_used")).unwrap();
    let used: f64 = used.rsplit_once(' ').unwrap().1.parse().unwrap();
    assert!(used > 1.7e9, "{used}");
    for absent in [&watched.server.key[3..], &watched.admin[3..], "hunter2"] {
        assert!(!text.contains(absent), "{absent} is in\n{text}");
    }
    // Every series has its help and its type.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .filter(|family| text.contains(&format!("# TYPE {family} histogram")))
            .unwrap_or(name);
        assert!(text.contains(&format!("# TYPE {family} ")), "{line}");
        assert!(text.contains(&format!("# HELP {family} ")), "{line}");
    }
}
