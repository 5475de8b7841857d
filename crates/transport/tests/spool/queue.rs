//! A queue that lasts.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use logflux_transport::{SpoolError, SpoolView};

use crate::{all, entry, names, open, segments};

#[test]
fn entries_come_back_in_order_after_a_restart_but_for_the_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, recovery) = open(folder.path());
    assert_eq!(recovery.entries, 0);
    for number in 0..10 {
        spool.append(&entry(number)).unwrap();
    }
    spool.sync().unwrap();
    let (ids, entries): (Vec<_>, Vec<_>) =
        spool.next_batch(4, usize::MAX).unwrap().into_iter().unzip();
    assert_eq!(entries, [0, 1, 2, 3].map(entry));
    spool.put_back(&ids[1..3]);
    spool.acknowledge(&ids[..1]).unwrap();
    spool.acknowledge(&ids[3..]).unwrap();
    let (_, entries): (Vec<_>, Vec<_>) =
        spool.next_batch(3, usize::MAX).unwrap().into_iter().unzip();
    assert_eq!(entries, [1, 2, 4].map(entry));
    assert_eq!(spool.len(), 8);
    drop(spool);
    let (mut spool, recovery) = open(folder.path());
    assert_eq!((recovery.entries, recovery.lost, recovery.skipped_bytes), (8, 0, 0));
    spool.append(&entry(10)).unwrap();
    let (ids, entries) = all(&mut spool);
    assert_eq!(entries, [1, 2, 4, 5, 6, 7, 8, 9, 10].map(entry));
    assert!(all(&mut spool).0.is_empty());
    spool.acknowledge(&ids).unwrap();
    assert!(spool.is_empty());
    drop(spool);
    assert_eq!(names(folder.path()), ["lock"]);
}

#[test]
fn what_was_not_synced_is_written_when_the_spool_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    spool.append(&entry(1)).unwrap();
    assert_eq!(spool.unsynced(), 1);
    drop(spool);
    assert_eq!(all(&mut open(folder.path()).0).1, [entry(1)]);
}

#[test]
fn a_batch_is_bounded_by_count_and_by_bytes_and_never_empty() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    for length in [100, 100, 100, 1_100_000, 1] {
        spool.append(&vec![b'x'; length]).unwrap();
    }
    let mut lengths = |count, bytes| {
        let batch = spool.next_batch(count, bytes).unwrap();
        batch.iter().map(|(_, entry)| entry.len()).collect::<Vec<_>>()
    };
    assert_eq!(lengths(2, 1_000), [100, 100]);
    assert_eq!(lengths(10, 1_000), [100]);
    assert_eq!(lengths(10, 1_000), [1_100_000]);
    assert_eq!(lengths(10, 0), [1]);
    assert!(lengths(10, 1_000).is_empty());
    for length in [0, (2 << 20) + 1] {
        assert!(matches!(spool.append(&vec![0; length]), Err(SpoolError::Length(_))));
    }
    spool.append(&vec![0xfe; 2 << 20]).unwrap();
    spool.sync().unwrap();
}

#[test]
fn more_than_memory_holds_comes_back_from_disk_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = crate::bounded(64 << 20, 100 << 10);
    options.memory_bytes = 64 << 10;
    let (mut spool, _) = logflux_transport::Spool::open(folder.path(), options).unwrap();
    let long = |number| [entry(number), vec![b'x'; number % 1_000]].concat();
    for number in 0..5_000 {
        spool.append(&long(number)).unwrap();
    }
    assert!(spool.unsynced() < 5_000, "what does not fit into memory was synced");
    let mut next = 0;
    while let batch = spool.next_batch(100, usize::MAX).unwrap()
        && !batch.is_empty()
    {
        for (_, entry) in &batch {
            assert_eq!(*entry, long(next));
            next += 1;
        }
        spool.acknowledge(&batch.iter().map(|(id, _)| *id).collect::<Vec<_>>()).unwrap();
    }
    assert_eq!(next, 5_000);
    assert_eq!(spool.len(), 0);
    assert!(segments(folder.path()).len() <= 1, "acknowledged segments are deleted");
}

#[test]
fn files_and_folder_are_their_owners_alone() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep/spool");
    let (mut spool, _) = open(&folder);
    spool.append(&entry(1)).unwrap();
    spool.append(&entry(2)).unwrap();
    let (ids, _) = all(&mut spool);
    spool.acknowledge(&ids[..1]).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&parent.path().join("deep")), 0o700);
    let files = names(&folder);
    assert_eq!(files.len(), 3, "{files:?}");
    for name in files {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn a_look_needs_no_lock_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    for number in 0..5 {
        spool.append(&entry(number)).unwrap();
    }
    let (ids, _) = all(&mut spool);
    spool.acknowledge(&ids[1..3]).unwrap();
    let before = names(folder.path());
    let view = SpoolView::read(folder.path()).unwrap();
    let mut entries = Vec::new();
    view.each_entry(|entry| {
        entries.push(entry.to_vec());
        Ok::<_, SpoolError>(())
    })
    .unwrap();
    assert_eq!(entries, [0, 3, 4].map(entry));
    let segment = &view.segments()[0];
    assert_eq!((view.len(), segment.entries, segment.acknowledged, segment.lost), (3, 3, 2, 0));
    assert_eq!(names(folder.path()), before);
}
