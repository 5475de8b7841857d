//! A real disk that is full, or read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use logflux_transport::{Spool, SpoolError, SpoolFull, SpoolOptions};

use crate::{all, append, entry, open};

/// A small file system of its own, for whoever may mount one.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    fn mount(kilobytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={kilobytes}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { folder }),
            other => {
                println!("not tried: a file system cannot be mounted here: {other:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn remount(&self, how: &str) {
        let how = format!("remount,{how}");
        let done = Command::new("mount").args(["-o", &how]).arg(self.path()).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

fn long(number: usize) -> Vec<u8> {
    [entry(number), vec![b'x'; 1_000]].concat()
}

/// Takes all the room that is left.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("ballast");
    let _ = fs::write(&path, vec![0; 64 << 20]);
    path
}

#[test]
fn a_full_disk_refuses_exactly_and_goes_on_when_there_is_room() {
    let Some(disk) = Small::mount(512) else { return };
    let folder = disk.path().join("spool");
    let mut options = SpoolOptions::default();
    options.memory_bytes = 64 << 10;
    let (mut spool, _) = Spool::open(&folder, options).unwrap();
    let mut taken: Vec<usize> = Vec::new();
    let mut refused = 0;
    for number in 0..1_000 {
        match spool.append(&long(number)) {
            Ok(_) => taken.push(number),
            Err(SpoolError::NotDurable { entries, source, .. }) => {
                assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
                assert_eq!(entries, spool.unsynced());
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(taken.len() + refused, 1_000);
    assert!(taken.len() > 300 && refused > 300, "{refused} refused");
    assert_eq!(spool.len() as usize, taken.len());
    let unsynced = spool.unsynced();
    let Err(SpoolError::NotDurable { entries, .. }) = spool.sync() else { panic!("it is full") };
    assert!(unsynced > 0 && entries == unsynced);
    // What waits is handed out all the same, and so makes room.
    let batch = spool.next_batch(usize::MAX, usize::MAX).unwrap();
    let (ids, entries): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    assert_eq!(entries, taken.iter().copied().map(long).collect::<Vec<_>>());
    spool.put_back(&ids);
    disk.remount("size=4m");
    spool.sync().unwrap();
    assert_eq!(spool.unsynced(), 0);
    spool.append(&long(1_000)).unwrap();
    taken.push(1_000);
    spool.sync().unwrap();
    drop(spool);
    let (mut spool, recovery) = open(&folder);
    assert_eq!((recovery.lost, recovery.skipped_bytes), (0, 0), "no part of a record is left");
    assert_eq!(all(&mut spool).1, taken.iter().copied().map(long).collect::<Vec<_>>());
}

#[test]
fn on_a_full_disk_the_oldest_go_where_that_is_the_policy() {
    let Some(disk) = Small::mount(512) else { return };
    let folder = disk.path().join("spool");
    let mut options = SpoolOptions::default();
    options.memory_bytes = 32 << 10;
    options.segment_bytes = 32 << 10;
    options.when_full = SpoolFull::DropOldest;
    let (mut spool, _) = Spool::open(&folder, options).unwrap();
    for number in 0..1_000 {
        spool.append(&long(number)).unwrap();
    }
    spool.sync().unwrap();
    let dropped = spool.dropped() as usize;
    assert!(dropped > 300, "{dropped}");
    assert_eq!(spool.len() as usize, 1_000 - dropped);
    drop(spool);
    let (mut spool, recovery) = open(&folder);
    assert_eq!((recovery.lost, recovery.skipped_bytes), (0, 0));
    assert_eq!(all(&mut spool).1, (dropped..1_000).map(long).collect::<Vec<_>>());
}

#[test]
fn a_process_that_ends_on_a_full_disk_leaves_no_damage() {
    let Some(disk) = Small::mount(256) else { return };
    let folder = disk.path().join("spool");
    let (mut spool, _) = open(&folder);
    append(&mut spool, (0..20).map(long));
    spool.sync().unwrap();
    fill(disk.path());
    append(&mut spool, (20..100).map(long));
    assert!(spool.sync().is_err());
    drop(spool);
    let (mut spool, recovery) = open(&folder);
    assert_eq!(recovery.lost, 0);
    let (_, entries) = all(&mut spool);
    assert!(entries.len() >= 20);
    assert_eq!(entries, (0..entries.len()).map(long).collect::<Vec<_>>());
}

#[test]
fn a_read_only_disk_is_a_clear_error_and_no_loss() {
    let Some(disk) = Small::mount(512) else { return };
    let folder = disk.path().join("spool");
    let (mut spool, _) = open(&folder);
    append(&mut spool, (0..20).map(long));
    spool.sync().unwrap();
    drop(spool);
    disk.remount("ro");
    let error = Spool::open(&folder, SpoolOptions::default()).unwrap_err();
    assert!(error.to_string().contains("Read-only file system"), "{error}");
    let view = logflux_transport::SpoolView::read(&folder).unwrap();
    assert_eq!(view.len(), 20);
    disk.remount("rw");
    assert_eq!(open(&folder).1.entries, 20);
}
