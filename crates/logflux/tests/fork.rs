//! A `fork` of a process that logs. Alone in its file, since it forks and threads run.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

mod place;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fork::{Fork, fork, waitpid_nohang};
use place::{ENOUGH, Place};

/// Runs `work` in a child, which ends with it. True if it ended well in time.
fn in_child(work: impl FnOnce()) -> bool {
    let pid = match fork().unwrap() {
        Fork::Child => {
            // A panic must not unwind into the child's copy of the test runner.
            let result = catch_unwind(AssertUnwindSafe(work));
            std::process::exit(i32::from(result.is_err()));
        }
        Fork::Parent(pid) => pid,
    };
    let begun = Instant::now();
    loop {
        match waitpid_nohang(pid) {
            Ok(Some(status)) => return status == 0,
            Ok(None) if begun.elapsed() < ENOUGH => thread::sleep(Duration::from_millis(2)),
            _ => return false,
        }
    }
}

#[test]
fn a_child_logs_its_own_messages_and_none_of_its_parents() {
    let place = Place::new();
    let spool = tempfile::tempdir().unwrap();
    for (kind, spool_dir) in [("memory", None), ("spool", Some(spool.path()))] {
        let mut config = place.config().flush_interval(ENOUGH);
        if let Some(folder) = spool_dir {
            config = config.spool_dir(folder);
        }
        let guard = logflux::init(config).unwrap();
        logflux::info!("{kind}: parent, delivered before the fork");
        guard.flush(ENOUGH).unwrap();
        logflux::info!("{kind}: parent, waits at the fork");
        assert!(guard.stats().pending > 0);
        let well = in_child(|| {
            assert_eq!(guard.stats().accepted, 0);
            logflux::info!("{kind}: child");
            assert!(logflux::init(place.config()).is_err());
            // Each process has a copy of the guard, and what one drops is not the other's.
            drop(guard);
            logflux::info!("{kind}: nobody listens in the child");
            let second = logflux::init(place.config()).unwrap();
            logflux::info!("{kind}: child, a client of its own");
            drop(second);
        });
        assert!(well, "{kind}: the child hangs or failed");
        // The parent's guard went with the work that only the child does.
        assert!(logflux::client().is_none());
        let mut stored = place.texts();
        stored.retain(|text| text.starts_with(kind));
        stored.sort();
        let expected = [
            "child",
            "child, a client of its own",
            "parent, delivered before the fork",
            "parent, waits at the fork",
        ];
        assert_eq!(stored, expected.map(|text| format!("{kind}: {text}")));
    }
}

/// A connection that both used would encrypt two different requests with one key and one nonce.
#[test]
fn a_child_never_sends_on_a_connection_of_its_parents() {
    let place = Place::new();
    let guard = logflux::init(place.config()).unwrap();
    logflux::info!("parent 1");
    guard.flush(ENOUGH).unwrap();
    let client = logflux::client().unwrap();
    let well = in_child(|| {
        logflux::info!("child");
        client.flush(ENOUGH).unwrap();
        assert_eq!((client.stats().delivered, client.stats().retries), (1, 0));
    });
    assert!(well, "the child hangs or failed");
    logflux::info!("parent 2");
    guard.flush(ENOUGH).unwrap();
    let stats = guard.stats();
    // On a connection that the child had used the server would not understand the parent.
    assert_eq!((stats.delivered, stats.retries, stats.last_error), (2, 0, None));
    drop(guard);
    assert_eq!(place.texts(), ["parent 1", "child", "parent 2"]);
}

#[test]
fn a_process_that_exits_without_dropping_its_guard_loses_nothing() {
    let place = Place::new();
    let well = in_child(|| {
        let guard = logflux::init(place.config().flush_interval(ENOUGH)).unwrap();
        logflux::info!("last words");
        std::mem::forget(guard);
    });
    assert!(well, "the child hangs or failed");
    assert_eq!(place.texts(), ["last words"]);
}

#[test]
fn a_child_logs_whatever_the_other_threads_of_its_parent_were_doing() {
    const FORKS: usize = 20;
    let place = Place::new();
    let guard = logflux::init(place.config().queue_size(100_000)).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    logflux::debug!("parent, {} of many", 1);
                    let _ = logflux::client().map(|client| client.stats());
                    thread::sleep(Duration::from_micros(200));
                }
            });
        }
        let well = (0..FORKS)
            .filter(|fork| {
                in_child(|| {
                    let client = logflux::client().unwrap();
                    logflux::emergency!("child {fork}");
                    client.close(ENOUGH).unwrap();
                    assert_eq!(client.stats().delivered, 1);
                })
            })
            .count();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(well, FORKS, "children that ended well");
    });
    guard.close(ENOUGH).unwrap();
    let stats = guard.stats();
    assert_eq!((stats.delivered, stats.dropped.total()), (stats.accepted, 0), "{stats:?}");
    drop(guard);
    let stored = place.stored_from(logflux::Level::Emergency);
    assert_eq!(stored, (0..FORKS).map(|fork| format!("child {fork}")).collect::<Vec<_>>());
}
