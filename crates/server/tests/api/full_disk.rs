//! A disk that has no room left, while the server runs (on a tmpfs, where one may be mounted).

use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::sync::Barrier;

use logflux_server::monitor::Alerts;
use logflux_server::{Keys, Scope, Scopes, Server, dev_tls};

use crate::common::{Parts, TestServer, array, config, new_key};

#[test]
fn a_full_disk_is_507_and_nothing_of_the_request_is_stored() {
    let Some(mount) = Tmpfs::mount("size=3m") else { return };
    let disk = mount.0.path().join("data");
    let server = TestServer::with(|config| config.data = disk.clone());
    let keys = Keys::open(&disk).unwrap();
    let key = new_key(&keys, "acme", Scopes::from(Scope::Ingest).and(Scope::Read));
    let mut stored = Vec::new();
    let refused = loop {
        let sent = Parts { payload: vec![200; 100_000], ..Parts::default() }.json();
        let answer = server.post_with(&key, "/v1/ingest", &sent);
        if answer.status != 200 {
            answer.error(507, "storage_full");
            break sent;
        }
        stored.push(sent);
        assert!(stored.len() < 100, "3 MiB never fill");
    };
    assert!(!stored.is_empty());
    server.post_with(&key, "/v1/ingest", &refused).error(507, "storage_full");
    // Reading goes on, and what was refused is not there.
    let held = server.get_with(&key, "/v1/entries?order=asc").entries();
    assert_eq!(held, stored);
    // So does writing, once there is room again.
    mount.remount("size=30m");
    server.post_with(&key, "/v1/ingest", &refused).stored(1, 0);
}

#[test]
fn a_server_that_cannot_start_on_a_full_disk_says_that_it_is_full() {
    let Some(mount) = Tmpfs::mount("size=3m") else { return };
    let disk = mount.0.path().join("data");
    let dev = dev_tls(&disk).unwrap();
    let start = || Server::bind(config(&disk, dev.files.clone()));
    start().unwrap().spawn().unwrap().stop().unwrap();
    let mut others = File::create(mount.0.path().join("others")).unwrap();
    while others.write_all(&[1; 512]).is_ok() {}
    let ended = [
        ("entries", start().err().map(|error| error.to_string())),
        ("keys", Keys::open(&disk).err().map(|error| error.to_string())),
        ("alerts", Alerts::open(&disk).err().map(|error| error.to_string())),
    ];
    for (database, error) in ended {
        assert!(
            error.as_ref().is_some_and(|e| e.contains("disk is full")),
            "{database}: {error:?}"
        );
    }
    mount.remount("size=30m");
    start().unwrap().spawn().unwrap().stop().unwrap();
}

/// How many send at once while the disk fills.
const SENDERS: usize = 4;

#[test]
fn a_disk_that_fills_under_load_and_is_cleared_loses_nothing_that_was_answered() {
    let Some(mount) = Tmpfs::mount("size=16m") else { return };
    let disk = mount.0.path().join("data");
    let others = mount.0.path().join("others");
    std::fs::write(&others, vec![1; 10 << 20]).unwrap();
    let server = TestServer::with(|config| config.data = disk.clone());
    let keys = Keys::open(&disk).unwrap();
    let key = new_key(&keys, "acme", Scopes::from(Scope::Ingest).and(Scope::Read));

    let (full, cleared) = (Barrier::new(SENDERS + 1), Barrier::new(SENDERS + 1));
    let mut acknowledged: Vec<String> = std::thread::scope(|scope| {
        let sender = || {
            let mut acknowledged = Vec::new();
            let mut refused = Vec::new();
            while refused.len() < 10 {
                let batch = batch();
                let answer = server.post_with(&key, "/v1/ingest", array(&batch));
                if answer.status == 200 {
                    answer.stored(batch.len(), 0);
                    acknowledged.extend(batch);
                } else {
                    answer.error(507, "storage_full");
                    refused.push(batch);
                }
                assert!(acknowledged.len() < 10_000, "16 MiB never fill");
            }
            full.wait();
            cleared.wait();
            // None of it was stored before, and all of it is now.
            for batch in refused {
                server.post_with(&key, "/v1/ingest", array(&batch)).stored(batch.len(), 0);
                acknowledged.extend(batch);
            }
            acknowledged
        };
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(sender)).collect();
        full.wait();
        assert_eq!(server.send("GET", "/health", &[], b"").status, 200);
        assert_eq!(server.get_with(&key, "/v1/entries?limit=1").entries().len(), 1);
        std::fs::remove_file(&others).unwrap();
        cleared.wait();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    acknowledged.sort();
    assert!(acknowledged.len() > 200, "only {} were answered", acknowledged.len());
    assert!(all(&server, &key) == acknowledged, "before the restart");
    drop(server);
    let server = TestServer::with(|config| config.data = disk.clone());
    assert!(all(&server, &key) == acknowledged, "after the restart");
}

/// Five entries of 2 KiB.
fn batch() -> Vec<String> {
    (0..5).map(|_| Parts { payload: vec![200; 2_048], ..Parts::default() }.json()).collect()
}

/// Every entry that is stored, sorted.
fn all(server: &TestServer, key: &str) -> Vec<String> {
    let (mut held, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get_with(key, &format!("/v1/entries?limit=1000{cursor}"));
        held.extend(page.entries());
        match page.cursor() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    held.sort();
    held
}

/// A small disk; it is gone when this is dropped.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    /// None, and a line about it, where this process may not mount one.
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .output()
            .map_err(|error| error.to_string())
            .and_then(|output| match output.status.success() {
                true => Ok(Self(folder)),
                false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            });
        mounted.map_err(|reason| println!("not tried, as there is no tmpfs to fill: {reason}")).ok()
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options]).arg(self.0.path()).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}
