//! Damage costs the record that it is in, and no other.

use std::fs;
use std::path::Path;

use logflux_transport::{Recovery, SpoolOptions};

use crate::{all, append, entry, open, segments};

/// Three entries in a segment, each between others' bytes that look like a record.
fn three() -> (tempfile::TempDir, Vec<u8>, String, Vec<Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    let entries: Vec<Vec<u8>> =
        (0..3).map(|n| [entry(n), b"\xfeLF\xff\x08\0\0\0".repeat(2)].concat()).collect();
    for entry in &entries {
        spool.append(entry).unwrap();
    }
    spool.sync().unwrap();
    drop(spool);
    let path = &segments(folder.path())[0];
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    (folder, fs::read(path).unwrap(), name, entries)
}

/// What a folder with this segment alone gives.
fn recover(name: &str, bytes: &[u8]) -> (Recovery, Vec<Vec<u8>>) {
    let folder = tempfile::tempdir_in(shm()).unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let (mut spool, recovery) = open(folder.path());
    let (ids, entries) = all(&mut spool);
    assert_eq!(recovery.entries as usize, entries.len());
    // It goes on after that.
    spool.append(b"one more").unwrap();
    spool.acknowledge(&ids).unwrap();
    assert_eq!(all(&mut spool).1, [b"one more"]);
    (recovery, entries)
}

/// Thousands of small spools are made quickest in memory.
fn shm() -> &'static Path {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { shm } else { Path::new("/tmp") }
}

/// Where each record begins and ends.
fn frames(entries: &[Vec<u8>]) -> Vec<(usize, usize)> {
    let mut start = 40;
    entries
        .iter()
        .map(|entry| {
            let frame = (start, start + entry.len() + 36);
            start = frame.1;
            frame
        })
        .collect()
}

#[test]
fn a_segment_cut_at_any_byte_gives_all_whole_records() {
    let (_folder, bytes, name, entries) = three();
    let frames = frames(&entries);
    assert_eq!(frames[2].1, bytes.len());
    for length in 0..=bytes.len() {
        let (recovery, found) = recover(&name, &bytes[..length]);
        let whole = frames.iter().filter(|(_, end)| *end <= length).count();
        assert_eq!(found, entries[..whole], "cut at {length}");
        let torn = frames.iter().any(|(start, end)| *start < length && length < *end);
        assert_eq!(recovery.lost, u64::from(torn), "cut at {length}");
    }
}

#[test]
fn a_flipped_bit_costs_its_record_alone() {
    let (_folder, bytes, name, entries) = three();
    let frames = frames(&entries);
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let (recovery, found) = recover(&name, &damaged);
        let hit = frames.iter().position(|(start, end)| (*start..*end).contains(&(bit / 8)));
        let mut expected = entries.clone();
        if let Some(hit) = hit {
            expected.remove(hit);
        }
        assert_eq!(found, expected, "bit {bit}");
        assert_eq!(recovery.lost, u64::from(hit.is_some()), "bit {bit}");
        let length = hit.map_or(40, |hit| frames[hit].1 - frames[hit].0);
        assert_eq!(recovery.skipped_bytes as usize, length, "bit {bit}");
    }
}

#[test]
fn bytes_that_are_missing_overwritten_or_too_many_cost_the_records_that_they_touch() {
    let (_folder, bytes, name, entries) = three();
    let frames = frames(&entries);
    let rest = |lost: usize| {
        let mut entries = entries.clone();
        entries.remove(lost);
        entries
    };
    for at in frames[1].0..frames[1].1 {
        let mut missing = bytes.clone();
        missing.remove(at);
        assert_eq!(recover(&name, &missing).1, rest(1), "without byte {at}");
        let mut more = bytes.clone();
        more.insert(at, 0xfe);
        let (recovery, found) = recover(&name, &more);
        // After the marker's first byte, the same again is as good as before it.
        let between = at <= frames[1].0 + 1;
        assert_eq!(found, if between { entries.clone() } else { rest(1) }, "with one at {at}");
        assert_eq!(recovery.lost, u64::from(!between));
    }
    let mut zeros = bytes.clone();
    zeros[..frames[0].1].fill(0);
    let (recovery, found) = recover(&name, &zeros);
    assert_eq!((recovery.lost, found), (1, rest(0)), "the header too");
    let mut zeros = bytes.clone();
    zeros[frames[0].0 + 3..frames[1].1 - 3].fill(0);
    let (recovery, found) = recover(&name, &zeros);
    assert_eq!((recovery.lost, found), (2, vec![entries[2].clone()]));
    let (recovery, found) = recover(&name, &[&bytes[..], &[0; 9_000]].concat());
    assert_eq!((recovery.lost, recovery.skipped_bytes, found), (1, 9_000, entries.clone()));
}

#[test]
fn a_record_inside_another_ones_payload_is_not_handed_out() {
    let (_folder, bytes, _, entries) = three();
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    // A whole segment as an entry, which then is damaged, so that a search goes through it.
    spool.append(&bytes).unwrap();
    spool.append(&entries[0]).unwrap();
    spool.sync().unwrap();
    drop(spool);
    let path = &segments(folder.path())[0];
    let mut stored = fs::read(path).unwrap();
    stored[44] ^= 1;
    fs::write(path, stored).unwrap();
    let (mut spool, recovery) = open(folder.path());
    assert_eq!(recovery.lost, 1);
    assert_eq!(all(&mut spool).1, [entries[0].clone()]);
}

#[test]
fn damage_that_comes_after_opening_is_noticed_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    append(&mut spool, (0..3).map(entry));
    spool.sync().unwrap();
    drop(spool);
    let (mut spool, _) = open(folder.path());
    let path = &segments(folder.path())[0];
    let mut bytes = fs::read(path).unwrap();
    bytes[40 + 30] ^= 1;
    fs::write(path, bytes).unwrap();
    assert_eq!(all(&mut spool).1, [entry(1), entry(2)]);
    assert_eq!((spool.damaged(), spool.len()), (1, 2));
}

#[test]
fn a_segment_of_another_version_is_left_alone() {
    let (_folder, mut bytes, name, _) = three();
    bytes[8] = 2;
    let sum = xxhash_rust::xxh3::xxh3_64(&bytes[..32]).to_le_bytes();
    bytes[32..40].copy_from_slice(&sum);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(&name), &bytes).unwrap();
    let error = logflux_transport::Spool::open(folder.path(), SpoolOptions::default()).unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
    assert_eq!(fs::read(folder.path().join(&name)).unwrap(), bytes);
}

#[test]
fn a_file_with_a_number_that_no_segment_has_is_left_alone() {
    let (folder, bytes, name, entries) = three();
    for number in ["80000000", "ffffffff"] {
        fs::write(folder.path().join(name.replacen("00000000", number, 1)), &bytes).unwrap();
    }
    let (mut spool, _) = open(folder.path());
    spool.append(b"one more").unwrap();
    assert_eq!(all(&mut spool).1, [&entries[..], &[b"one more".to_vec()]].concat());
    drop(spool);
    assert_eq!(segments(folder.path()).len(), 2 + 2);
    // The last number that can be read still has one after it.
    let last = tempfile::tempdir().unwrap();
    fs::write(last.path().join(name.replacen("00000000", "7fffffff", 1)), &bytes).unwrap();
    let (mut spool, _) = open(last.path());
    spool.append(b"one more").unwrap();
    assert_eq!(all(&mut spool).1.len(), entries.len() + 1);
}
