//! Single stories of a disk that fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fake::{Fake, Fault};
use crate::spool::{DeadLetter, DeadLetters, Spool, SpoolError, SpoolOptions};

fn open(fs: &Fake) -> Spool {
    let options = SpoolOptions::default();
    Spool::open_in(Arc::new(fs.clone()), Path::new("/spool"), options).unwrap().0
}

fn entries(spool: &mut Spool) -> Vec<Vec<u8>> {
    let batch = spool.next_batch(usize::MAX, usize::MAX).unwrap();
    batch.into_iter().map(|(_, entry)| entry).collect()
}

#[test]
fn after_a_failed_fsync_the_copy_that_was_synced_is_the_one_that_stays() {
    for seed in 0..64 {
        let fs = Fake::new(seed);
        let mut spool = open(&fs);
        spool.append(b"one").unwrap();
        spool.append(b"two").unwrap();
        fs.disk().faults.push(Fault::Sync);
        let Err(SpoolError::NotDurable { entries: 2, bytes: 6, .. }) = spool.sync() else {
            panic!("a failed fsync is not durable");
        };
        assert_eq!(spool.unsynced(), 2);
        // The records go to a new file, and the old one cannot be removed.
        fs.disk().faults.push(Fault::Remove);
        spool.sync().unwrap();
        fs.disk().faults.push(Fault::Remove);
        drop(spool);
        // The kernel still shows what the old file lacks on disk.
        fs.disk().faults.clear();
        let mut spool = open(&fs);
        assert_eq!(entries(&mut spool), [b"one", b"two"]);
        drop(spool);
        fs.disk().crash();
        assert_eq!(entries(&mut open(&fs)), [b"one", b"two"]);
    }
}

#[test]
fn a_file_that_cannot_be_removed_is_removed_later_and_counts_until_then() {
    let fs = Fake::new(1);
    let options = SpoolOptions { segment_bytes: 1 << 10, ..SpoolOptions::default() };
    let (mut spool, _) =
        Spool::open_in(Arc::new(fs.clone()), Path::new("/spool"), options).unwrap();
    for _ in 0..3 {
        spool.append(&[b'x'; 900]).unwrap();
    }
    spool.sync().unwrap();
    let bytes = spool.bytes();
    let ids: Vec<_> = spool.next_batch(1, 10_000).unwrap().into_iter().map(|(id, _)| id).collect();
    fs.disk().faults.push(Fault::Remove);
    spool.acknowledge(&ids).unwrap();
    assert_eq!((spool.len(), spool.bytes()), (2, bytes));
    spool.append(b"x").unwrap();
    spool.sync().unwrap();
    assert!(spool.bytes() < bytes);
}

#[test]
fn a_process_that_forked_cannot_touch_its_parents_spool() {
    let fs = Fake::new(1);
    let mut spool = open(&fs);
    let id = spool.append(b"one").unwrap().id;
    let mut letters =
        DeadLetters::at_in(Arc::new(fs.clone()), PathBuf::from("/spool/dead.ndjson"), 1 << 20);
    let before = fs.disk().changes;
    // As the child of a fork sees it.
    spool.generation = spool.generation.wrapping_add(1);
    letters.generation = letters.generation.wrapping_add(1);
    assert!(matches!(spool.append(b"two"), Err(SpoolError::Forked)));
    assert!(matches!(spool.sync(), Err(SpoolError::Forked)));
    assert!(matches!(spool.next_batch(1, 1), Err(SpoolError::Forked)));
    assert!(matches!(spool.acknowledge(&[id]), Err(SpoolError::Forked)));
    assert!(matches!(spool.adopt_abandoned(Path::new("/"), 1), Err(SpoolError::Forked)));
    assert!(matches!(letters.append(&[]), Err(SpoolError::Forked)));
    assert!(matches!(letters.replace(&[]), Err(SpoolError::Forked)));
    drop(spool);
    assert_eq!(fs.disk().changes, before, "nor does dropping it write anything");
}

/// Sequence numbers begin anew where the folder is empty, and a removed segment that came back after
/// a power failure once stood behind the entries of the process that came after it.
#[test]
fn what_comes_back_after_it_was_removed_does_not_come_out_of_order() {
    for seed in 0..256 {
        let fs = Fake::new(seed);
        let mut spool = open(&fs);
        for _ in 0..3 {
            spool.append(b"1").unwrap();
        }
        spool.sync().unwrap();
        let all = spool.next_batch(10, 10).unwrap();
        spool.acknowledge(&all.iter().map(|(id, _)| *id).collect::<Vec<_>>()).unwrap();
        drop(spool);
        assert!(fs.files().is_empty());
        open(&fs).append(b"2").unwrap();
        fs.disk().crash();
        let found = entries(&mut open(&fs));
        assert!(found.is_sorted(), "{seed}: {found:?}");
    }
}

#[test]
fn a_bad_sector_costs_the_records_in_it_and_the_file_stays() {
    let fs = Fake::new(1);
    let mut spool = open(&fs);
    let entry = |number: u8| vec![number; 1_000];
    for number in 0..30 {
        spool.append(&entry(number)).unwrap();
    }
    spool.sync().unwrap();
    drop(spool);
    // It turns bad after the spool was opened: the record is given up for this time.
    let mut spool = open(&fs);
    fs.disk().bad_place = Some(10_000);
    let others: Vec<_> = (0..30).filter(|number| *number != 9).map(entry).collect();
    let (ids, found): (Vec<_>, Vec<_>) =
        spool.next_batch(usize::MAX, usize::MAX).unwrap().into_iter().unzip();
    assert_eq!(found, others);
    assert_eq!((spool.damaged(), spool.len()), (1, 29));
    // All others are acknowledged, and the file is not removed: another time it may be read.
    spool.acknowledge(&ids).unwrap();
    spool.sync().unwrap();
    drop(spool);
    fs.disk().bad_place = None;
    let mut spool = open(&fs);
    assert_eq!(entries(&mut spool), [entry(9)]);
    drop(spool);
    // It is bad when the spool is opened: the sector, and the records that it touches.
    let fs = Fake::new(1);
    let mut spool = open(&fs);
    for number in 0..30 {
        spool.append(&entry(number)).unwrap();
    }
    spool.sync().unwrap();
    drop(spool);
    fs.disk().bad_place = Some(10_000);
    let options = SpoolOptions::default();
    let (mut spool, recovery) =
        Spool::open_in(Arc::new(fs.clone()), Path::new("/spool"), options).unwrap();
    let touched = 7..12;
    assert_eq!(recovery.lost, touched.len() as u64);
    let others: Vec<_> = (0..30).filter(|number| !touched.contains(number)).map(entry).collect();
    assert_eq!(entries(&mut spool), others);
}

#[test]
fn adopting_what_others_left_survives_a_crash_in_every_operation() {
    let all: Vec<Vec<u8>> =
        (0..40).map(|number: u8| vec![number; 1 + 9 * number as usize]).collect();
    let parent = Path::new("/spool");
    let options = SpoolOptions { segment_bytes: 1 << 10, ..SpoolOptions::default() };
    let mut crash_at = 0;
    loop {
        let fs = Fake::new(crash_at as u64);
        let shared: Arc<dyn crate::spool::fs::FileSystem> = Arc::new(fs.clone());
        let own = || Spool::open_own_in(&shared, parent, options);
        // Three processes end, and leave something each.
        let mut spools = [own().unwrap().0, own().unwrap().0, own().unwrap().0];
        for (number, entry) in all.iter().enumerate() {
            spools[number / 14].append(entry).unwrap();
        }
        spools.iter_mut().for_each(|spool| spool.sync().unwrap());
        drop(spools);
        let before = fs.disk().changes;
        fs.disk().crash_at = Some(before + crash_at);
        let adopted = own().map(|(_, recovery)| recovery.entries);
        let crashed = fs.disk().crashed;
        fs.disk().crash();
        let (mut spool, _) = own().unwrap();
        let mut found = entries(&mut spool);
        assert!(found.len() >= all.len(), "crash at {crash_at}");
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, all, "crash at {crash_at}");
        if !crashed {
            assert_eq!(adopted.unwrap(), all.len() as u64);
            break;
        }
        crash_at += 1;
    }
    assert!(crash_at > 20, "{crash_at}");
}

/// The worst case: nothing but a lock file says who owns a folder, and that is removed.
#[test]
fn a_process_whose_folder_was_taken_over_goes_on_in_another() {
    let fs = Fake::new(1);
    let shared: Arc<dyn crate::spool::fs::FileSystem> = Arc::new(fs.clone());
    // So little memory that it holds the last entries only.
    let options =
        SpoolOptions { segment_bytes: 1 << 10, memory_bytes: 1 << 10, ..SpoolOptions::default() };
    let own = || Spool::open_own_in(&shared, Path::new("/spool"), options).unwrap();
    let (mut first, _) = own();
    let entry = |number: u8| vec![number; 300];
    for number in 0..20 {
        first.append(&entry(number)).unwrap();
    }
    first.sync().unwrap();
    let handed_out = first.next_batch(6, usize::MAX).unwrap();
    assert_eq!(first.take_changes().durable.len(), 20);
    fs.disk().sweep_lock(Path::new("/spool/own-0000"));
    let (mut second, recovery) = own();
    assert_eq!((second.folder(), recovery.entries), (Path::new("/spool/own-0000"), 20));
    first.append(&entry(20)).unwrap();
    assert!(first.sync().is_err(), "what is handed out is in the other's folder");
    let changes = first.take_changes();
    assert!(changes.moved && first.folder() == Path::new("/spool/own-0001"));
    assert_eq!((changes.durable.len(), changes.swept), (1, 0));
    assert!(changes.taken_over > 10, "{changes:?}");
    assert_eq!(first.len(), 21 - changes.taken_over);
    // The file that was read last is still open.
    assert!(!changes.wanted.is_empty() && changes.wanted.len() < 6, "{changes:?}");
    let ids: Vec<_> = handed_out.iter().map(|(id, _)| *id).collect();
    assert_eq!(first.acknowledge(&ids).unwrap().durable, 6);
    first.sync().unwrap();
    // Every entry is with one of them, and none of them has lost one.
    let (first, second) = (entries(&mut first), entries(&mut second));
    assert_eq!(second, (0..20).map(entry).collect::<Vec<_>>());
    assert_eq!(first.last(), Some(&entry(20)));
    assert_eq!(first.len() as u64, 15 - changes.taken_over);
}

#[test]
fn a_spool_in_a_given_folder_waits_for_it() {
    let fs = Fake::new(1);
    let mut spool = open(&fs);
    spool.append(b"one").unwrap();
    fs.disk().sweep_lock(Path::new("/spool"));
    let other = open(&fs);
    let error = spool.sync().unwrap_err();
    let error = error.to_string();
    assert!(error.contains("another process has taken the spool's folder"), "{error}");
    assert_eq!((spool.unsynced(), spool.take_changes().durable.len()), (1, 0));
    drop(other);
    spool.sync().unwrap();
    assert_eq!((spool.unsynced(), spool.take_changes().durable.len()), (0, 1));
    drop(spool);
    assert_eq!(entries(&mut open(&fs)), [b"one"]);
}

#[test]
fn what_cannot_be_adopted_is_left_where_it_is_and_only_there() {
    for fault in [Fault::Full, Fault::Broken, Fault::Sync, Fault::SyncFolder, Fault::Create] {
        let fs = Fake::new(3);
        let shared: Arc<dyn crate::spool::fs::FileSystem> = Arc::new(fs.clone());
        let options = SpoolOptions::default();
        let parent = Path::new("/spool");
        let (mut gone, _) = Spool::open_own_in(&shared, parent, options).unwrap();
        for number in 0..10 {
            gone.append(&[number; 30]).unwrap();
        }
        gone.sync().unwrap();
        drop(gone);
        let (mut spool, _) =
            Spool::open_in(Arc::clone(&shared), Path::new("/main"), options).unwrap();
        fs.disk().faults.push(fault);
        let error = spool.adopt_abandoned(parent, u64::MAX).unwrap_err();
        assert!(matches!(error, SpoolError::NotDurable { .. }), "{fault:?}: {error}");
        assert_eq!((spool.len(), spool.take_changes().adopted), (0, 0), "{fault:?}");
        let adopted = spool.adopt_abandoned(parent, u64::MAX).unwrap();
        assert_eq!((adopted.entries, spool.take_changes().adopted), (10, 10), "{fault:?}");
        fs.disk().crash();
        drop(spool);
        let (mut spool, _) =
            Spool::open_in(Arc::clone(&shared), Path::new("/main"), options).unwrap();
        assert_eq!(entries(&mut spool).len(), 10, "{fault:?}");
    }
}

#[test]
fn what_was_adopted_and_cannot_be_removed_is_not_adopted_again() {
    let fs = Fake::new(3);
    let shared: Arc<dyn crate::spool::fs::FileSystem> = Arc::new(fs.clone());
    let parent = Path::new("/spool");
    let own = || Spool::open_own_in(&shared, parent, SpoolOptions::default()).unwrap().0;
    let mut gone = own();
    gone.append(b"one").unwrap();
    gone.sync().unwrap();
    drop(gone);
    let main = Path::new("/main");
    let (mut spool, _) =
        Spool::open_in(Arc::clone(&shared), main, SpoolOptions::default()).unwrap();
    fs.disk().faults.push(Fault::Remove);
    let adopted = spool.adopt_abandoned(parent, u64::MAX).unwrap();
    assert_eq!((adopted.entries, adopted.skipped.len()), (1, 1));
    assert_eq!(spool.adopt_abandoned(parent, u64::MAX).unwrap().entries, 0);
    // Nor by another process.
    assert!(own().is_empty());
}

#[test]
fn a_folder_or_file_that_is_not_ours_costs_no_other() {
    let fs = Fake::new(3);
    let shared: Arc<dyn crate::spool::fs::FileSystem> = Arc::new(fs.clone());
    let parent = Path::new("/spool");
    let own = || Spool::open_own_in(&shared, parent, SpoolOptions::default()).unwrap();
    fs.disk().foreign.insert(parent.join("own-0000"));
    let (mut spool, recovery) = own();
    let told: Vec<String> = recovery.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["/spool/own-0000 is skipped: it belongs to user 1"]);
    assert_eq!(spool.folder(), parent.join("own-0001"));
    for entry in [b"1", b"2"] {
        spool.append(entry).unwrap();
        spool.sync().unwrap();
        drop(spool);
        spool = own().0;
    }
    drop(spool);
    let path = fs.files()[0].0.clone();
    fs.disk().forbidden.insert(path.clone());
    let (mut spool, recovery) = own();
    assert_eq!(recovery.skipped[1].path, path);
    assert_eq!(entries(&mut spool), [b"2"]);
    drop(spool);
    // It is left alone, and comes out when it may be read again.
    fs.disk().forbidden.clear();
    assert_eq!(entries(&mut own().0), [b"1", b"2"]);
}

fn letter(number: usize) -> DeadLetter {
    DeadLetter {
        entry: format!("{{\"entry\":{number}}}").into_bytes(),
        status: Some(413),
        code: "payload_too_large".to_owned(),
        message: "é".repeat(2_000),
        time: "2024-01-17T10:30:45Z".parse().unwrap(),
    }
}

fn numbers(letters: &DeadLetters) -> Vec<usize> {
    let mut numbers = Vec::new();
    let damaged = letters
        .read(|letter| {
            assert_eq!(letter.message.chars().count(), 1_000);
            let entry = String::from_utf8(letter.entry).unwrap();
            numbers.push(entry[9..entry.len() - 1].parse().unwrap());
        })
        .unwrap();
    assert_eq!(damaged, 0);
    numbers
}

#[test]
fn dead_letters_are_durable_and_bounded_and_what_is_lost_is_counted() {
    let fs = Fake::new(7);
    let path = PathBuf::from("/spool/dead.ndjson");
    let mut letters = DeadLetters::at_in(Arc::new(fs.clone()), path.clone(), 10_000);
    for number in 0..50 {
        letters.append(&[letter(number)]).unwrap();
        fs.disk().crash();
        let dropped = usize::try_from(letters.dropped()).unwrap();
        assert_eq!(numbers(&letters), (dropped..=number).collect::<Vec<_>>());
    }
    assert!(letters.dropped() > 30);
    let sizes: Vec<_> = fs.files().into_iter().map(|(_, size)| size).collect();
    assert!(sizes.len() == 2 && sizes.iter().all(|size| *size <= 10_000), "{sizes:?}");
}

#[test]
fn a_dead_letter_that_failed_is_not_there_and_damages_no_other() {
    for seed in 0..32 {
        for fault in [Fault::Full, Fault::Broken, Fault::Sync, Fault::SyncFolder, Fault::Create] {
            let fs = Fake::new(seed);
            let path = PathBuf::from("/spool/dead.ndjson");
            let mut letters = DeadLetters::at_in(Arc::new(fs.clone()), path, 1 << 20);
            fs.disk().faults.push(fault);
            assert!(matches!(letters.append(&[letter(1)]), Err(SpoolError::Io { .. })));
            assert!(numbers(&letters).is_empty());
            letters.append(&[letter(2)]).unwrap();
            fs.disk().faults.push(fault);
            if letters.append(&[letter(3)]).is_err() {
                letters.append(&[letter(3)]).unwrap();
            }
            fs.disk().crash();
            assert_eq!(numbers(&letters), [2, 3]);
        }
    }
}
