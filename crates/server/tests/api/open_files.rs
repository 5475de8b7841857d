//! How many files a server may have open (on Linux, where that can be seen from outside).

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use logflux_server::{Server, dev_tls};

use crate::common::config;

/// Not a test by itself: the server that the other test starts.
#[test]
fn a_server_with_few_open_files() {
    let Ok(data) = std::env::var("LOGFLUX_TEST_OPEN_FILES") else { return };
    let data = std::path::PathBuf::from(data);
    let dev = dev_tls(&data).unwrap();
    Server::bind(config(&data, dev.files)).unwrap().run().unwrap();
}

#[test]
fn a_server_may_have_as_many_files_open_as_the_hard_limit_says() {
    let data = tempfile::tempdir().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -S -n 300 && ulimit -H -n 900 && exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "open_files::a_server_with_few_open_files", "--nocapture"])
        .env("LOGFLUX_TEST_OPEN_FILES", data.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let open_files = || {
        let limits = std::fs::read_to_string(&limits).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        line.split_whitespace().skip(3).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let began = Instant::now();
    while open_files() != ["900", "900"] && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let found = open_files();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(found, ["900", "900"]);
}
