//! What each policy promises of salts, counts and waiting.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use logflux_envelope::{
    Entry, KeyPolicy, Level, Message, Mode, Node, Opener, Salt, Sealer, Secret, Timestamp,
};

fn sealer(policy: KeyPolicy, mode: Mode) -> Sealer {
    Sealer::builder(secret()).mode(mode).key_policy(policy).build().unwrap()
}

fn secret() -> Secret {
    Secret::new("correct horse battery staple").unwrap()
}

/// Seals so many messages, in batches of 100, and opens them again.
fn seal(sealer: &Sealer, count: usize) -> Vec<Entry> {
    let node = Node::new("n").unwrap();
    let texts: Vec<String> = (0..count).map(|i| format!("line {i}")).collect();
    let messages: Vec<Message<'_>> = texts
        .iter()
        .map(|text| Message {
            bytes: text.as_bytes(),
            node: &node,
            level: Level::Info,
            timestamp: Timestamp::now(),
        })
        .collect();
    let mut entries = Vec::new();
    for batch in messages.chunks(100) {
        let mut out = Vec::new();
        for range in sealer.seal_many(batch, &mut out) {
            entries.push(Entry::parse_strict(&out[range.unwrap()]).unwrap());
        }
    }
    let opened: Vec<String> =
        Opener::new(secret()).open_many(&entries).into_iter().map(Result::unwrap).collect();
    assert_eq!(opened, texts);
    entries
}

fn salts(entries: &[Entry]) -> HashMap<Salt, usize> {
    let mut salts = HashMap::new();
    for entry in entries {
        *salts.entry(*entry.salt()).or_default() += 1;
    }
    salts
}

fn distinct_ivs(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::iv).collect::<HashSet<_>>().len()
}

#[test]
fn unique_gives_every_entry_its_own_salt() {
    let sealer = sealer(KeyPolicy::Unique, Mode::Pbkdf2);
    let entries = seal(&sealer, 12);
    assert_eq!(salts(&entries).len(), 12);
    let stats = sealer.stats();
    assert_eq!((stats.unique, stats.shared), (12, 0));
    assert!(stats.derivations >= 12 && stats.waits >= 1, "{stats:?}");
}

#[test]
fn adaptive_shares_when_its_pool_is_empty_and_counts_that_apart() {
    let sealer = sealer(KeyPolicy::DEFAULT, Mode::Pbkdf2);
    let entries = seal(&sealer, 5_000);
    let salts = salts(&entries);
    assert!(salts.len() < 1_000, "{}", salts.len());
    assert_eq!(distinct_ivs(&entries), 5_000);
    let alone = salts.values().filter(|count| **count == 1).count();
    let stats = sealer.stats();
    assert_eq!(stats.unique, u64::try_from(alone).unwrap());
    assert_eq!(stats.unique + stats.shared, 5_000);
}

#[test]
fn a_bound_of_entries_is_kept_by_every_policy_that_shares() {
    let max_age = Duration::from_secs(60);
    for policy in [
        KeyPolicy::Adaptive { budget: 1.0, max_entries: 3, max_age },
        KeyPolicy::Bounded { max_entries: 3, max_age },
    ] {
        let sealer = sealer(policy, Mode::Pbkdf2);
        let entries = seal(&sealer, 10);
        let salts = salts(&entries);
        assert!(salts.values().all(|count| *count <= 3), "{policy:?}");
        if matches!(policy, KeyPolicy::Bounded { .. }) {
            assert_eq!(salts.len(), 4, "{policy:?}");
        }
    }
}

#[test]
fn a_bound_of_age_is_kept() {
    let policy = KeyPolicy::Bounded { max_entries: 100, max_age: Duration::from_millis(300) };
    let sealer = sealer(policy, Mode::Pbkdf2);
    let first = seal(&sealer, 2);
    std::thread::sleep(Duration::from_millis(310));
    let later = seal(&sealer, 1);
    assert_eq!(first[0].salt(), first[1].salt());
    assert_ne!(first[0].salt(), later[0].salt());
}

#[test]
fn bounded_keeps_one_salt_until_a_bound_is_met() {
    let sealer = sealer(KeyPolicy::BOUNDED, Mode::Pbkdf2);
    let entries = seal(&sealer, 5_000);
    assert_eq!(salts(&entries).len(), 1);
    assert_eq!(distinct_ivs(&entries), 5_000);
    let stats = sealer.stats();
    assert_eq!((stats.unique, stats.shared, stats.derivations), (0, 5_000, 1));
}

#[test]
fn mode_128_gives_every_entry_its_own_salt_for_one_derivation() {
    let sealer = sealer(KeyPolicy::Unique, Mode::Hkdf);
    let entries = seal(&sealer, 5_000);
    assert_eq!(salts(&entries).len(), 5_000);
    let epochs: HashSet<_> = entries.iter().map(|entry| &entry.salt().as_bytes()[..16]).collect();
    assert_eq!(epochs.len(), 1);
    let stats = sealer.stats();
    assert_eq!((stats.unique, stats.shared, stats.derivations), (5_000, 0, 1));
}

#[test]
fn memory_hard_modes_seal_by_the_same_policies() {
    for mode in [Mode::Argon2, Mode::ChaCha20Argon2] {
        assert_eq!(salts(&seal(&sealer(KeyPolicy::Unique, mode), 5)).len(), 5);
        assert_eq!(salts(&seal(&sealer(KeyPolicy::BOUNDED, mode), 5)).len(), 1);
    }
}

#[test]
fn eight_threads_on_one_sealer_repeat_no_salt_and_iv() {
    let sealer = sealer(KeyPolicy::DEFAULT, Mode::Pbkdf2);
    let entries: Vec<Entry> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| seal(&sealer, 500))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let pairs: HashSet<_> = entries.iter().map(|entry| (entry.salt(), entry.iv())).collect();
    assert_eq!(pairs.len(), 4_000);
    let stats = sealer.stats();
    assert_eq!(stats.unique + stats.shared, 4_000);
}
