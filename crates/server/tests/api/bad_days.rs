//! One tenant, one sender or one damaged place, and what all others notice of it: nothing.

use std::io::{BufRead, Write as _};
use std::time::{Duration, Instant};

use logflux_server::{Scope, Scopes, sqlite};
use logflux_wire::Level;
use rusqlite::Connection;

use crate::common::{Parts, TestServer, array, entries, entry};
use crate::tail::next;

fn both() -> Scopes {
    Scopes::from(Scope::Ingest).and(Scope::Read)
}

#[test]
fn a_tenant_that_waits_for_entries_many_times_leaves_places_for_others() {
    let server = TestServer::with(|config| config.limits.tails = 10);
    let other = server.new_key("other", both());
    let mut waiting = Vec::new();
    while let (200, tail) = server.begin(&server.key, "/v1/tail", &[]) {
        waiting.push(tail);
        assert!(waiting.len() < 10, "it has all of them");
    }
    assert_eq!(waiting.len(), 5);
    let (status, mut tail) = server.begin(&other, "/v1/tail", &[]);
    assert_eq!(status, 200);
    next(&mut tail).unwrap();
    let sent = entry();
    server.post_with(&other, "/v1/ingest", &sent).stored(1, 0);
    assert_eq!(next(&mut tail).unwrap().1, sent);
}

#[test]
fn a_tenant_that_sends_bodies_without_end_leaves_room_for_others() {
    let server = TestServer::with(|config| config.limits.bodies = 1_000_000);
    let other = server.new_key("other", both());
    let head = format!(
        "POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 100000\r\n\r\n",
        server.key
    );
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut stream = server.raw();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&b" ".repeat(90_000)).unwrap();
        stream.flush().unwrap();
        open.push(stream);
    }
    let began = Instant::now();
    // Those of the tenant itself are refused at last; the other's never.
    while server.post("/v1/ingest", entry() + &" ".repeat(200_000)).status != 503 {
        assert!(began.elapsed() < Duration::from_secs(25));
    }
    for _ in 0..10 {
        server.post_with(&other, "/v1/ingest", entry() + &" ".repeat(200_000)).stored(1, 0);
    }
}

#[test]
fn a_tenant_with_one_body_of_the_largest_leaves_room_for_the_largest_of_another() {
    // Neither is let go while the other is sent, however slow the machine is.
    let server = TestServer::with(|config| config.timeouts.body = Duration::from_secs(120));
    let other = server.new_key("other", both());
    let head = format!(
        "POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 105000000\r\n\r\n",
        server.key
    );
    let mut open = server.raw();
    open.write_all(head.as_bytes()).unwrap();
    for _ in 0..104 {
        open.write_all(&b" ".repeat(1_000_000)).unwrap();
    }
    open.flush().unwrap();
    let payload = vec![200; 786_000];
    let batch: Vec<_> =
        (0..95).map(|_| Parts { payload: payload.clone(), ..Parts::default() }.json()).collect();
    server.post_with(&other, "/v1/ingest", array(&batch)).stored(95, 0);
}

#[test]
fn a_damaged_entry_is_refused_alone_and_pages_and_tails_go_on() {
    let server = TestServer::start();
    let admin = server.new_key("ops", Scope::Admin);
    let other = server.new_key("other", both());
    let sent = entries(5);
    server.post("/v1/batch", array(&sent)).stored(5, 0);
    let connection = Connection::open(server.data().join("entries.db")).unwrap();
    connection.execute("UPDATE entries SET mode = 7 WHERE seq = 2", []).unwrap();

    // In a batch it is named, and the others are duplicates.
    let answer = server.post("/v1/batch", array(&sent));
    let json = answer.json();
    assert_eq!((answer.status, &json["status"]), (200, &"partial".into()), "{json}");
    assert_eq!(
        (&json["failures"][0]["index"], &json["failures"][0]["code"]),
        (&1.into(), &"internal".into())
    );
    assert_eq!(
        (&json["data"]["duplicates"], json["failures"].as_array().unwrap().len()),
        (&4.into(), 1)
    );
    server.post("/v1/ingest", &sent[1]).error(500, "internal");
    // Together with others, from another tenant too.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| server.post("/v1/ingest", &sent[1]).error(500, "internal"));
            scope.spawn(|| server.post_with(&other, "/v1/ingest", entry()).stored(1, 0));
        }
    });
    let answer = server.get("/v1/entries?order=asc");
    assert_eq!(answer.header("x-damaged-entries"), Some("1"));
    assert_eq!(answer.entries(), [&sent[0], &sent[2], &sent[3], &sent[4]].map(String::clone));
    let lines = server.send(
        "GET",
        "/v1/entries?order=asc&limit=3",
        &[("authorization", &format!("Bearer {}", server.key)), ("accept", "application/x-ndjson")],
        b"",
    );
    assert_eq!(lines.text, format!("{}\n{}\n", sent[0], sent[2]));
    // A page of damaged entries alone still leads on.
    let page = server.get("/v1/entries?order=asc&limit=1");
    let page =
        server.get(&format!("/v1/entries?order=asc&limit=1&cursor={}", page.cursor().unwrap()));
    assert_eq!(page.entries(), [""; 0]);
    let page =
        server.get(&format!("/v1/entries?order=asc&limit=1&cursor={}", page.cursor().unwrap()));
    assert_eq!(page.entries(), [sent[2].clone()]);
    let (_, mut tail) = server.begin(&server.key, "/v1/tail", &[("last-event-id", "0")]);
    next(&mut tail).unwrap();
    let came: Vec<_> = (0..4).map(|_| next(&mut tail).unwrap().1).collect();
    assert_eq!(came, [&sent[0], &sent[2], &sent[3], &sent[4]].map(String::clone));
    let began = Instant::now();
    loop {
        let alerts = server.get_with(&admin, "/v1/alerts?kind=store_damaged").text;
        if alerts.contains("row 2 of the store is damaged") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{alerts}");
    }
    let metrics = server.get_with(&admin, "/metrics").text;
    let counted = metrics.lines().find(|l| l.starts_with("logflux_store_damaged_total ")).unwrap();
    assert_ne!(counted, "logflux_store_damaged_total 0");
    assert!(metrics.contains("\nlogflux_store_log_bytes "), "{metrics}");
    assert!(!sqlite::check(server.data(), |_| {}).unwrap().faults.is_empty());
}

#[test]
fn keys_are_known_while_another_process_writes_them_and_a_new_one_at_once() {
    let server = TestServer::start();
    let ready = server.new_key("acme", both());
    let holder = Connection::open(server.data().join("keys.db")).unwrap();
    server.post("/v1/ingest", entry()).stored(1, 0);
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Longer than the use of the keys waits to be written.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        let asked = Instant::now();
        server.post_with(&ready, "/v1/ingest", entry()).stored(1, 0);
        let unknown = format!("lf_{}", "Unknown1".repeat(4));
        server.post_with(&unknown, "/v1/ingest", entry()).error(401, "unauthorized");
        assert!(asked.elapsed() < Duration::from_secs(4), "it has waited for the writer");
        std::thread::sleep(Duration::from_millis(50));
    }
    holder.execute_batch("COMMIT").unwrap();
    let made = server.new_key("acme", both());
    server.post_with(&made, "/v1/ingest", entry()).stored(1, 0);
}

#[test]
fn a_tail_ends_where_its_key_cannot_be_looked_up() {
    let server = TestServer::start();
    let (_, mut tail) = server.begin(&server.key, "/v1/tail", &[]);
    next(&mut tail).unwrap();
    let keys = Connection::open(server.data().join("keys.db")).unwrap();
    keys.execute_batch("DROP TABLE changes").unwrap();
    assert_eq!(next(&mut tail), None);
    server.post("/v1/ingest", entry()).error(500, "internal");
}

#[test]
fn an_id_of_a_tail_tells_nothing_of_others_and_belongs_to_one_store() {
    let server = TestServer::start();
    let other = server.new_key("other", both());
    server.post_with(&other, "/v1/batch", array(&entries(100))).stored(100, 0);
    let sent = entries(3);
    server.post("/v1/batch", array(&sent)).stored(3, 0);
    let begin = |id: &str| {
        let (status, mut tail) = server.begin(&server.key, "/v1/tail", &[("last-event-id", id)]);
        assert_eq!(status, 200, "{id}");
        let first = next(&mut tail).unwrap();
        (first.0, tail)
    };
    let (oldest, mut tail) = begin("0");
    let ids: Vec<_> = (0..3).map(|_| next(&mut tail).unwrap().0).collect();
    let store = &oldest[..16];
    for (number, id) in (0..).zip([&oldest, &ids[0], &ids[1], &ids[2]]) {
        assert_eq!(id, &format!("{store}{number:016x}"));
    }
    let (again, mut tail) = begin(&ids[1]);
    assert_eq!((again, next(&mut tail).unwrap().1), (ids[1].clone(), sent[2].clone()));
    // Of another store, of an older version, and one that is yet to come.
    for id in [format!("{:016x}{}", 7, &ids[2][16..]), "103".to_owned(), "9".to_owned()] {
        let (id, mut tail) = begin(&id);
        assert_eq!((id, next(&mut tail).unwrap().1), (oldest.clone(), sent[0].clone()));
    }
    assert_eq!(begin(&format!("{store}{}", "7".repeat(16))).0, ids[2]);
}

#[test]
fn a_tail_of_a_store_that_is_empty_again_waits() {
    let server = TestServer::with(|config| config.store.retain = Some(Duration::from_secs(1)));
    server.post("/v1/batch", array(&entries(3))).stored(3, 0);
    let began = Instant::now();
    while !server.stored().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    let admin = server.new_key("ops", Scope::Admin);
    let (_, mut tail) = server.begin(&server.key, "/v1/tail", &[("last-event-id", "0")]);
    next(&mut tail).unwrap();
    let asked = || server.get_with(&admin, "/metrics").text.contains("\nlogflux_tails 1\n");
    assert!(asked());
    let sent = entry();
    server.post("/v1/ingest", &sent).stored(1, 0);
    assert_eq!(next(&mut tail).unwrap().1, sent);
    assert!(asked());
}

#[test]
fn text_of_any_script_is_refused_and_what_is_sealed_is_taken() {
    let server = TestServer::start();
    let sent = |payload: &[u8]| {
        server.post("/v1/ingest", Parts { payload: payload.to_vec(), ..Parts::default() }.json())
    };
    for text in [
        "{\n  \"user\": \"root\",\n  \"event\": \"login\"\n}\n",
        "The user äöü has logged in from 203.0.113.9",
        "Пользователь вошёл в систему с адреса 203.0.113.9",
        "ユーザーがログインしました。番号は四七一一です。",
        "\tstack trace:\r\n\tat line 1\r\n\tat line 2\r\n",
    ] {
        let error = sent(text.as_bytes()).error(400, "plaintext_payload");
        assert_eq!(error["details"]["field"], "payload");
    }
    for _ in 0..200 {
        let mut sealed = vec![0; 41];
        getrandom::fill(&mut sealed).unwrap();
        sent(&sealed).stored(1, 0);
    }
}

#[test]
fn a_sender_that_begins_connections_without_end_is_closed_before_its_handshake() {
    let server = TestServer::with(|config| config.rates.handshakes_per_address = 20);
    let mut good = 0;
    for _ in 0..40 {
        good += u32::from(server.raw_with(rustls::ALL_VERSIONS).is_ok_and(|mut stream| {
            stream
                .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                .and_then(|()| stream.flush())
                .is_ok()
                && std::io::BufReader::new(stream).lines().next().is_some_and(|line| line.is_ok())
        }));
    }
    assert_eq!(good, 20);
}

#[test]
fn failures_from_ever_other_addresses_are_an_alert_and_push_no_other_out() {
    let server = TestServer::with(|config| {
        config.rates.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.monitor.keep = 5;
    });
    let admin = server.new_key("ops", Scope::Admin);
    // A nonce that is used twice.
    let parts = Parts::default();
    server.post("/v1/ingest", parts.clone().json()).stored(1, 0);
    let again = Parts { level: Level::Debug, ..parts }.json();
    server.post("/v1/ingest", again).error(400, "nonce_reused");
    let alerts = |kind: &str| {
        let answer = server.get_with(&admin, &format!("/v1/alerts?kind={kind}"));
        answer.json()["data"]["alerts"].as_array().unwrap().clone()
    };
    let wait = |kind: &str, count: usize| {
        let began = Instant::now();
        while alerts(kind).len() < count {
            assert!(began.elapsed() < Duration::from_secs(60), "{kind}: {:?}", alerts(kind));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait("nonce_reused", 1);
    let fail = |address: &str, key: &str| {
        let authorization = format!("Bearer {key}");
        let headers = [("x-forwarded-for", address), ("authorization", authorization.as_str())];
        server.send("GET", "/v1/entries", &headers, b"").error(401, "unauthorized");
    };
    // One key from many addresses.
    let leaked = format!("lf_{}", "Leak1234".repeat(4));
    for number in 0..12 {
        fail(&format!("198.51.100.{number}"), &leaked);
    }
    wait("auth_failures", 1);
    let alert = alerts("auth_failures")[0].clone();
    assert!(alert["message"].as_str().unwrap().contains("lf_Leak were used 10 times"), "{alert}");
    assert!(!alert.to_string().contains("Leak1234"), "{alert}");
    // Many networks of 64 bits, and one of them with many addresses.
    for number in 0..40 {
        fail(&format!("2001:db8:0:1::{number:x}"), &leaked);
    }
    wait("auth_failures", 2);
    assert_eq!(alerts("auth_failures")[0]["address"], "2001:db8:0:1::/64");
    for network in 0..8 {
        for number in 0..10 {
            fail(&format!("2001:db8:1:{network:x}::{number:x}"), &leaked);
        }
    }
    wait("auth_failures", 5);
    assert_eq!(alerts("auth_failures").len(), 5, "so many of a kind are kept");
    assert_eq!(alerts("nonce_reused").len(), 1);
}

#[test]
fn the_webhook_and_what_is_kept_change_at_a_reload_and_a_bad_one_changes_nothing() {
    let server = TestServer::start();
    let running = server.running.as_ref().unwrap();
    let dev = logflux_server::dev_tls(server.data()).unwrap();
    let mut config = crate::common::config(server.data(), dev.files);
    config.listen = running.addr();
    let secret = server.data().join("secret");
    config.monitor.webhook =
        Some(logflux_server::monitor::WebhookSettings::new("http://127.0.0.1:9/hook", &secret));
    let refused = running.reloader().reload(config.clone()).unwrap_err().to_string();
    assert!(refused.contains("webhook.secret_file"), "{refused}");
    std::fs::write(&secret, "0123456789abcdef").unwrap();
    config.monitor.keep = 7;
    let waiting = running.reloader().reload(config).unwrap();
    assert!(!waiting.iter().any(|name| name.starts_with("monitor")), "{waiting:?}");
    // It is posted to at once.
    let admin = server.new_key("ops", Scope::Admin);
    let parts = Parts::default();
    server.post("/v1/ingest", parts.clone().json()).stored(1, 0);
    let again = Parts { level: Level::Debug, ..parts }.json();
    server.post("/v1/ingest", again).error(400, "nonce_reused");
    let began = Instant::now();
    let posted = "logflux_webhook_posts_total{outcome=\"failed\"}";
    while !server.get_with(&admin, "/metrics").text.contains(posted) {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
}
