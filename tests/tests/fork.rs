//! A `fork` in a host that seals: parent and child share no salt with an iv, and no lock stays
//! locked.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use logflux_envelope::{
    Entry, Iv, KeyPolicy, Level, Message, Mode, Node, Opener, Salt, Sealer, Timestamp,
};
use logflux_tests::{in_child, number, secret};

fn seal(sealer: &Sealer, count: usize) -> Vec<u8> {
    let node = Node::new("n").unwrap();
    let message =
        Message { bytes: b"line", node: &node, level: Level::Info, timestamp: Timestamp::now() };
    let mut out = Vec::new();
    for _ in 0..count {
        sealer.seal_json(message, &mut out).unwrap();
        out.push(b'\n');
    }
    out
}

fn pairs(lines: &[u8]) -> HashSet<(Salt, Iv)> {
    let opener = Opener::new(secret());
    lines
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let entry = Entry::parse_strict(line).unwrap();
            assert_eq!(opener.open(&entry).unwrap(), "line");
            (*entry.salt(), *entry.iv())
        })
        .collect()
}

/// What a child wrote into `file`.
fn sealed_in_child(sealer: &Sealer, count: usize, file: &Path) -> Vec<u8> {
    let ended = in_child(|| fs::write(file, seal(sealer, count)).unwrap());
    assert!(ended, "the child hangs or failed");
    fs::read(file).unwrap()
}

#[test]
fn a_child_of_a_process_with_a_full_pool_seals_with_salts_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let policy =
        KeyPolicy::Adaptive { budget: 1.0, max_entries: 65_536, max_age: Duration::from_secs(60) };
    for (mode, full) in [(Mode::Pbkdf2, 16), (Mode::Hkdf, 0)] {
        let sealer = Sealer::builder(secret()).mode(mode).key_policy(policy).build().unwrap();
        let before = seal(&sealer, 3);
        while sealer.stats().pool_level < full {
            thread::sleep(Duration::from_millis(20));
        }
        let first = sealed_in_child(&sealer, 20, &folder.path().join("first"));
        let second = sealed_in_child(&sealer, 20, &folder.path().join("second"));
        let after = seal(&sealer, 20);
        let all = [pairs(&before), pairs(&first), pairs(&second), pairs(&after)];
        assert_eq!(all.iter().map(HashSet::len).collect::<Vec<_>>(), [3, 20, 20, 20]);
        let distinct: HashSet<_> = all.iter().flatten().collect();
        assert_eq!(distinct.len(), 63, "{mode}: a salt and iv are shared");
        // A salt belongs to one process; in mode 128 its first half, the epoch, does.
        let owned = |set: &HashSet<(Salt, Iv)>| -> HashSet<Vec<u8>> {
            let part = if mode == Mode::Hkdf { 16 } else { 32 };
            set.iter().map(|(salt, _)| salt.as_bytes()[..part].to_vec()).collect()
        };
        let parent: HashSet<_> = owned(&all[0]).union(&owned(&all[3])).cloned().collect();
        assert!(parent.is_disjoint(&owned(&all[1])), "{mode}");
        assert!(parent.is_disjoint(&owned(&all[2])), "{mode}");
        assert!(owned(&all[1]).is_disjoint(&owned(&all[2])), "{mode}");
    }
}

#[test]
fn a_grandchild_has_salts_of_its_own_too() {
    let folder = tempfile::tempdir().unwrap();
    let sealer = Sealer::new(secret());
    let parent = seal(&sealer, 5);
    let (child, grandchild) = (folder.path().join("child"), folder.path().join("grandchild"));
    let ended = in_child(|| {
        fs::write(&child, seal(&sealer, 5)).unwrap();
        sealed_in_child(&sealer, 5, &grandchild);
    });
    assert!(ended, "the child hangs or failed");
    let salts: Vec<HashSet<Salt>> =
        [parent, fs::read(child).unwrap(), fs::read(grandchild).unwrap()]
            .iter()
            .map(|lines| pairs(lines).into_iter().map(|(salt, _)| salt).collect())
            .collect();
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        assert!(salts[one].is_disjoint(&salts[other]), "{one} and {other}");
    }
}

#[test]
fn a_fork_while_other_threads_hold_every_lock_never_hangs_the_child() {
    let sealer = Sealer::builder(secret()).mode(Mode::Hkdf).build().unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    seal(&sealer, 10);
                    let _ = sealer.stats();
                }
            });
        }
        let hung = (0..number("LOGFLUX_TEST_FORKS", 25))
            .filter(|_| {
                let work = || {
                    seal(&sealer, 2);
                    assert_eq!(sealer.stats().unique, 2);
                };
                !in_child(work)
            })
            .count();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(hung, 0, "children that hang or failed");
    });
}
