//! What a full spool does.

use logflux_transport::{Spool, SpoolError, SpoolFull};

use crate::{all, bounded, entry, segments};

#[test]
fn a_full_spool_refuses_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = Spool::open(folder.path(), bounded(16 << 10, 4 << 10)).unwrap();
    let mut taken = 0;
    let refused = loop {
        match spool.append(&[entry(taken), vec![b'x'; 200]].concat()) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, SpoolError::Full { max_bytes: 16_384, .. }), "{refused}");
    assert!(taken > 50 && spool.len() as usize == taken);
    spool.sync().unwrap();
    let on_disk: u64 =
        segments(folder.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert_eq!(on_disk, spool.bytes());
    assert!(on_disk <= 16 << 10);
    let (ids, _) = all(&mut spool);
    spool.acknowledge(&ids[..taken / 2]).unwrap();
    spool.append(&entry(taken)).unwrap();
    spool.acknowledge(&ids).unwrap();
    for number in 0..40 {
        spool.append(&[entry(number), vec![b'x'; 200]].concat()).unwrap();
    }
}

#[test]
fn the_oldest_segment_goes_where_that_is_the_policy_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = bounded(16 << 10, 4 << 10);
    options.when_full = SpoolFull::DropOldest;
    let (mut spool, _) = Spool::open(folder.path(), options).unwrap();
    let mut dropped = 0;
    for number in 0..1_000 {
        dropped += spool.append(&[entry(number), vec![b'x'; 200]].concat()).unwrap().dropped_oldest;
        assert!(spool.bytes() <= 16 << 10);
    }
    assert_eq!(spool.dropped() as usize, dropped);
    assert_eq!(spool.len() as usize, 1_000 - dropped);
    // What is in flight is not dropped under the feet of whoever has it.
    let batch = spool.next_batch(1, usize::MAX).unwrap();
    assert!(batch[0].1.starts_with(&entry(dropped)), "the youngest are left");
    let before = spool.len();
    let mut more = 0;
    for _ in 0..100 {
        more += spool.append(&[b'y'; 200]).unwrap().dropped_oldest as u64;
    }
    assert_eq!(spool.len(), before + 100 - more);
    spool.acknowledge(&[batch[0].0]).unwrap();
    assert_eq!(spool.len(), before + 99 - more);
}
