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
//! - What somebody else removes, cuts off, replaces or renames is noticed at the next sync, before
//!   that reports anything. Records whose file is gone are written again if memory or an open file
//!   has them; the others are counted.
//!
//! # Files
//! | file | what |
//! |---|---|
//! | `lock` | empty; the process that holds its lock, and that of the folder itself (`flock` on Unix), owns the folder |
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
//! # What others do to the files
//! Cleaners of temporary files remove segments, locks and folders under a running process. An open
//! file goes on working then, and no call fails. So each sync ends with a look: the paths of the
//! lock, of the segments that it wrote and of 64 others must name the files that the spool made, and
//! these must be as long as they were. Where one is gone, all are looked at.
//!
//! - A **segment** that is gone, or is another file now, is lost with what stands in it; of one that
//!   was cut off, what stood behind the cut is. Its unsynced records are in memory. Its durable ones
//!   are taken from memory, or from the old file while that is open, and written to a new segment
//!   with their sequence numbers. Those that are found nowhere are counted
//!   ([`SpoolChanges::swept`]); for those that are handed out, the caller has the bytes
//!   ([`SpoolChanges::wanted`]).
//! - A **lock** that is gone is made again. The folder itself is locked as well, so that no other
//!   process can take it meanwhile. Where a file system does not lock folders (NFS), one can. Then
//!   this process takes another folder of its parent, with what it has in memory; the other process
//!   has what stands in the old one ([`SpoolChanges::taken_over`]).
//! - A **folder** that is gone or renamed is made again, or another one is taken.
//!
//! `systemd-tmpfiles` leaves a folder alone whose lock is held, with all that is in it.
//!
//! # Others' files
//! [`Spool::open_own`], [`Spool::adopt_abandoned`] and [`SpoolView`] leave alone what is not theirs,
//! and say so ([`Skipped`]): a folder that is a symbolic link, belongs to another user or may be
//! written by every user; a file that is a link, a pipe, or cannot be opened. The user who may write
//! to the parent can still rename or remove folders in it, and put others there between two calls.
//! The parent should be writable by its owner alone, or have the sticky bit.
//!
//! # fork
//! A child must not use its parent's spool: every call but the counts fails with
//! [`SpoolError::Forked`], and dropping the spool there writes nothing. The child opens its own, by
//! [`Spool::open_own`] for one, since its parent has the lock.
//!
//! The spool's files are closed in a child right after the fork, so that a child that outlives its
//! parent does not keep the lock. A child that is made past the C library (`_Fork`, `clone`, the bare
//! system call) keeps it until it ends or calls `exec`.
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
mod disk;
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
pub(crate) use disk::Disk;
pub use store::Spool;
pub use types::{
    Acknowledged, Adopted, Appended, RecordId, Recovery, Skipped, SpoolChanges, SpoolError,
    SpoolFull, SpoolOptions,
};
pub use view::{SegmentView, SpoolView};

#[cfg(test)]
pub(crate) mod tests;
