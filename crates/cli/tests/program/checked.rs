//! `serve --check-config` looks at what a start reads.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use rusqlite::Connection;

use crate::run::{Ended, logflux};
use crate::server::Server;

/// A data folder that a server has left, with an entry and a key in it.
fn left() -> Server {
    let mut server = Server::start();
    let key = server.key("ingest");
    assert_eq!(server.call(&key, &["send"]).input("one\n").status, 0);
    server.kill();
    // What is damaged below is in the files themselves.
    for name in ["entries.db", "keys.db", "alerts.db"] {
        let db = Connection::open(server.data().join(name)).unwrap();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
    server
}

fn serve(data: &Path, listen: &str, check: bool) -> Ended {
    let check: &[&str] = if check { &["--check-config"] } else { &[] };
    let args = ["serve", "--dev", "--listen", listen, "--data", data.to_str().unwrap()];
    logflux(&[&args, check].concat()).run()
}

/// Everything in a folder, but for the files that SQLite makes beside its own while it reads.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .filter(|(name, _)| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    all.sort();
    all
}

#[test]
fn a_check_finds_what_is_damaged_where_a_start_would() {
    let server = left();
    let good = contents(&server.data());
    let checked = serve(&server.data(), "127.0.0.1:0", true);
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    assert!(contents(&server.data()) == good, "a check changes nothing");

    let repair = "logflux store repair";
    for (file, damage, says) in [
        ("entries.db", "DELETE FROM tenants", repair),
        ("entries.db", "UPDATE tenants SET name = 'a b'", repair),
        ("entries.db", "DELETE FROM identity_key", repair),
        ("entries.db", "DELETE FROM state", repair),
        ("keys.db", "DELETE FROM changes", "make new keys"),
        ("entries.db", "", repair),
        ("keys.db", "", "make new keys"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in &good {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let path = folder.path().join(file);
        if damage.is_empty() {
            let mut bytes = fs::read(&path).unwrap();
            bytes[4_096..].fill(0xee);
            fs::write(&path, bytes).unwrap();
        } else {
            let db = Connection::open(&path).unwrap();
            db.pragma_update(None, "foreign_keys", false).unwrap();
            db.execute_batch(damage).unwrap();
        }
        for check in [true, false] {
            let ended = serve(folder.path(), "127.0.0.1:0", check);
            assert_eq!(ended.status, 1, "{file} {damage} {check}: {}", ended.stderr);
            assert!(ended.stderr.contains(says), "{file} {damage} {check}: {}", ended.stderr);
        }
        if says == repair && !damage.is_empty() {
            let data = folder.path().to_str().unwrap();
            logflux(&["store", "repair", "--data", data]).run().ok();
            let checked = serve(folder.path(), "127.0.0.1:0", true);
            assert_eq!(checked.status, 0, "{damage}: {}", checked.stderr);
        }
    }
}

#[test]
fn a_port_is_good_where_a_server_of_this_folder_has_it_and_not_where_another_program_has() {
    let mut server = Server::start();
    let own = server.url.trim_start_matches("https://").to_owned();
    let checked = serve(&server.data(), &own, true);
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    let elsewhere = tempfile::tempdir().unwrap();
    let checked = serve(&elsewhere.path().join("data"), &own, true);
    assert!(checked.status == 1 && checked.stderr.contains("port"), "{}", checked.stderr);

    server.kill();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    for check in [true, false] {
        let ended = serve(&server.data(), &taken, check);
        assert!(ended.status == 1 && ended.stderr.contains(&taken), "{}", ended.stderr);
    }
}

#[test]
fn several_problems_are_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["entries.db", "keys.db", "alerts.db"] {
        let newer = Connection::open(folder.path().join(name)).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
    }
    let checked = serve(folder.path(), "127.0.0.1:0", true);
    assert_eq!(checked.status, 1);
    let lines = checked.stderr.lines().filter(|line| line.contains("version 99")).count();
    assert!(lines == 3 && !checked.stderr.contains("\\u000a"), "{}", checked.stderr);
}
