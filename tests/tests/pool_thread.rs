//! The thread that derives keys ahead: it starts with the second entry, and ends with its sealer.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Message, Node, Sealer, Secret, Timestamp};

/// How many threads of this process derive keys ahead.
fn pool_threads() -> usize {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
        .filter(|name| name.trim() == "logflux-keys")
        .count()
}

fn seal(sealer: &Sealer) {
    let node = Node::new("n").unwrap();
    let message =
        Message { bytes: b"line", node: &node, level: Level::Info, timestamp: Timestamp::now() };
    sealer.seal(message).unwrap();
}

#[test]
fn it_starts_with_the_second_entry_and_ends_with_its_sealer() {
    let sealers =
        [(); 3].map(|()| Sealer::new(Secret::new("correct horse battery staple").unwrap()));
    sealers.iter().for_each(seal);
    assert_eq!(pool_threads(), 0, "one entry needs no key but the first");
    sealers.iter().for_each(seal);
    // A thread takes its name when it first runs.
    wait_for(3);
    drop(sealers);
    wait_for(0);
}

fn wait_for(threads: usize) {
    let begun = Instant::now();
    while pool_threads() != threads {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} and not {threads}", pool_threads());
        thread::sleep(Duration::from_millis(5));
    }
}
