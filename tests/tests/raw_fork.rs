//! Processes that are duplicated past the C library while they seal: no key, and no salt with an iv,
//! is in two of them. One test, so that nothing else runs beside it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Entry, KeyPolicy, Level, Message, Mode, Node, Sealer, Timestamp};
use logflux_tests::{ENOUGH, Way, in_raw_child, secret};

/// Entries that were sealed one by one and together, a line each.
fn seal(sealer: &Sealer, node: &Node) -> Vec<u8> {
    let message = Message { bytes: b"line", node, level: Level::Info, timestamp: Timestamp::now() };
    let mut lines = Vec::new();
    sealer.seal_json(message, &mut lines).unwrap();
    lines.push(b'\n');
    lines.extend(sealer.seal(message).unwrap().to_json().bytes());
    lines.push(b'\n');
    let mut together = Vec::new();
    for range in sealer.seal_many(&[message; 3], &mut together) {
        lines.extend(&together[range.unwrap()]);
        lines.push(b'\n');
    }
    lines
}

fn entries(lines: &[u8]) -> Vec<Entry> {
    let lines = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Entry::parse_strict(line).unwrap()).collect()
}

/// What a process must have for itself: salts; in mode 128 their first half, the epoch.
fn own_salts(entries: &[Entry]) -> HashSet<Vec<u8>> {
    let own = |entry: &Entry| match entry.mode() {
        Mode::Hkdf => entry.salt().as_bytes()[..16].to_vec(),
        _ => entry.salt().as_bytes().to_vec(),
    };
    entries.iter().map(own).collect()
}

fn policies() -> [KeyPolicy; 3] {
    let max_age = Duration::from_secs(3600);
    [
        KeyPolicy::Unique,
        KeyPolicy::Adaptive { budget: 0.05, max_entries: 65_536, max_age },
        KeyPolicy::BOUNDED,
    ]
}

#[test]
fn no_key_and_no_salt_with_an_iv_is_in_two_processes_however_they_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("child");
    let node = Node::new("n").unwrap();
    for mode in Mode::ALL {
        for policy in policies() {
            if mode == Mode::Scrypt && policy == KeyPolicy::Unique {
                // 64 keys of a third of a second each, in every process. It is the same code as
                // for Argon2.
                continue;
            }
            let sealer = Sealer::builder(secret()).mode(mode).key_policy(policy).build().unwrap();
            let mut all = vec![entries(&seal(&sealer, &node))];
            if mode != Mode::Hkdf && policy != KeyPolicy::BOUNDED {
                wait_for_keys_ahead(&sealer);
            }
            for way in Way::ALL {
                let well = in_raw_child(way, || fs::write(&file, seal(&sealer, &node)).unwrap());
                assert!(well, "{mode} {policy:?} {way:?}: a child hangs or failed");
                all.push(entries(&fs::read(&file).unwrap()));
                all[0].extend(entries(&seal(&sealer, &node)));
            }
            let sealed: usize = all.iter().map(Vec::len).sum();
            let pairs: HashSet<_> = all.iter().flatten().map(|e| (*e.salt(), *e.iv())).collect();
            assert_eq!((sealed, pairs.len()), (35, 35), "{mode} {policy:?}");
            for (place, one) in all.iter().enumerate() {
                for other in &all[..place] {
                    let (one, other) = (own_salts(one), own_salts(other));
                    assert!(one.is_disjoint(&other), "{mode} {policy:?}: a shared key");
                }
            }
        }
    }
}

fn wait_for_keys_ahead(sealer: &Sealer) {
    let begun = Instant::now();
    while sealer.stats().pool_level == 0 {
        assert!(begun.elapsed() < ENOUGH, "no keys are derived ahead");
        thread::sleep(Duration::from_millis(5));
    }
}
