//! Reading a spool: a segment of any bytes panics nothing and loops nowhere, and a spool that is
//! opened on it takes and gives new entries all the same.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use logflux_transport::{Spool, SpoolError, SpoolOptions, SpoolView};

fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir_in("/dev/shm") else { return };
    if fs::write(folder.path().join(name(bytes)), bytes).is_err() {
        return;
    }
    if let Ok(view) = SpoolView::read(folder.path()) {
        let mut entries = 0;
        let seen = view.each_entry(|_| {
            entries += 1;
            Ok::<(), SpoolError>(())
        });
        assert!(seen.is_ok() && entries == view.len());
    }
    match Spool::open(folder.path(), SpoolOptions::default()) {
        Ok((mut spool, _)) => {
            let before = spool.len();
            spool.append(b"{}").expect("there is room");
            spool.sync().expect("the disk works");
            assert_eq!(spool.len(), before + 1);
        }
        Err(SpoolError::Version { .. }) => {}
        Err(error) => panic!("{error}"),
    }
});

/// The name that says the same as the header, where there is one.
fn name(bytes: &[u8]) -> String {
    let number = |at: usize, len: usize| {
        let field = bytes.get(at..at + len).unwrap_or_default();
        field.iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
    };
    format!("{:08x}-{:016x}-{:016x}.seg", number(12, 4), number(16, 8), number(24, 8))
}
