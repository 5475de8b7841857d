//! A process that logs is killed at random moments, while the server comes and goes: every line that
//! a flush acknowledged is stored, once.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use logflux_envelope::Mode;
use logflux_server::Running;
use logflux_tests::{ENOUGH, Place, logged, number, secret, wait_for};
use logflux_transport::Client;

/// A duration below a bound.
fn random(below: Duration) -> Duration {
    let millionth = u32::try_from(RandomState::new().hash_one(()) % 1_000_000).unwrap();
    below / 1_000_000 * millionth
}

/// Lets a process log until it is killed, and gives how many lines a flush had acknowledged.
fn log_until_killed(place: &Place, spool: &Path, run: usize) -> u64 {
    let mut process = Command::new(env!("CARGO_BIN_EXE_logging-process"))
        .arg(run.to_string())
        .env("LOGFLUX_SERVER_URL", format!("https://{}", place.address()))
        .env("LOGFLUX_API_KEY", place.key().expose())
        .env("LOGFLUX_SECRET", "correct horse battery staple")
        .env("LOGFLUX_NODE", "n")
        .env("LOGFLUX_CA_FILE", place.ca_file())
        .env("LOGFLUX_SPOOL_DIR", spool)
        .env("LOGFLUX_INITIAL_DELAY", "5ms")
        .env("LOGFLUX_MAX_DELAY", "50ms")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let first = said.next().transpose().unwrap();
    // From the first flush on; before it there is nothing to lose.
    let reader = thread::spawn(move || said.map_while(Result::ok).last());
    thread::sleep(random(Duration::from_millis(300)));
    process.kill().unwrap();
    let status = process.wait().unwrap();
    assert!(status.code().is_none(), "it ended by itself: {status}");
    let last = reader.join().unwrap().or(first).unwrap();
    last.parse().unwrap()
}

/// Stops and starts the server at random moments, until it is told to leave it running.
fn come_and_go(place: &Place, mut running: Option<Running>, over: &AtomicBool) -> Running {
    while !over.load(Ordering::Relaxed) {
        thread::sleep(random(Duration::from_millis(400)));
        running = match running {
            Some(running) => {
                running.stop().unwrap();
                None
            }
            None => Some(place.serve()),
        };
    }
    running.unwrap_or_else(|| place.serve())
}

/// After so many kills everything is delivered, or the spool would be full.
const ROUND: usize = 25;

#[test]
fn no_acknowledged_line_is_lost_or_stored_twice_when_a_process_is_killed() {
    let kills = number("LOGFLUX_TEST_KILLS", 25);
    for done in (0..kills).step_by(ROUND) {
        killed_and_delivered(ROUND.min(kills - done));
    }
}

fn killed_and_delivered(kills: usize) {
    let (place, running) = Place::new();
    let spool = tempfile::tempdir().unwrap();
    let over = AtomicBool::new(false);
    let (acknowledged, _running) = thread::scope(|scope| {
        let server = scope.spawn(|| come_and_go(&place, Some(running), &over));
        let acknowledged: Vec<u64> =
            (0..kills).map(|run| log_until_killed(&place, spool.path(), run)).collect();
        over.store(true, Ordering::Relaxed);
        (acknowledged, server.join().unwrap())
    });

    // The last process finds what the others left.
    let mut settings = place.settings();
    settings.spool_dir = Some(spool.path().to_owned());
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    client.info("last 0");
    wait_for(&client, "an empty spool", |stats| stats.pending + stats.spooled == 0);
    client.close(ENOUGH).unwrap();
    let stats = logged(&client);
    assert_eq!(stats.dropped.total(), 0, "{stats:?}");

    // Entries open, or this would fail: none is corrupt.
    let stored = place.stored();
    let distinct: HashSet<&String> = stored.iter().collect();
    assert_eq!(distinct.len(), stored.len(), "lines are stored twice");
    let mut runs: BTreeMap<&str, HashSet<u64>> = BTreeMap::new();
    for line in &stored {
        let (run, line) = line.split_once(' ').unwrap();
        runs.entry(run).or_default().insert(line.parse().unwrap());
    }
    let mut lost = Vec::new();
    for (run, acknowledged) in acknowledged.iter().enumerate() {
        let there = runs.remove(&*run.to_string()).unwrap_or_default();
        lost.extend((0..*acknowledged).filter(|line| !there.contains(line)).map(|l| (run, l)));
    }
    println!(
        "{kills} kills; {} lines acknowledged, {} stored, {} lost",
        acknowledged.iter().sum::<u64>(),
        stored.len(),
        lost.len()
    );
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(runs.into_keys().collect::<Vec<_>>(), ["last"]);
}
