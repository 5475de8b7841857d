//! A spool on a disk that fills up: what is dropped is counted exactly, and with room it goes on.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use logflux_envelope::Mode;
use logflux_tests::{ENOUGH, Place, SmallDisk, flushed, lines, logged, secret, wait_for, watched};
use logflux_transport::{
    Client, DropReason, SpoolFull, SpoolMemoryBytes, SpoolSegmentBytes, SyncInterval,
};

fn client(place: &Place, folder: &Path, when_full: SpoolFull) -> Client {
    let mut settings = place.settings();
    settings.spool_dir = Some(folder.join("spool"));
    settings.spool_segment_bytes = Some(SpoolSegmentBytes::new(32 << 10).unwrap());
    settings.spool_memory_bytes = SpoolMemoryBytes::new(32 << 10).unwrap();
    settings.spool_when_full = when_full;
    settings.sync_interval = SyncInterval::new(Duration::from_millis(5)).unwrap();
    Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap()
}

#[test]
fn a_full_disk_drops_and_counts_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (place, running) = Place::new();
    running.stop().unwrap();
    let client = client(&place, disk.path(), SpoolFull::Refuse);
    let all = lines(0..2_000);
    all[..100].iter().for_each(|line| client.info(line));
    client.flush(ENOUGH).unwrap();
    assert_eq!(logged(&client).spooled, 100);

    let others = disk.fill();
    watched(&client, || {
        for some in all[100..1_000].chunks(30) {
            some.iter().for_each(|line| client.info(line));
            thread::sleep(Duration::from_millis(1));
        }
        // Not durable is not flushed.
        client.flush(Duration::from_millis(300)).unwrap_err();
    });
    let full = logged(&client);
    assert!(full.last_error.is_some());
    let dropped = full.dropped.by(DropReason::SpoolFull);
    assert!(dropped > 0 && dropped == full.dropped.total(), "{full:?}");
    assert_eq!(full.spooled + full.pending + dropped, 1_000, "{full:?}");
    assert!(full.pending > 0, "what is not durable is held: {full:?}");

    std::fs::remove_file(others).unwrap();
    watched(&client, || {
        // Nobody has to call anything.
        wait_for(&client, "room", |stats| stats.pending == 0);
        for some in all[1_000..1_400].chunks(50) {
            some.iter().for_each(|line| client.info(line));
            assert_eq!(flushed(&client), dropped);
        }
    });
    assert_eq!(logged(&client).dropped.total(), dropped, "dropped while there was room");

    let _running = place.serve();
    all[1_400..].iter().for_each(|line| client.info(line));
    assert_eq!(flushed(&client), dropped);
    wait_for(&client, "an empty spool", |stats| stats.spooled + stats.pending == 0);
    let stats = logged(&client);
    assert_eq!((stats.dropped.total(), stats.delivered), (dropped, 2_000 - dropped), "{stats:?}");
    let stored = place.stored();
    let distinct: HashSet<_> = stored.iter().collect();
    assert_eq!((stored.len() as u64, distinct.len()), (stats.delivered, stored.len()));
    assert!(all[..100].iter().chain(&all[1_000..]).all(|line| distinct.contains(line)));
}

#[test]
fn a_full_disk_that_drops_the_oldest_keeps_the_newest() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (place, running) = Place::new();
    running.stop().unwrap();
    let client = client(&place, disk.path(), SpoolFull::DropOldest);
    let all = lines(0..4_000);
    watched(&client, || {
        for some in all.chunks(50) {
            some.iter().for_each(|line| client.info(line));
            // What makes room for the new is dropped, and the flush says so.
            assert_eq!(flushed(&client), logged(&client).dropped.total());
        }
    });
    let full = logged(&client);
    let dropped = full.dropped.by(DropReason::SpoolFull);
    assert!(dropped > 0, "{full:?}");
    assert_eq!((full.spooled, full.pending), (4_000 - dropped, 0), "{full:?}");

    let _running = place.serve();
    wait_for(&client, "an empty spool", |stats| stats.spooled == 0);
    let stats = logged(&client);
    assert_eq!((stats.delivered, stats.dropped.total()), (4_000 - dropped, dropped), "{stats:?}");
    // The oldest are gone, but for those that were under way to the server: a gap, and the rest.
    let stored = place.stored();
    let kept = stored.iter().zip(&all).take_while(|(stored, line)| stored == line).count();
    assert!(kept <= 400, "{kept} were under way");
    assert_eq!(stored[kept..], all[kept + usize::try_from(dropped).unwrap()..]);
}
