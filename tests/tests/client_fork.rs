//! A `fork` of a process with a client at work, whatever its threads hold: the child has a client of
//! its own, and sends nothing of its parent's.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use logflux_envelope::Mode;
use logflux_tests::{ENOUGH, Place, assert_conserved, in_child, logged, number, secret};
use logflux_transport::{Client, QueueSize};
use tempfile::TempDir;

/// What a child does with the client that it finds.
fn log_in_child(client: &Client, child: usize) {
    assert_eq!(client.stats().accepted, 0, "the parent's messages are counted");
    for line in 0..10 {
        client.info(&format!("child {child} {line}"));
    }
    client.flush(ENOUGH).unwrap();
    client.close(ENOUGH).unwrap();
    let stats = client.stats();
    assert_conserved(&stats);
    assert_eq!((stats.accepted, stats.dropped.total(), stats.spooled), (10, 0, 0), "{stats:?}");
    assert_eq!((stats.delivered, stats.retries), (10, 0), "{stats:?}");
}

fn forks(spool: Option<&TempDir>) {
    let forks = number("LOGFLUX_TEST_FORKS", 25);
    let (place, _running) = Place::new();
    let mut settings = place.settings();
    settings.spool_dir = spool.map(|folder| folder.path().to_owned());
    settings.queue_size = QueueSize::new(1_000_000).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    let (stop, logged_lines) = (AtomicBool::new(false), AtomicUsize::new(0));
    let failed = thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let line = logged_lines.fetch_add(1, Ordering::Relaxed);
                    client.info(&format!("parent {line}"));
                    assert_conserved(&client.stats());
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
        let failed = (0..forks)
            .filter(|child| !in_child(|| log_in_child(&client, *child)))
            .collect::<Vec<_>>();
        stop.store(true, Ordering::Relaxed);
        failed
    });
    assert!(failed.is_empty(), "children that hang or failed: {failed:?}");
    client.close(ENOUGH).unwrap();
    let stats = logged(&client);
    let parents = logged_lines.load(Ordering::Relaxed);
    assert_eq!((stats.delivered, stats.dropped.total()), (parents as u64, 0), "{stats:?}");

    let mut stored: HashMap<String, usize> = HashMap::new();
    for line in place.stored() {
        *stored.entry(line).or_default() += 1;
    }
    for line in (0..parents).map(|line| format!("parent {line}")) {
        assert_eq!(stored.remove(&line), Some(1), "{line}");
    }
    for (child, line) in (0..forks).flat_map(|child| (0..10).map(move |line| (child, line))) {
        let line = format!("child {child} {line}");
        assert_eq!(stored.remove(&line), Some(1), "{line}");
    }
    assert_eq!(stored, HashMap::new());
    println!("{forks} forks, while the parent logged {parents} lines");
}

#[test]
fn a_child_of_a_process_with_a_client_at_work_has_one_of_its_own() {
    forks(None);
}

#[test]
fn a_child_of_a_process_with_a_spool_has_a_folder_of_its_own() {
    forks(Some(&tempfile::tempdir().unwrap()));
}
