//! Folders and files of others are left alone, and what nobody has any more is moved in pieces.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use logflux_transport::{Spool, SpoolOptions};

use crate::{all, append, bounded, entry, names, open, segments};

#[test]
fn a_folder_that_is_not_ours_is_skipped_with_a_sentence() {
    let parent = tempfile::tempdir().unwrap();
    let folder = |number: usize| parent.path().join(format!("own-{number:04}"));
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), folder(0)).unwrap();
    fs::write(folder(1), b"a file").unwrap();
    let (mut other, _) = open(&folder(2));
    append(&mut other, (0..3).map(entry));
    other.sync().unwrap();
    drop(other);
    fs::set_permissions(folder(2), fs::Permissions::from_mode(0o777)).unwrap();
    let mut reasons = vec!["it is a symbolic link", "it is not a folder", "every user may write"];
    // Only root can make a folder that belongs to another.
    fs::create_dir(folder(3)).unwrap();
    if chown(folder(3), Some(1), None).is_ok() {
        reasons.push("it belongs to user 1");
    } else {
        fs::remove_dir(folder(3)).unwrap();
        fs::write(folder(3), b"a file").unwrap();
        reasons.push("it is not a folder");
    }
    let before = (names(elsewhere.path()), names(&folder(2)));
    let (mut spool, recovery) = Spool::open_own(parent.path(), SpoolOptions::default()).unwrap();
    assert_eq!(spool.folder(), folder(4));
    let told: Vec<String> = recovery.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), reasons.len(), "{told:?}");
    for (number, reason) in reasons.iter().enumerate() {
        assert!(told[number].contains(reason), "{told:?}");
        assert_eq!(recovery.skipped[number].path, folder(number));
    }
    let adopted = spool.adopt_abandoned(parent.path(), u64::MAX).unwrap();
    assert_eq!((adopted.entries, adopted.skipped.len()), (0, 4));
    assert_eq!((names(elsewhere.path()), names(&folder(2))), before, "nothing was touched");
    spool.append(&entry(9)).unwrap();
    spool.sync().unwrap();
}

#[test]
fn a_file_that_cannot_be_opened_is_skipped_and_costs_no_other() {
    let parent = tempfile::tempdir().unwrap();
    let (mut spool, _) = Spool::open_own(parent.path(), SpoolOptions::default()).unwrap();
    append(&mut spool, (0..3).map(entry));
    spool.sync().unwrap();
    let folder = spool.folder().to_owned();
    drop(spool);
    // A link is never followed, and a pipe is never waited for.
    let link = folder.join("00000007-0000000000000009-000000000000000a.seg");
    symlink("/etc/passwd", &link).unwrap();
    let pipe = folder.join("00000008-0000000000000009-000000000000000a.seg");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let (mut spool, recovery) = Spool::open_own(parent.path(), SpoolOptions::default()).unwrap();
    assert_eq!((spool.folder(), recovery.entries), (&*folder, 3));
    let paths: Vec<_> = recovery.skipped.iter().map(|skipped| skipped.path.clone()).collect();
    assert_eq!(paths, [link.clone(), pipe.clone()]);
    append(&mut spool, (3..6).map(entry));
    spool.sync().unwrap();
    drop(spool);
    // Nor is another process kept from what is sound beside them.
    let _first = open(&parent.path().join("own-0001"));
    let (mut main, _) = open(&parent.path().join("main"));
    let adopted = main.adopt_abandoned(parent.path(), u64::MAX).unwrap();
    assert_eq!((adopted.entries, adopted.skipped.len()), (6, 2));
    assert_eq!(all(&mut main).1, (0..6).map(entry).collect::<Vec<_>>());
    assert_eq!(segments(&folder), [link, pipe]);
}

#[test]
fn a_lock_that_is_a_link_is_not_followed() {
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("target");
    fs::create_dir(parent.path().join("own-0000")).unwrap();
    symlink(&target, parent.path().join("own-0000/lock")).unwrap();
    let (spool, recovery) = Spool::open_own(parent.path(), SpoolOptions::default()).unwrap();
    assert_eq!((spool.folder(), recovery.skipped.len()), (&*parent.path().join("own-0001"), 1));
    assert!(!target.exists());
}

fn leave(folder: &Path, count: usize) {
    let (mut spool, _) = Spool::open(folder, bounded(64 << 20, 4 << 10)).unwrap();
    append(&mut spool, (0..count).map(entry));
    spool.sync().unwrap();
}

#[test]
fn what_others_left_is_moved_in_pieces_and_counted() {
    let parent = tempfile::tempdir().unwrap();
    let abandoned = [parent.path().join("own-0000"), parent.path().join("own-0001")];
    abandoned.iter().for_each(|folder| leave(folder, 500));
    let pieces = abandoned.iter().map(|folder| segments(folder).len()).sum::<usize>();
    let (mut spool, _) = open(&parent.path().join("main"));
    append(&mut spool, [entry(1_000)].into_iter());
    let (mut calls, mut entries) = (0, 0);
    loop {
        let adopted = spool.adopt_abandoned(parent.path(), 1).unwrap();
        calls += 1;
        entries += adopted.entries;
        assert_eq!(spool.len(), entries + 1);
        let changes = spool.take_changes();
        assert_eq!((changes.adopted, spool.unsynced()), (adopted.entries, 0));
        assert_eq!(changes.durable.len(), usize::from(calls == 1), "what was appended before");
        if !adopted.more {
            break;
        }
    }
    assert_eq!((calls, entries), (pieces, 1_000));
    assert!(abandoned.iter().all(|folder| names(folder) == ["lock"]));
    let both = (0..500).chain(0..500).map(entry);
    assert_eq!(all(&mut spool).1, [entry(1_000)].into_iter().chain(both).collect::<Vec<_>>());
}

#[test]
fn a_full_spool_leaves_the_rest_where_it_is() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("own-0000");
    leave(&folder, 500);
    let (mut spool, _) =
        Spool::open(&parent.path().join("main"), bounded(8 << 10, 4 << 10)).unwrap();
    let adopted = spool.adopt_abandoned(parent.path(), u64::MAX).unwrap();
    assert!(!adopted.more && adopted.entries > 10, "{adopted:?}");
    assert_eq!(spool.take_changes().adopted, adopted.entries);
    assert_eq!(spool.adopt_abandoned(parent.path(), u64::MAX).unwrap().entries, 0);
    let (mut rest, _) = open(&folder);
    let moved = adopted.entries as usize;
    assert_eq!(all(&mut spool).1, (0..moved).map(entry).collect::<Vec<_>>());
    assert_eq!(all(&mut rest).1, (moved..500).map(entry).collect::<Vec<_>>());
}
