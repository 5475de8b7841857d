//! `spool`, on folders as a client leaves them.

use std::fs;
use std::path::{Path, PathBuf};

use logflux_transport::{Spool, SpoolOptions};

use crate::run::logflux;
use crate::server::Server;

/// Spools these messages, and gives what holds the folder.
fn spool(folder: &Path, mode: &str, messages: &str) -> Spool {
    let args = ["seal", "--mode", mode, "--timestamp", "2024-01-17T10:30:45Z"];
    let sealed = logflux(&args).input(messages).ok();
    let (mut spool, _) = Spool::open_own(folder, SpoolOptions::default()).unwrap();
    for entry in sealed.lines() {
        spool.append(entry.as_bytes()).unwrap();
    }
    spool.sync().unwrap();
    spool
}

fn path(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

fn inspect(folder: &Path) -> Vec<serde_json::Value> {
    let json = logflux(&["spool", "inspect", "--format", "json", path(folder)]).run().ok();
    json.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn segment(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder.join("own-0000")).unwrap().map(|file| file.unwrap().path());
    files.find(|path| path.extension().is_some_and(|end| end == "seg")).unwrap()
}

#[test]
fn what_waits_is_told_printed_shipped_and_forgotten() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let folder = tempfile::tempdir().unwrap();
    drop(spool(folder.path(), "1", "one\ntwo\nthree\n"));
    let text = logflux(&["spool", "inspect", path(folder.path())]).run().ok();
    assert!(text.contains("own-0000\n  entries       3 in "), "{text}");
    assert!(text.contains("2024-01-17T10:30:45Z to 2024-01-17T10:30:45Z"), "{text}");
    assert!(text.contains("  damage        none\n  dead letters  0\n"), "{text}");
    let found = inspect(folder.path());
    assert_eq!((found.len(), &found[1]["entries"], &found[1]["lost"]), (2, &3.into(), &0.into()));
    let exported = logflux(&["spool", "export", path(folder.path())]).run().ok();
    assert_eq!(logflux(&["open"]).input(&exported).ok(), "one\ntwo\nthree\n");
    let retry = ["spool", "retry", "--format", "json", path(folder.path())];
    let report = server.call(&key, &retry).run().ok();
    assert!(report.contains("\"stored\":3") && report.contains("\"refused\":0"), "{report}");
    assert!(server.call(&key, &retry).run().ok().contains("\"stored\":0"));
    assert_eq!(inspect(folder.path())[1]["entries"], 0);
    let back = server.call(&key, &["query", "--order", "asc"]).run().ok();
    assert_eq!(back, "one\ntwo\nthree\n");
}

#[test]
fn what_the_server_does_not_answer_stays() {
    let server = Server::start();
    let key = server.key("ingest");
    let folder = tempfile::tempdir().unwrap();
    drop(spool(folder.path(), "1", "one\ntwo\n"));
    let ended = server
        .call(&key, &["spool", "retry", path(folder.path())])
        .env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1")
        .run();
    assert_eq!((ended.status, ended.stdout.as_str()), (1, ""));
    assert!(ended.stderr.contains("2 entries are left in "), "{}", ended.stderr);
    assert_eq!(inspect(folder.path())[1]["entries"], 2);
}

#[test]
fn what_the_server_refuses_is_a_dead_letter_with_its_reason() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let folder = tempfile::tempdir().unwrap();
    drop(spool(folder.path(), "3", "not in this mode\n"));
    drop(spool(folder.path(), "1", "good\n"));
    let retry = |args: &[&str]| {
        server.call(&key, &[&["spool", "retry"], args, &[path(folder.path())]].concat()).run()
    };
    let ended = retry(&[]);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("refused: unsupported_mode"), "{}", ended.stderr);
    let found = inspect(folder.path());
    assert_eq!((&found[1]["entries"], &found[1]["dead_letters"]), (&0.into(), &1.into()));
    assert_eq!(server.call(&key, &["query"]).run().ok(), "good\n");
    let dead = logflux(&["spool", "export", "--dead", path(folder.path())]).run().ok();
    let letter: serde_json::Value = serde_json::from_str(&dead).unwrap();
    assert_eq!((&letter["code"], &letter["status"]), (&"unsupported_mode".into(), &400.into()));
    let entry = logflux(&["open"]).input(letter["entry"].to_string()).ok();
    assert_eq!(entry, "not in this mode\n");
    // It is shipped again where that is asked, and stays as long as it is refused.
    assert_eq!(retry(&[]).status, 0);
    assert_eq!(retry(&["--dead"]).status, 1);
    assert_eq!(inspect(folder.path())[1]["dead_letters"], 1);
    // A letter that the server takes is gone.
    let good = logflux(&["seal"]).input("late\n").ok();
    let reason = dead.split_once("},\"status\"").unwrap().1;
    let line = format!("{{\"entry\":{},\"status\"{reason}", good.trim_end());
    fs::write(folder.path().join("own-0000/dead.ndjson"), line).unwrap();
    assert_eq!(retry(&["--dead"]).status, 0);
    assert_eq!(inspect(folder.path())[1]["dead_letters"], 0);
    assert!(server.call(&key, &["query"]).run().ok().contains("late\n"));
}

#[test]
fn a_spool_in_use_is_looked_into_and_not_shipped() {
    let server = Server::start();
    let key = server.key("ingest");
    let folder = tempfile::tempdir().unwrap();
    let owner = spool(folder.path(), "1", "one\n");
    assert_eq!(inspect(folder.path())[1]["entries"], 1);
    let ended = server.call(&key, &["spool", "retry", path(folder.path())]).run();
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("own-0000 is in use"), "{}", ended.stderr);
    assert_eq!(owner.len(), 1);
}

#[test]
fn damage_is_told_and_costs_no_other_entry() {
    let folder = tempfile::tempdir().unwrap();
    drop(spool(folder.path(), "1", "one\ntwo\nthree\n"));
    let segment = segment(folder.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes[100] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let text = logflux(&["spool", "inspect", path(folder.path())]).run().ok();
    assert!(text.contains("  damage        1 records, "), "{text}");
    let exported = logflux(&["spool", "export", path(folder.path())]).run().ok();
    assert_eq!(logflux(&["open"]).input(&exported).ok(), "two\nthree\n");
}

#[test]
fn what_is_no_folder_is_an_error() {
    for action in ["inspect", "export"] {
        let ended = logflux(&["spool", action, "/nonexistent/spool"]).run();
        assert_eq!((ended.status, ended.stdout.as_str()), (1, ""));
        assert!(ended.stderr.contains("/nonexistent/spool: No such file"), "{}", ended.stderr);
    }
}

#[test]
#[cfg(unix)]
fn what_cannot_be_read_is_named_and_costs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    drop(spool(folder.path(), "1", "one\ntwo\n"));
    // A folder that is none, and a segment that is a link: neither is followed.
    fs::write(folder.path().join("own-0001"), b"a file").unwrap();
    std::os::unix::fs::symlink(folder.path().join("own-0000"), folder.path().join("own-0002"))
        .unwrap();
    let link = folder.path().join("own-0000/00000007-0000000000000009-000000000000000a.seg");
    std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
    for command in ["inspect", "export"] {
        let ended = logflux(&["spool", command, path(folder.path())]).run();
        assert_eq!(ended.status, 1, "{}", ended.stderr);
        let told = |what: &str| {
            let line = ended.stderr.lines().find(|line| line.contains(what));
            assert!(line.is_some_and(|line| line.contains("is skipped: ")), "{}", ended.stderr);
        };
        told("own-0001");
        told("own-0002");
        told("000a.seg");
        assert_eq!(ended.stderr.lines().count(), 3, "{}", ended.stderr);
    }
    let ended = logflux(&["spool", "export", path(folder.path())]).run();
    assert_eq!(logflux(&["open"]).input(&ended.stdout).ok(), "one\ntwo\n");
}
