//! What whoever runs a server does: `logflux store` and `logflux alerts`.

use crate::run::logflux;
use crate::server::Server;

#[test]
fn a_store_is_counted_checked_backed_up_and_restored() {
    let mut server = Server::start();
    let key = server.key("ingest,read");
    server.call(&key, &["send", "--level", "error"]).input("one\ntwo\n").ok();
    server.call(&key, &["send"]).input("three\n").ok();
    let data = server.data();
    let data = data.to_str().unwrap();
    let store = |args: &[&str]| logflux(&[&["store"], args, &["--data", data]].concat()).run();

    let text = store(&["stats"]).ok();
    assert!(
        text.contains("entries   3\n") && text.contains("default 3, error 2, info 1"),
        "{text}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&store(&["stats", "--format", "json"]).ok()).unwrap();
    assert_eq!(
        (&json["entries"], &json["last"], &json["version"]),
        (&3.into(), &3.into(), &4.into())
    );
    assert_eq!(json["tenants"]["default"]["levels"]["error"], 2);
    assert_eq!(store(&["check"]).ok(), "3 entries, nothing damaged\n");
    let running = store(&["compact"]);
    assert_eq!(running.status, 1);
    assert!(running.stderr.contains("stop the server"), "{}", running.stderr);

    let backup = server.folder.path().join("backup");
    let written = store(&["backup", backup.to_str().unwrap()]).ok();
    assert!(written.starts_with("3 entries, "), "{written}");
    let again = store(&["backup", backup.to_str().unwrap()]);
    assert!(again.status == 1 && again.stderr.contains("there already"), "{}", again.stderr);
    let later = server.key("ingest");
    server.call(&key, &["send"]).input("four\n").ok();

    let running = store(&["restore", backup.to_str().unwrap(), "--replace"]);
    assert!(
        running.status == 1 && running.stderr.contains("stop the server"),
        "{}",
        running.stderr
    );
    server.kill();
    assert!(store(&["compact"]).ok().starts_with("from "));
    let unasked = store(&["restore", backup.to_str().unwrap()]);
    assert!(unasked.status == 1 && unasked.stderr.contains("--replace"), "{}", unasked.stderr);
    store(&["restore", backup.to_str().unwrap(), "--replace"]).ok();
    server.restart();
    let messages = server.call(&key, &["query", "--order", "asc"]).run().ok();
    assert_eq!(messages, "one\ntwo\nthree\n");
    // Of the keys those of the same moment.
    let unknown = server.call(&later, &["send"]).input("five\n");
    assert_eq!(unknown.status, 1, "{}", unknown.stdout);

    let missing = logflux(&["store", "stats", "--data", "/nowhere"]).run();
    assert_eq!(missing.status, 1);
    assert!(missing.stderr.contains("/nowhere"), "{}", missing.stderr);
}

#[test]
fn a_damaged_store_is_status_1_and_says_what_is_wrong() {
    let mut server = Server::start();
    let key = server.key("ingest");
    server.call(&key, &["send"]).input("line\n".repeat(500)).ok();
    server.kill();
    let data = server.data();
    let data = data.to_str().unwrap();
    logflux(&["store", "compact", "--data", data]).run().ok();
    let file = server.data().join("entries.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // A page in the middle.
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xAA);
    std::fs::write(&file, bytes).unwrap();
    let ended = logflux(&["store", "check", "--data", data]).run();
    assert_eq!(ended.status, 1, "{}", ended.stdout);
    assert!(ended.stderr.contains("logflux store repair"), "{}", ended.stderr);
    let repaired = logflux(&["store", "repair", "--data", data]).run();
    assert!(repaired.stdout.contains("entries.db.damaged-1"), "{repaired:?}");
    assert_eq!(logflux(&["store", "check", "--data", data]).run().status, 0);
    server.restart();
    server.call(&key, &["send"]).input("again\n").ok();
}

#[test]
fn a_key_that_is_revoked_is_revoked_in_a_backup_that_is_made_at_once() {
    let mut server = Server::start();
    let (good, bad) = (server.key("ingest"), server.key("ingest"));
    let data = server.data();
    let data = data.to_str().unwrap();
    for key in [&good, &bad] {
        server.call(key, &["send"]).input("line\n").ok();
    }
    let listed = logflux(&["keys", "list", "--data", data, "--format", "json"]).run().ok();
    // Both were made in one second, and then are in the order of their ids.
    let ids: Vec<String> = listed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].clone())
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    logflux(&["keys", "revoke", "--data", data, &ids[0]]).run();
    let backup = server.folder.path().join("backup");
    let backup = backup.to_str().unwrap();
    logflux(&["store", "backup", "--data", data, backup]).run().ok();
    server.kill();
    let restored = server.folder.path().join("other");
    let restored = restored.to_str().unwrap();
    logflux(&["store", "restore", "--data", restored, backup]).run().ok();
    for folder in [backup, restored] {
        let listed = logflux(&["keys", "list", "--data", folder, "--format", "json"]).run().ok();
        let states: Vec<(String, String)> = listed
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|key| (key["id"].as_str().unwrap().into(), key["state"].as_str().unwrap().into()))
            .collect();
        assert_eq!(states.len(), 2);
        for (id, state) in states {
            assert_eq!(state, if id == ids[0] { "revoked" } else { "active" });
        }
    }
}

#[test]
fn a_key_that_is_revoked_after_the_backup_is_revoked_after_the_restore_or_that_is_said() {
    let mut server = Server::start();
    let key = server.key("ingest");
    server.call(&key, &["send"]).input("line\n").ok();
    let data = server.data();
    let data = data.to_str().unwrap();
    let backup = server.folder.path().join("backup");
    let backup = backup.to_str().unwrap();
    logflux(&["store", "backup", "--data", data, backup]).run().ok();
    let listed = logflux(&["keys", "list", "--data", data, "--format", "json"]).run().ok();
    let listed: serde_json::Value = serde_json::from_str(listed.trim()).unwrap();
    logflux(&["keys", "revoke", "--data", data, listed["id"].as_str().unwrap()]).run();
    server.kill();
    let restore = |to: &str, more: &[&str]| {
        logflux(&[&["store", "restore", "--data", to, backup], more].concat()).run()
    };
    let restored = restore(data, &["--replace"]);
    assert_eq!((restored.status, restored.stderr.as_str()), (0, ""));
    server.restart();
    let refused = server.call(&key, &["send"]).input("line\n");
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    // A new folder knows of no key that was revoked since.
    let other = server.folder.path().join("other");
    let restored = restore(other.to_str().unwrap(), &[]);
    assert_eq!(restored.status, 0);
    assert!(restored.stderr.contains("logflux keys list"), "{}", restored.stderr);
}

#[test]
fn the_clock_is_confirmed() {
    let mut server = Server::start();
    let key = server.key("ingest,read");
    server.call(&key, &["send"]).input("one\n").ok();
    server.kill();
    let data = server.data();
    let data = data.to_str().unwrap();
    let retain =
        |more: &[&str]| logflux(&[&["store", "retain", "--data", data], more].concat()).run();
    assert!(retain(&[]).ok().starts_with("not paused"));
    // The clock was believed last 40 days ago: it may have jumped ahead since.
    let store = rusqlite::Connection::open(server.data().join("entries.db")).unwrap();
    store
        .execute_batch(
            "UPDATE state SET clock = clock - 40 * 86400000;
             UPDATE arrivals SET received = received - 40 * 86400000;
             UPDATE entries SET received = received - 40 * 86400000;",
        )
        .unwrap();
    drop(store);
    server.serve_with(&["--retain", "30d"]);
    let admin = server.key("admin");
    let wait = |what: &dyn Fn() -> bool| {
        let began = std::time::Instant::now();
        while !what() {
            assert!(began.elapsed().as_secs() < 60);
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    wait(&|| server.call(&admin, &["alerts"]).run().ok().contains("clock_jumped"));
    assert!(retain(&[]).ok().starts_with("paused since "));
    assert_eq!(server.call(&key, &["query"]).run().ok(), "one\n");
    // A restart asks again, and an operator confirms it while the server runs.
    server.kill();
    server.serve_with(&["--retain", "30d"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(server.call(&key, &["query"]).run().ok(), "one\n");
    assert_eq!(retain(&["--accept-clock"]).status, 0);
    wait(&|| server.call(&key, &["query"]).run().ok().is_empty());
    assert!(retain(&[]).ok().starts_with("not paused"));
}

#[test]
fn alerts_are_listed_from_a_server_and_from_a_folder() {
    let server = Server::start();
    let admin = server.key("admin");
    let unknown = format!("lf_{}", "Unknown1".repeat(4));
    for _ in 0..10 {
        assert_eq!(server.call(&unknown, &["query", "--sealed"]).run().status, 1);
    }
    let listed = || server.call(&admin, &["alerts"]).run().ok();
    let began = std::time::Instant::now();
    while listed().is_empty() {
        assert!(began.elapsed().as_secs() < 20);
    }
    let text = listed();
    assert!(text.contains("auth_failures") && text.contains("127.0.0.1"), "{text}");
    let data = server.data();
    let local =
        logflux(&["alerts", "--data", data.to_str().unwrap(), "--format", "json"]).run().ok();
    let alert: serde_json::Value = serde_json::from_str(&local).unwrap();
    assert_eq!((&alert["kind"], &alert["details"]["count"]), (&"auth_failures".into(), &10.into()));
    assert_eq!(server.call(&admin, &["alerts", "--kind", "unusual_use"]).run().ok(), "");
    let read = server.call(&server.key("read"), &["alerts"]).run();
    assert!(read.status == 1 && read.stderr.contains("forbidden"), "{}", read.stderr);
    for wrong in [["--kind", "x"], ["--limit", "0"], ["--since", "now"]] {
        assert_eq!(logflux(&[&["alerts"], &wrong[..]].concat()).run().status, 2);
    }
}

#[test]
fn settings_of_the_upkeep_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let serve =
        |args: &[&str]| logflux(&[&["serve", "--dev", "--data", data], args].concat()).run();
    for (args, status, says) in [
        (&["--retain", "soon"][..], 2, "retain"),
        (&["--max-size", "big"], 2, "max-size"),
        (&["--webhook-url", "https://example.com"], 2, "webhook-secret-file"),
        (&["--retain", "0s"], 1, "retain"),
        (&["--max-size", "1kB"], 1, "max_size"),
        (&["--webhook-url", "http://example.com", "--webhook-secret-file", "/x"], 1, "webhook.url"),
        (&["--webhook-url", "https://example.com", "--webhook-secret-file", "/x"], 1, "/x"),
    ] {
        let ended = serve(args);
        assert_eq!(ended.status, status, "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{args:?}: {}", ended.stderr);
    }
}
