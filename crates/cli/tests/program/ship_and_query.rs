//! `send`, `query`, `serve` and `keys`, against a real server.

use std::fs;

use crate::run::logflux;
use crate::server::Server;

#[test]
fn lines_are_shipped_and_come_back_by_level_node_time_and_order() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let send = |node: &str, level: &str, time: &str, line: &str| {
        let args = ["send", "--node", node, "--level", level, "--timestamp", time];
        let sent = server.call(&key, &args).input(format!("{line}\n"));
        assert_eq!(sent.status, 0, "{}", sent.stderr);
    };
    send("web-1", "info", "2024-01-17T10:00:00Z", "first");
    send("web-2", "error", "2024-01-17T11:00:00Z", "second");
    send("web-1", "critical", "2024-01-17T12:00:00Z", "third");
    let query = |args: &[&str]| server.call(&key, &[&["query"], args].concat()).run().ok();
    assert_eq!(query(&[]), "third\nsecond\nfirst\n");
    assert_eq!(query(&["--order", "asc", "--limit", "2"]), "first\nsecond\n");
    assert_eq!(query(&["--level", "error"]), "third\nsecond\n");
    assert_eq!(query(&["--node", "web-1"]), "third\nfirst\n");
    assert_eq!(
        query(&["--from", "2024-01-17T11:00:00Z", "--to", "2024-01-17T12:00:00Z"]),
        "second\n"
    );
    let long = query(&["--format", "long", "--limit", "1"]);
    assert_eq!(long, "2024-01-17T12:00:00Z critical  web-1 third\n");
    let json = query(&["--format", "json", "--limit", "1"]);
    assert!(json.ends_with(",\"message\":\"third\"}\n"), "{json}");
    let sealed = query(&["--sealed"]);
    assert!(!sealed.contains("third"));
    assert_eq!(logflux(&["open"]).input(sealed).ok(), "third\nsecond\nfirst\n");
}

#[test]
fn more_than_a_page_comes_back_in_order() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let lines: String = (0..2_500).map(|i| format!("line {i}\n")).collect();
    let sent = server.call(&key, &["send", "--format", "json"]).input(&lines).ok();
    assert!(sent.contains("\"stored\":2500"), "{sent}");
    let back = server.call(&key, &["query", "--limit", "0", "--order", "asc"]).run().ok();
    assert_eq!(back, lines);
}

#[test]
fn the_same_sealed_lines_are_stored_once() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let sealed = logflux(&["seal"]).input("one\ntwo\n").ok();
    let file = server.folder.path().join("sealed.ndjson");
    fs::write(&file, &sealed).unwrap();
    let send = || {
        let args = ["send", "--sealed", "--format", "json", file.to_str().unwrap()];
        server.call(&key, &args).run().ok()
    };
    assert!(send().contains("\"duplicates\":0"));
    assert!(send().contains("\"duplicates\":2"));
    assert_eq!(server.call(&key, &["query"]).run().ok().lines().count(), 2);
}

#[test]
fn nothing_readable_is_in_the_servers_data_folder() {
    let server = Server::start();
    let key = server.key("ingest,read");
    server.call(&key, &["send"]).input("canary 4711 login\n").ok();
    for file in fs::read_dir(server.data()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for word in [b"canary".as_slice(), crate::run::SECRET.as_bytes(), key.as_bytes()] {
            assert!(!bytes.windows(word.len()).any(|window| window == word));
        }
    }
}

#[test]
fn a_revoked_key_is_refused_within_a_second_and_the_lines_are_kept() {
    let server = Server::start();
    let key = server.key("ingest");
    server.call(&key, &["send"]).input("before\n").ok();
    let data = server.data();
    let data = data.to_str().unwrap();
    let list = logflux(&["keys", "list", "--data", data]).run().ok();
    assert!(list.contains("active") && !list.contains(&key), "{list}");
    let id = list.split(' ').next().unwrap().to_owned();
    logflux(&["keys", "revoke", "--data", data, &id]).run().ok();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let refused = server.call(&key, &["send"]).input("after\n");
    assert_eq!(refused.status, 1);
    assert!(refused.stderr.contains("401 key_revoked"), "{}", refused.stderr);
    let kept = fs::read_to_string(server.folder.path().join("logflux-unsent.ndjson")).unwrap();
    assert_eq!(logflux(&["open"]).input(&kept).ok(), "after\n");
    // With a good key the kept lines arrive.
    let key = server.key("ingest,read");
    server.call(&key, &["send", "--sealed", "logflux-unsent.ndjson"]).run().ok();
    assert_eq!(server.call(&key, &["query"]).run().ok(), "after\nbefore\n");
    let list = logflux(&["keys", "list", "--data", data, "--format", "json"]).run().ok();
    assert!(list.contains("\"state\":\"revoked\""), "{list}");
}
