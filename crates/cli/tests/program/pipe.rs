//! `pipe` and `send --follow`: for programs that cannot be changed.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::server::Server;

const ENOUGH: Duration = Duration::from_secs(60);

#[test]
fn lines_pass_through_and_arrive() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let lines: String = (0..1_500).map(|i| format!("line {i}\n")).collect();
    let ended = server.call(&key, &["pipe", "--node", "web-1", "--level", "notice"]).input(&lines);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, lines.as_str()), "{}", ended.stderr);
    let back = server.call(&key, &["query", "--limit", "0", "--order", "asc"]).run().ok();
    assert_eq!(back, lines);
    let long = server.call(&key, &["query", "--limit", "1", "--format", "long"]).run().ok();
    assert!(long.contains(" notice    web-1 line "), "{long}");
}

#[test]
fn lines_pass_through_without_a_server_and_what_is_lost_is_counted() {
    let server = Server::start();
    let key = server.key("ingest");
    let call = |args: &[&str]| {
        let args =
            [&["pipe", "--server-url", "https://127.0.0.1:1", "--close-timeout", "1s"], args];
        server.call(&key, &args.concat()).env("LOGFLUX_MAX_RETRIES", "1000")
    };
    let ended = call(&[]).input("one\ntwo\n");
    assert_eq!((ended.status, ended.stdout.as_str()), (1, "one\ntwo\n"));
    assert!(ended.stderr.contains("2 lines were not delivered"), "{}", ended.stderr);
    let ended = call(&["--spool-dir", "spool"]).input("one\ntwo\n");
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "one\ntwo\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 lines are in the spool"), "{}", ended.stderr);
}

#[test]
fn a_file_is_followed_through_a_rotation_until_the_program_is_told_to_end() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let path = server.folder.path().join("app.log");
    fs::write(&path, "old\n").unwrap();
    let mut call = server.call(&key, &["send", "--follow", "--from-start", "app.log"]);
    let mut child =
        call.0.env("LOGFLUX_FLUSH_INTERVAL", "50ms").stdin(Stdio::null()).spawn().unwrap();
    let stored = || server.call(&key, &["query", "--order", "asc"]).run().ok();
    let wait_for = |expected: &str| {
        let begun = Instant::now();
        while stored() != expected {
            assert!(begun.elapsed() < ENOUGH, "{}", stored());
            thread::sleep(Duration::from_millis(50));
        }
    };
    wait_for("old\n");
    fs::rename(&path, server.folder.path().join("app.log.1")).unwrap();
    fs::write(&path, "new\n").unwrap();
    wait_for("old\nnew\n");
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"last\n").unwrap();
    thread::sleep(Duration::from_millis(500));
    // Asked to end, it delivers what it has read.
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert_eq!(stored(), "old\nnew\nlast\n");
}

/// How many kills in the short form; the long one is a thousand.
fn kills() -> usize {
    std::env::var("LOGFLUX_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

/// After so many kills everything is delivered, or the spool would be full.
const ROUND: usize = 25;

/// Writes numbered lines into a durable pipe and kills it with SIGKILL in the middle; gives the
/// lines that it had passed through, each of which it had made durable before.
fn killed_pipe(server: &Server, key: &str, run: usize) -> Vec<String> {
    let mut call = server.call(key, &["pipe", "--durable", "--spool-dir", "spool"]);
    call.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = call.0.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        for i in 0.. {
            if writeln!(stdin, "run {run} line {i}").is_err() {
                return;
            }
            if i % 50 == 0 {
                thread::sleep(Duration::from_millis(2));
            }
        }
    });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut durable: Vec<String> = lines.by_ref().take(1).map(Result::unwrap).collect();
    // Somewhere between its first lines and some hundred milliseconds later.
    let pause = Duration::from_millis(u64::try_from(run * 37 % 150).unwrap());
    let killer = thread::spawn(move || {
        thread::sleep(pause);
        kill(&mut child);
    });
    durable.extend(lines.map_while(Result::ok));
    killer.join().unwrap();
    writer.join().unwrap();
    durable
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_was_durable_survives_any_number_of_kills_and_is_stored_once() {
    for first in (0..kills()).step_by(ROUND) {
        killed_and_delivered(first..kills().min(first + ROUND));
    }
}

fn killed_and_delivered(runs: Range<usize>) {
    let kills = runs.len();
    let mut server = Server::start();
    let key = server.key("ingest,read");
    let mut durable = Vec::new();
    for run in runs {
        // The server goes down, and comes back at the same address.
        match run % 4 {
            1 => server.kill(),
            3 => server.restart(),
            _ => {}
        }
        durable.extend(killed_pipe(&server, &key, run));
    }
    server.restart();
    // A last pipe, which is not killed, delivers what the others left.
    let last = ["pipe", "--spool-dir", "spool", "--close-timeout", "60s"];
    let ended = server.call(&key, &last).env("LOGFLUX_MAX_RETRIES", "100").input("the end\n");
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let stored = server.call(&key, &["query", "--limit", "0"]).run().ok();
    let mut count: HashMap<&str, u32> = HashMap::new();
    for line in stored.lines() {
        *count.entry(line).or_default() += 1;
    }
    let lost: Vec<_> = durable.iter().filter(|line| !count.contains_key(line.as_str())).collect();
    assert!(
        lost.is_empty(),
        "{} of {} durable lines are lost: {:?}",
        lost.len(),
        durable.len(),
        lost.first()
    );
    let twice: Vec<_> = count.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(durable.len() >= kills, "{}", durable.len());
}
