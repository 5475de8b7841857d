//! The spool on a real file system.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use logflux_transport::{RecordId, Spool, SpoolError, SpoolFull, SpoolOptions};

fn entry(number: usize) -> Vec<u8> {
    format!("{{\"entry\":{number}}}").into_bytes()
}

fn ids(batch: &[(RecordId, Vec<u8>)]) -> Vec<RecordId> {
    batch.iter().map(|(id, _)| *id).collect()
}

fn payloads(batch: &[(RecordId, Vec<u8>)]) -> Vec<Vec<u8>> {
    batch.iter().map(|(_, bytes)| bytes.clone()).collect()
}

fn options() -> SpoolOptions {
    SpoolOptions::default()
}

#[test]
fn entries_come_back_in_order_after_a_restart_but_for_the_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, recovery) = Spool::open(folder.path(), options()).unwrap();
    assert_eq!(recovery.entries, 0);
    for number in 0..10 {
        spool.append(&entry(number)).unwrap();
    }
    spool.sync().unwrap();
    let batch = spool.next_batch(4, usize::MAX).unwrap();
    assert_eq!(payloads(&batch), (0..4).map(entry).collect::<Vec<_>>());
    let batch = ids(&batch);
    spool.put_back(&batch[1..3]);
    spool.acknowledge(&batch[..1]).unwrap();
    spool.acknowledge(&batch[3..]).unwrap();
    let next = spool.next_batch(3, usize::MAX).unwrap();
    assert_eq!(payloads(&next), [entry(1), entry(2), entry(4)]);
    assert_eq!(spool.len(), 8);
    drop(spool);
    let (mut spool, recovery) = Spool::open(folder.path(), options()).unwrap();
    assert_eq!((recovery.entries, recovery.lost, recovery.skipped_bytes), (8, 0, 0));
    spool.append(&entry(10)).unwrap();
    let all = spool.next_batch(100, usize::MAX).unwrap();
    let expected: Vec<_> = [1, 2, 4, 5, 6, 7, 8, 9, 10].map(entry).to_vec();
    assert_eq!(payloads(&all), expected);
    spool.acknowledge(&ids(&all)).unwrap();
    drop(spool);
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["lock"]);
}
