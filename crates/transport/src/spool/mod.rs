//! Sealed entries on disk until the server has them.
//!
//! A [`Spool`] is a queue in a folder: entries are appended, handed out in order, and forgotten when
//! they are acknowledged. [`DeadLetters`] keep those that the server refused for good. Entries are
//! sealed before they come here, so that nothing readable is ever on disk; to the spool they are
//! opaque bytes, 1 byte to 2 MiB of them.
//!
//! # What is promised
//! - After [`Spool::sync`] returned `Ok`, every entry that was appended and is not acknowledged is
//!   there after the process is killed or the power fails. Before that it is only likely to be.
//! - What is handed out was appended, byte for byte, and comes in the order of appending. In one
//!   life of a spool it comes once, unless it is put back. After a crash an entry that was
//!   acknowledged may come again: the server knows it by its salt and iv, and stores it once.
//! - Damage costs the records that it touches. Those after them are found, and what is lost is
//!   counted.
//! - A disk that fails or is full loses nothing while the process lives: what is not durable is in
//!   memory, bounded by [`SpoolOptions::memory_bytes`], can be handed out from there, and is written
//!   when that works again. What does not fit is refused, and the caller knows.
//! - One process at a time has a folder.
//!
//! # Files
//! | file | what |
//! |---|---|
//! | `lock` | empty; whoever holds its lock (`flock` on Unix) owns the folder |
//! | `NUMBER-FIRST-SALT.seg` | a segment: a header and records; hexadecimal digits, 8, 16 and 16 |
//! | `NUMBER-FIRST-SALT.done` | which bytes of that segment are acknowledged; not synced |
//! | `dead.ndjson`, `dead.ndjson.old` | dead letters |
//! | `own-0000/`, … | spools of other processes, see [`Spool::open_own`] |
//!
//! Files have mode 0600, folders that are made here 0700. Integers are little-endian. Checksums are
//! XXH3 in 64 bits with a seed.
//!
//! **A segment's header**, 40 bytes:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 8 | `LFSPOOL\n` |
//! | 8 | 4 | the version, 1 |
//! | 12 | 4 | the segment's number, in the order in which they were begun |
//! | 16 | 8 | the sequence number of its first record |
//! | 24 | 8 | the salt, drawn for every segment |
//! | 32 | 8 | the checksum of bytes 0 to 31, seed 0 |
//!
//! The file's name says the same, so that a damaged header costs nothing. A sound header of another
//! version is an error, and the file is left alone.
//!
//! **A record**, 36 bytes and its entry:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | the marker `FE 4C 46 FF`, which is in no UTF-8 text |
//! | 4 | 4 | the length *n* of the entry |
//! | 8 | 8 | the sequence number: one more than the record before |
//! | 16 | 4 | the ordinal: how many records of the segment came before |
//! | 20 | 8 | the checksum of bytes 0 to 19, seeded with the salt |
//! | 28 | *n* | the entry |
//! | 28 + *n* | 8 | the checksum of the entry, seeded with the checksum before it |
//!
//! **A `.done` file** is lines of 24 bytes: where an acknowledged range of the segment begins, where
//! it ends, and the checksum of both, seeded with the salt. A damaged line is passed over, and its
//! records are handed out again.
//!
//! # Recovery
//! A segment is read from its first record on. Where no sound record stands, the search goes on at
//! the next marker behind which a sound prefix stands; the length is under that prefix's checksum,
//! and is not believed otherwise. So a flipped bit, wherever it is, costs one record, and a torn
//! record at the end costs itself. The gap in the ordinals says how many were lost; at the end of a
//! segment only the prefixes can tell, and at least one is counted.
//!
//! Since the salt seeds all checksums, neither a record inside another one's payload nor a block of
//! a deleted file, which turns up after a power failure, can pass for a record.
//!
//! A recovered segment is never appended to: new records go to a new one.
//!
//! # Failing disks
//! Bytes are written at explicit places. After a full disk the same bytes are written to the same
//! place again, so that the part of a record that was written is written over; until then it is
//! truncated away. After any other failure, and above all after a failed `fsync`, of which the
//! kernel may drop the data and report success the next time, the file is not trusted: all that is
//! not durable is written to a new segment, and what of it stood in the old one is removed. Where
//! that fails, too, a record stands in both, with the same sequence number and the same content:
//! then the later segment's counts.
//!
//! # fork
//! A child must not use its parent's spool: every call but the counts fails with
//! [`SpoolError::Forked`], and dropping the spool there writes nothing. The child opens its own, by
//! [`Spool::open_own`] for one, since its parent has the lock. It should drop the parent's: as long
//! as it has that file open, a parent that was killed leaves the lock with the child.
//!
//! # Why not a crate
//! What there is was looked at, and none does all of this: `yaque` 0.6 has no checksums over
//! payloads and no fsync, and recovers by cutting segments off; `queue-file` 2.0 has checksums, and
//! keeps all in one ring behind one header, without a way past a damaged element; `mrecordlog` 0.4
//! goes on after damage with the next block of 32 KiB, at the cost of the records between;
//! `segment-buffer` 0.6 compresses whole batches, so that a flipped bit costs a batch;
//! `disk_backed_queue` 0.2 is SQLite under tokio; `okaywal` 0.3 calls itself unfit for production;
//! `sled` is a database in beta. None says what follows a failed fsync, or counts what a full disk
//! refused.

mod adopt;
mod buffer;
mod dead_letters;
mod durable;
mod format;
mod fs;
mod heal;
mod index;
mod own;
mod read;
mod recovery;
mod segment;
mod store;
mod types;
mod view;

pub use dead_letters::{DeadLetter, DeadLetters};
pub use store::Spool;
pub use types::{
    Acknowledged, Adopted, Appended, RecordId, Recovery, Skipped, SpoolChanges, SpoolError,
    SpoolFull, SpoolOptions,
};
pub use view::{SegmentView, SpoolView};

#[cfg(test)]
mod tests;
