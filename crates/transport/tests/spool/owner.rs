//! One folder has one owner.

use std::process::{Command, Stdio};

use logflux_transport::{Spool, SpoolError, SpoolOptions};

use crate::{all, append, entry, open};

#[test]
fn a_second_spool_is_refused_and_can_have_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = open(folder.path());
    let error = Spool::open(folder.path(), SpoolOptions::default()).unwrap_err();
    assert!(matches!(error, SpoolError::Locked(_)), "{error}");
    let own = |number: usize| {
        let (mut spool, _) = Spool::open_own(folder.path(), SpoolOptions::default()).unwrap();
        spool.append(&entry(number)).unwrap();
        spool.sync().unwrap();
        spool
    };
    let (second, third) = (own(2), own(3));
    assert_ne!(second.folder(), third.folder());
    drop((second, third));
    // The next one takes a free folder, and what is left in the others.
    let (mut spool, recovery) = Spool::open_own(folder.path(), SpoolOptions::default()).unwrap();
    assert_eq!(recovery.entries, 2);
    let (ids, entries) = all(&mut spool);
    assert_eq!(entries, [entry(2), entry(3)]);
    spool.acknowledge(&ids).unwrap();
    drop((first, spool));
    assert_eq!(open(folder.path()).1.entries, 0);
}

#[test]
fn the_owner_of_the_parent_can_adopt_what_others_left() {
    let folder = tempfile::tempdir().unwrap();
    let (mut own, _) = Spool::open_own(folder.path(), SpoolOptions::default()).unwrap();
    append(&mut own, (0..3_000).map(entry));
    own.sync().unwrap();
    let (mut main, _) = open(folder.path());
    assert_eq!(main.adopt_abandoned(folder.path(), u64::MAX).unwrap().entries, 0, "it is in use");
    drop(own);
    assert_eq!(main.adopt_abandoned(folder.path(), u64::MAX).unwrap().entries, 3_000);
    assert_eq!((main.len(), main.unsynced()), (3_000, 0));
    let (_, recovery) = Spool::open_own(folder.path(), SpoolOptions::default()).unwrap();
    assert_eq!(recovery.entries, 0);
    assert_eq!(all(&mut main).1, (0..3_000).map(entry).collect::<Vec<_>>());
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner::the_other_process", "--nocapture"])
        .env("SPOOL_TEST_OTHER", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for number in 0..2_000 {
        spool.append(&entry(number)).unwrap();
        if number % 100 == 0 {
            spool.sync().unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    drop(spool);
    let (mut spool, recovery) = open(folder.path());
    assert_eq!((recovery.entries, recovery.lost), (2_000, 0));
    assert_eq!(all(&mut spool).1, (0..2_000).map(entry).collect::<Vec<_>>());
    let (mut own, recovery) = Spool::open_own(folder.path(), SpoolOptions::default()).unwrap();
    assert_eq!((recovery.entries, recovery.lost), (1_000, 0));
    assert_eq!(all(&mut own).1, (5_000..6_000).map(entry).collect::<Vec<_>>());
}

/// Not a test of its own: the process that comes second.
#[test]
fn the_other_process() {
    let Some(folder) = std::env::var_os("SPOOL_TEST_OTHER") else { return };
    let error = Spool::open(folder.as_ref(), SpoolOptions::default()).unwrap_err();
    assert!(error.to_string().contains("in use by another process"), "{error}");
    let (mut spool, _) = Spool::open_own(folder.as_ref(), SpoolOptions::default()).unwrap();
    for number in 5_000..6_000 {
        spool.append(&entry(number)).unwrap();
    }
    spool.sync().unwrap();
}
