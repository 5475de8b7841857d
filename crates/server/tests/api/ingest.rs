//! What comes in: stored once, or refused by its name.

use logflux_wire::{Level, Mode, Timestamp};

use crate::common::{Parts, TestServer, array, entries, entry, random};

#[test]
fn one_entry_an_array_and_a_wrapper_are_stored_and_come_back_byte_for_byte() {
    let server = TestServer::start();
    let sent = entries(6);
    server.post("/v1/ingest", &sent[0]).stored(1, 0);
    server.post("/v1/ingest", array(&sent[1..3])).stored(2, 0);
    server.post("/v1/batch", &sent[3]).stored(1, 0);
    server.post("/v1/batch", array(&sent[4..5])).stored(1, 0);
    server.post("/v1/batch", format!("{{\"entries\":{}}}", array(&sent[5..]))).stored(1, 0);
    assert_eq!(server.stored(), sent);
}

#[test]
fn every_field_comes_back_at_its_bounds() {
    let server = TestServer::start();
    let default = Parts::default;
    let sent = [
        Parts { node: "app \"α\\β\" / 🌍".to_owned(), timestamp: Timestamp::MIN, ..default() },
        Parts { node: "ä".repeat(255), timestamp: time("1969-12-31T23:59:59.5Z"), ..default() },
        Parts { payload: vec![0; 16], level: Level::Debug, ..default() },
        Parts { payload: vec![255; 786_432], mode: Mode::Hkdf, ..default() },
        Parts { level: Level::Emergency, timestamp: Timestamp::MAX, ..default() },
    ]
    .map(Parts::json);
    for entry in &sent {
        server.post("/v1/ingest", entry).stored(1, 0);
    }
    let mut stored = server.stored();
    assert_eq!(stored.len(), sent.len());
    stored.retain(|entry| !sent.contains(entry));
    assert!(stored.is_empty());
}

#[test]
fn what_is_not_canonical_comes_back_canonical() {
    let server = TestServer::start();
    let parts = Parts { timestamp: time("2024-01-17T10:30:45.5Z"), ..Parts::default() };
    let canonical = parts.json();
    let sent = canonical
        .replace("2024-01-17T10:30:45.500Z", "2024-01-17T12:30:45.5+02:00")
        .replace(',', " , ")
        .replace("app-server", "\\u0061pp-server");
    assert_ne!(sent, canonical);
    server.post("/v1/ingest", &sent).stored(1, 0);
    server.post("/v1/ingest", &canonical).stored(1, 1);
    assert_eq!(server.stored(), [canonical]);
}

#[test]
fn every_rule_of_an_entry_is_checked_and_its_field_named() {
    let server = TestServer::start();
    let good = entry();
    let with = |from: &str, to: &str| {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        bad
    };
    let iv = field(&good, "iv");
    let salt = field(&good, "salt");
    let payload = field(&good, "payload");
    for (body, code, at_fault) in [
        (with("\"node\":\"app-server-01\"", "\"node\":\"\""), "invalid_entry", "node"),
        (with("app-server-01", &"n".repeat(256)), "invalid_entry", "node"),
        (with("app-server-01", "a\\u0007b"), "invalid_entry", "node"),
        (with("\"app-server-01\"", "7"), "invalid_entry", "node"),
        (with("\"app-server-01\"", "null"), "invalid_entry", "node"),
        (with("\"node\":\"app-server-01\",", ""), "invalid_entry", "node"),
        (with("\"loglevel\":7", "\"loglevel\":0"), "invalid_entry", "loglevel"),
        (with("\"loglevel\":7", "\"loglevel\":9"), "invalid_entry", "loglevel"),
        (with("\"loglevel\":7", "\"loglevel\":7.0"), "invalid_entry", "loglevel"),
        (with("\"loglevel\":7", "\"loglevel\":\"7\""), "invalid_entry", "loglevel"),
        (with("\"loglevel\":7", "\"loglevel\":7,\"loglevel\":7"), "invalid_entry", "loglevel"),
        (with("T10:30:45Z", "t10:30:45Z"), "invalid_entry", "timestamp"),
        (with("T10:30:45Z", "T10:30:60Z"), "invalid_entry", "timestamp"),
        (with("2024-01-17", "2023-02-29"), "invalid_entry", "timestamp"),
        (with("mode\":1", "mode\":5"), "unsupported_mode", "encryption_mode"),
        (with("mode\":1", "mode\":2"), "unsupported_mode", "encryption_mode"),
        (with("mode\":1", "mode\":\"1\""), "invalid_entry", "encryption_mode"),
        (with(&iv, "AAAA"), "invalid_entry", "iv"),
        (with(&iv, &iv.replace(char::is_alphanumeric, "-")), "invalid_entry", "iv"),
        (with(&salt, "c2FsdDMyYnl0ZXNsb25nZm9ya2V5ZGVyaXZhdGlvbg=="), "invalid_entry", "salt"),
        (with(&salt, salt.trim_end_matches('=')), "invalid_entry", "salt"),
        (with(&payload, "AAAA"), "invalid_entry", "payload"),
        (with(&payload, &format!("{payload}\\n")), "invalid_entry", "payload"),
        (
            with("mode\":1", "mode\":128").replace(&payload, "AAAAAAAAAAAAAAAAAAAAAA=="),
            "invalid_entry",
            "payload",
        ),
    ] {
        let error = server.post("/v1/ingest", &body).error(400, code);
        assert_eq!(error["details"]["field"], at_fault, "{error} for {body}");
        assert!(error["message"].as_str().unwrap().contains(at_fault), "{error}");
    }
    assert_eq!(server.stored(), [""; 0]);
}

#[test]
fn an_unknown_field_and_plain_text_are_refused_without_being_repeated() {
    let server = TestServer::start();
    let leak = "the password is hunter2, and it is 42";
    let unknown = entry().replacen('{', &format!("{{\"message\":\"{leak}\","), 1);
    let answer = server.post("/v1/ingest", &unknown);
    assert!(answer.error(400, "unknown_field")["message"].as_str().unwrap().contains("message"));
    assert!(!answer.text.contains("hunter2"));

    let plain = Parts { payload: leak.as_bytes().to_vec(), ..Parts::default() }.json();
    let answer = server.post("/v1/ingest", &plain);
    assert_eq!(answer.error(400, "plaintext_payload")["details"]["field"], "payload");
    assert!(!answer.text.contains("hunter2"));

    // One byte that is not printable, or fewer than 32, and it may be ciphertext.
    let mut bytes = leak.as_bytes().to_vec();
    bytes[0] = 0x80;
    server.post("/v1/ingest", Parts { payload: bytes, ..Parts::default() }.json()).stored(1, 0);
    let short = Parts { payload: vec![b'a'; 31], ..Parts::default() };
    server.post("/v1/ingest", short.json()).stored(1, 0);
}

#[test]
fn modes_are_a_setting() {
    let in_mode = |mode| Parts { mode, ..Parts::default() }.json();
    let server = TestServer::start();
    for mode in [Mode::Pbkdf2, Mode::Hkdf] {
        server.post("/v1/ingest", in_mode(mode)).stored(1, 0);
    }
    for mode in [Mode::Scrypt, Mode::Argon2, Mode::ChaCha20Argon2] {
        let error = server.post("/v1/ingest", in_mode(mode)).error(400, "unsupported_mode");
        assert!(error["message"].as_str().unwrap().ends_with("it takes 1, 128"), "{error}");
    }
    let server = TestServer::with(|config| config.modes = vec![Mode::Argon2]);
    server.post("/v1/ingest", in_mode(Mode::Argon2)).stored(1, 0);
    server.post("/v1/ingest", in_mode(Mode::Pbkdf2)).error(400, "unsupported_mode");
}

#[test]
fn the_same_entry_again_is_answered_and_stored_once() {
    let server = TestServer::start();
    let sent = entries(3);
    server.post("/v1/ingest", &sent[0]).stored(1, 0);
    server.post("/v1/ingest", &sent[0]).stored(1, 1);
    server.post("/v1/batch", array(&sent)).stored(3, 1);
    server.post("/v1/batch", array(&sent)).stored(3, 3);
    // Also within one batch.
    let twice = entry();
    server.post("/v1/batch", array(&[twice.clone(), twice.clone()])).stored(2, 1);
    assert_eq!(server.stored().len(), 4);
}

#[test]
fn a_salt_and_iv_with_another_entry_are_refused() {
    let server = TestServer::start();
    let first = Parts::default();
    server.post("/v1/ingest", first.clone().json()).stored(1, 0);
    let others = [
        Parts { payload: random::<64>().to_vec(), ..first.clone() },
        Parts { node: "other".to_owned(), ..first.clone() },
        Parts { level: Level::Error, ..first.clone() },
        Parts { timestamp: time("2024-01-17T10:30:45.000000001Z"), ..first.clone() },
        Parts { mode: Mode::Hkdf, ..first.clone() },
    ]
    .map(Parts::json);
    for other in &others {
        server.post("/v1/ingest", other).error(400, "nonce_reused");
    }
    // In a batch it is named, and the others are stored.
    let answer = server.post("/v1/ingest", array(&[entry(), others[0].clone(), entry()]));
    assert_eq!(answer.json()["failures"][0]["index"], 1);
    assert_eq!(answer.json()["failures"][0]["code"], "nonce_reused");
    // Only the pair of both is the identity.
    server.post("/v1/ingest", Parts { iv: random(), ..first.clone() }.json()).stored(1, 0);
    server.post("/v1/ingest", Parts { salt: random(), ..first.clone() }.json()).stored(1, 0);
    assert_eq!(server.stored().len(), 5);
    assert!(server.stored().contains(&first.json()));
}

#[test]
fn a_batch_is_stored_in_part_and_its_bad_entries_named() {
    let server = TestServer::start();
    let good = entries(3);
    let plain = Parts { payload: vec![b'x'; 40], ..Parts::default() }.json();
    let batch = [
        good[0].clone(),
        good[1].replace("\"loglevel\":7", "\"loglevel\":70"),
        plain,
        good[2].clone(),
        "7".to_owned(),
    ];
    let answer = server.post("/v1/batch", array(&batch));
    let json = answer.json();
    assert_eq!(answer.status, 200, "{json}");
    assert_eq!(json["status"], "partial");
    assert_eq!(json["message"], "2 of 5 entries stored");
    let counts = serde_json::json!({"total": 5, "succeeded": 2, "failed": 3, "duplicates": 0});
    assert_eq!(json["data"], counts);
    let failures: Vec<_> = json["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failure| {
            assert!(!failure["message"].as_str().unwrap().is_empty());
            (failure["index"].as_u64().unwrap(), failure["code"].as_str().unwrap())
        })
        .collect();
    assert_eq!(failures, [(1, "invalid_entry"), (2, "plaintext_payload"), (4, "invalid_entry")]);
    assert_eq!(server.stored(), [good[0].clone(), good[2].clone()]);

    let error = server.post("/v1/batch", array(&batch[1..3])).error(400, "invalid_entry");
    assert_eq!(error["details"]["failures"][1]["code"], "plaintext_payload");
    assert_eq!(error["details"]["failures"].as_array().unwrap().len(), 2);
}

#[test]
fn a_hundred_entries_are_taken_and_one_more_is_not() {
    let server = TestServer::start();
    let sent = entries(101);
    server.post("/v1/ingest", array(&sent)).error(413, "batch_too_large");
    server
        .post("/v1/batch", format!("{{\"entries\":{}}}", array(&sent)))
        .error(413, "batch_too_large");
    assert_eq!(server.stored().len(), 0);
    server.post("/v1/ingest", array(&sent[1..])).stored(100, 0);
    assert_eq!(server.stored().len(), 100);
}

#[test]
fn the_largest_batch_of_the_protocol_is_taken() {
    let server = TestServer::start();
    let sent: Vec<_> = (0..100)
        .map(|_| Parts { payload: vec![200; 786_432], ..Parts::default() }.json())
        .collect();
    server.post("/v1/batch", array(&sent)).stored(100, 0);
    // It comes back in pages of about 8 MiB.
    let page = server.get("/v1/entries?order=asc");
    assert_eq!(page.entries(), sent[..8]);
    assert!(page.cursor().is_some());
}

#[test]
fn what_is_too_large_is_refused_and_its_sender_reads_why() {
    let server = TestServer::start();
    let good = entry();
    let payload = "A".repeat(1_048_580);
    let long = good.replace(&field(&good, "payload"), &payload);
    server.post("/v1/ingest", &long).error(413, "payload_too_large");
    let huge = format!("[{}]", " ".repeat(106 << 20));
    server.post("/v1/ingest", &huge).error(413, "payload_too_large");

    let server = TestServer::with(|config| config.limits.body = 1_000);
    server.post("/v1/ingest", " ".repeat(1_001)).error(413, "payload_too_large");
    server.post("/v1/ingest", &good).stored(1, 0);
    // Without a length beforehand, it is counted as it comes.
    let chunks = format!("{:x}\r\n{}\r\n", 600, " ".repeat(600)).repeat(2);
    let answer = server.raw_answer(
        format!(
            "POST /v1/ingest HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\nconnection: close\r\n\
             transfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n",
            server.key
        )
        .as_bytes(),
    );
    assert!(
        answer.starts_with("HTTP/1.1 413 ") && answer.contains("payload_too_large"),
        "{answer}"
    );
}

#[test]
fn other_bodies_are_refused_by_form_and_by_media_type() {
    let server = TestServer::start();
    for path in ["/v1/ingest", "/v1/batch"] {
        for (body, code) in [
            ("", "invalid_json"),
            ("nonsense", "invalid_json"),
            ("{", "invalid_json"),
            ("[", "invalid_json"),
            ("[]", "invalid_entry"),
            ("null", "invalid_entry"),
            ("7", "invalid_entry"),
            ("{}", "invalid_entry"),
        ] {
            server.post(path, body).error(400, code);
        }
        server.post(path, [b'"', 0xff, b'"']).error(400, "invalid_json");
        server.post(path, entry() + "{}").error(400, "invalid_json");
    }
    server.post("/v1/ingest", format!("{{\"entries\":[{}]}}", entry())).error(400, "unknown_field");
    server
        .post("/v1/batch", format!("{{\"entries\":[{}],\"x\":1}}", entry()))
        .error(400, "unknown_field");

    let authorization = format!("Bearer {}", server.key);
    let send = |headers: &[(&str, &str)]| {
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend(headers);
        server.send("POST", "/v1/ingest", &all, entry())
    };
    for media_type in ["text/plain", "application/x-ndjson", "application/jsonx", "json"] {
        send(&[("content-type", media_type)]).error(415, "unsupported_media_type");
    }
    send(&[]).error(415, "unsupported_media_type");
    let json = ("content-type", "application/json");
    send(&[json, ("content-encoding", "br")]).error(415, "unsupported_media_type");
    assert_eq!(server.stored().len(), 0);
    send(&[("content-type", "Application/JSON; charset=utf-8")]).stored(1, 0);
    send(&[json, ("content-encoding", "identity")]).stored(1, 0);
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A text field's value.
fn field(json: &str, name: &str) -> String {
    let entry: serde_json::Value = serde_json::from_str(json).unwrap();
    entry[name].as_str().unwrap_or_default().to_owned()
}
