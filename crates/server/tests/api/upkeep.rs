//! What a server keeps, and on which disk.

use std::process::Command;
use std::time::{Duration, Instant};

use logflux_server::{Server, sqlite};

use crate::common::{TestServer, array, config, entries, entry};

#[test]
fn entries_that_are_too_old_are_gone_and_the_server_goes_on() {
    let server = TestServer::with(|config| config.store.retain = Some(Duration::from_secs(2)));
    server.post("/v1/batch", array(&entries(50))).stored(50, 0);
    assert_eq!(server.stored().len(), 50);
    let began = Instant::now();
    while !server.stored().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(began.elapsed() > Duration::from_millis(500), "they are kept for their time");
    let again = entry();
    server.post("/v1/ingest", &again).stored(1, 0);
    server.post("/v1/ingest", &again).stored(1, 1);
}

#[test]
fn a_setting_that_makes_no_sense_is_refused_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    let dev = logflux_server::dev_tls(data.path()).unwrap();
    let start = |change: &dyn Fn(&mut logflux_server::ServerConfig)| {
        let mut config = config(data.path(), dev.files.clone());
        change(&mut config);
        Server::bind(config).unwrap_err().to_string()
    };
    let retain = start(&|config| config.store.retain = Some(Duration::ZERO));
    assert!(retain.contains("retain"), "{retain}");
    let rule = start(&|config| config.monitor.limit_near.percent = 0);
    assert!(rule.contains("limit_near.percent"), "{rule}");
}

#[test]
fn two_servers_cannot_have_one_store() {
    let server = TestServer::start();
    let dev = logflux_server::dev_tls(server.data()).unwrap();
    let error = Server::bind(config(server.data(), dev.files)).unwrap_err().to_string();
    assert!(error.contains("another process"), "{error}");
}

#[test]
fn a_store_that_cannot_be_written_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |options: &str| {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .stderr(std::process::Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    if !mount("size=30m") {
        return println!("not tried, as there is no tmpfs to mount");
    }
    let data = folder.path().join("data");
    let dev = logflux_server::dev_tls(&data).unwrap();
    drop(Server::bind(config(&data, dev.files.clone())).unwrap());
    assert!(mount("remount,ro"));
    let error = Server::bind(config(&data, dev.files)).unwrap_err().to_string();
    // It can still be looked at.
    let stats = sqlite::stats(&data);
    Command::new("umount").arg("-l").arg(folder.path()).status().unwrap();
    assert!(error.to_lowercase().contains("read-only"), "{error}");
    assert!(stats.is_err() || stats.is_ok_and(|stats| stats.entries == 0));
}
