//! A cleaner removes files under a running process.

use std::fs;
use std::path::Path;

use logflux_transport::{DeadLetter, DeadLetters, Spool, SpoolChanges, SpoolOptions};

use crate::{all, append, bounded, entry, open, segments};

fn own(parent: &Path) -> Spool {
    Spool::open_own(parent, SpoolOptions::default()).unwrap().0
}

/// What is there for the next process.
fn after(spool: Spool, folder: &Path) -> Vec<Vec<u8>> {
    drop(spool);
    all(&mut open(folder).0).1
}

#[test]
fn a_segment_that_is_removed_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    append(&mut spool, (0..10).map(entry));
    spool.sync().unwrap();
    assert_eq!(spool.take_changes().durable.len(), 10);
    for path in segments(folder.path()) {
        fs::remove_file(path).unwrap();
    }
    // Nothing was appended, and the next sync notices all the same.
    spool.sync().unwrap();
    let SpoolChanges { durable, swept: 0, wanted, healed, .. } = spool.take_changes() else {
        panic!("nothing is lost");
    };
    assert!(durable.is_empty() && wanted.is_empty() && healed.len() == 1, "{healed:?}");
    // So it does where one is removed that is not durable yet.
    append(&mut spool, (10..20).map(entry));
    let _ = spool.next_batch(1, 100).unwrap();
    for path in segments(folder.path()) {
        fs::remove_file(path).unwrap();
    }
    spool.sync().unwrap();
    assert_eq!(spool.take_changes().durable.len(), 10);
    assert_eq!(after(spool, folder.path()), (0..20).map(entry).collect::<Vec<_>>());
}

#[test]
fn a_segment_that_is_cut_off_or_replaced_is_written_again() {
    for how in ["cut", "replaced"] {
        let folder = tempfile::tempdir().unwrap();
        let (mut spool, _) = open(folder.path());
        append(&mut spool, (0..10).map(entry));
        spool.sync().unwrap();
        let [path] = &segments(folder.path())[..] else { panic!("one segment") };
        if how == "cut" {
            fs::File::options().write(true).open(path).unwrap().set_len(100).unwrap();
        } else {
            fs::write(folder.path().join("new"), b"nothing of ours").unwrap();
            fs::rename(folder.path().join("new"), path).unwrap();
        }
        spool.sync().unwrap();
        assert_eq!(spool.take_changes().swept, 0);
        let mut left = after(spool, folder.path());
        left.dedup();
        assert_eq!(left, (0..10).map(entry).collect::<Vec<_>>(), "{how}");
    }
}

#[test]
fn what_memory_does_not_hold_is_counted_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = bounded(64 << 20, 8 << 10);
    options.memory_bytes = 8 << 10;
    let (mut spool, _) = Spool::open(folder.path(), options).unwrap();
    let long = |number| [entry(number), vec![b'x'; 500]].concat();
    for number in 0..1_000 {
        spool.append(&long(number)).unwrap();
    }
    spool.sync().unwrap();
    assert_eq!(spool.take_changes().durable.len(), 1_000);
    // The oldest are handed out, and their files are removed with others.
    let handed_out = spool.next_batch(60, usize::MAX).unwrap();
    let all_of_them = segments(folder.path());
    assert!(all_of_them.len() > 60);
    for path in &all_of_them[..20] {
        fs::remove_file(path).unwrap();
    }
    let error = spool.sync().unwrap_err().to_string();
    assert!(error.contains("are being sent were removed"), "{error}");
    let changes = spool.take_changes();
    let wanted = changes.wanted;
    // The file that was read last is still open.
    assert!(wanted.len() > 40 && wanted.len() < 60, "{}", wanted.len());
    assert!(wanted.iter().zip(&handed_out).all(|(wanted, (id, _))| wanted == id));
    assert_eq!(changes.swept, spool.swept());
    assert_eq!(spool.len(), 1_000 - spool.swept());
    assert!(spool.swept() > 200, "{}", spool.swept());
    // One is delivered, one is put back, and the sender still has the others.
    assert_eq!(spool.acknowledge(&wanted[..1]).unwrap().durable, 1);
    spool.put_back(&wanted[1..2]);
    assert_eq!(spool.take_changes().swept, 1);
    for (id, bytes) in &handed_out {
        spool.restore(*id, bytes);
    }
    spool.sync().unwrap();
    assert_eq!(spool.unsynced(), 0);
    let (left, swept) = (spool.len() as usize, spool.swept() as usize);
    assert_eq!(left, 1_000 - 1 - swept);
    let found = after(spool, folder.path());
    let numbers: Vec<usize> = found
        .iter()
        .map(|bytes| {
            let text = std::str::from_utf8(bytes).unwrap();
            text[9..].trim_end_matches(['}', 'x']).parse().unwrap()
        })
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.len() == left);
    assert!(found.iter().zip(&numbers).all(|(bytes, number)| *bytes == long(*number)));
    assert!(numbers.starts_with(&(2..60).collect::<Vec<_>>()));
    assert!(numbers.ends_with(&(300..1_000).collect::<Vec<_>>()));
}

#[test]
fn a_removed_file_is_noticed_where_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    append(&mut spool, (0..10).map(entry));
    spool.sync().unwrap();
    drop(spool);
    let (mut spool, _) = open(folder.path());
    append(&mut spool, (10..12).map(entry));
    spool.sync().unwrap();
    fs::remove_file(&segments(folder.path())[0]).unwrap();
    assert_eq!(all(&mut spool).1, [entry(10), entry(11)]);
    let changes = spool.take_changes();
    assert_eq!((changes.swept, changes.damaged, changes.wanted.len()), (10, 0, 0));
}

#[test]
fn a_folder_without_its_lock_has_one_owner_still() {
    let parent = tempfile::tempdir().unwrap();
    let mut spool = own(parent.path());
    append(&mut spool, (0..10).map(entry));
    let lock = spool.folder().join("lock");
    fs::remove_file(&lock).unwrap();
    let second = own(parent.path());
    assert_ne!(second.folder(), spool.folder());
    spool.sync().unwrap();
    assert!(lock.exists(), "it is made again");
    assert!(Spool::open(spool.folder(), SpoolOptions::default()).is_err());
    assert_eq!(spool.take_changes().healed.len(), 1);
    let folder = spool.folder().to_owned();
    assert_eq!(after(spool, &folder), (0..10).map(entry).collect::<Vec<_>>());
}

#[test]
fn a_folder_that_is_removed_or_renamed_is_made_again() {
    for renamed in [None, Some("parent"), Some("folder")] {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("parent");
        let mut spool = own(&parent);
        append(&mut spool, (0..10).map(entry));
        spool.sync().unwrap();
        let folder = spool.folder().to_owned();
        match renamed {
            None => fs::remove_dir_all(&parent).unwrap(),
            Some("parent") => fs::rename(&parent, root.path().join("old")).unwrap(),
            _ => fs::rename(&folder, parent.join("old")).unwrap(),
        }
        append(&mut spool, (10..20).map(entry));
        spool.sync().unwrap();
        assert_eq!((spool.folder(), spool.swept()), (&*folder, 0));
        assert!(Spool::open(&folder, SpoolOptions::default()).is_err(), "it is locked");
        assert_eq!(after(spool, &folder), (0..20).map(entry).collect::<Vec<_>>());
    }
}

#[test]
fn where_another_has_the_folder_meanwhile_this_one_takes_another() {
    let parent = tempfile::tempdir().unwrap();
    let mut spool = own(parent.path());
    append(&mut spool, (0..10).map(entry));
    spool.sync().unwrap();
    let folder = spool.folder().to_owned();
    fs::remove_dir_all(&folder).unwrap();
    let mut second = own(parent.path());
    assert_eq!(second.folder(), folder);
    append(&mut second, (100..110).map(entry));
    append(&mut spool, (10..20).map(entry));
    second.sync().unwrap();
    spool.take_changes();
    spool.sync().unwrap();
    let changes = spool.take_changes();
    assert!(changes.moved && changes.durable.len() == 10 && changes.swept == 0, "{changes:?}");
    let moved = spool.folder().to_owned();
    assert_ne!(moved, folder);
    assert_eq!(after(spool, &moved), (0..20).map(entry).collect::<Vec<_>>());
    assert_eq!(after(second, &folder), (100..110).map(entry).collect::<Vec<_>>());
}

#[test]
fn a_dead_letter_needs_no_folder_that_is_there() {
    let parent = tempfile::tempdir().unwrap();
    let mut spool = own(parent.path());
    let mut letters = DeadLetters::of_spool(spool.folder());
    let letter = DeadLetter {
        entry: entry(1),
        status: Some(400),
        code: "invalid_entry".to_owned(),
        message: "wrong".to_owned(),
        time: "2024-01-17T10:30:45Z".parse().unwrap(),
    };
    fs::remove_dir_all(parent.path()).unwrap();
    letters.append(std::slice::from_ref(&letter)).unwrap();
    // The spool takes the folder that is there.
    append(&mut spool, (0..3).map(entry));
    spool.sync().unwrap();
    assert!(!spool.take_changes().moved);
    let mut read = Vec::new();
    letters.read(|letter| read.push(letter)).unwrap();
    assert_eq!(read, [letter]);
}

#[test]
fn what_is_acknowledged_stays_so_where_the_notes_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    append(&mut spool, (0..10).map(entry));
    spool.sync().unwrap();
    let (ids, _) = all(&mut spool);
    spool.acknowledge(&[ids[0], ids[1], ids[4], ids[9]]).unwrap();
    for path in segments(folder.path()) {
        fs::remove_file(path.with_extension("done")).unwrap();
    }
    spool.sync().unwrap();
    spool.acknowledge(&ids[5..6]).unwrap();
    assert_eq!(after(spool, folder.path()), [2, 3, 6, 7, 8].map(entry));
}
