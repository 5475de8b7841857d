//! What a spool is opened with, what it tells, and how it fails.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// How a spool is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolOptions {
    /// The most bytes that its segments take on disk; 256 MiB by default.
    pub max_bytes: u64,
    /// The most bytes of a segment, 8 MiB by default; a longer entry has a segment of its own. At
    /// least 1 KiB, at most 64 MiB and a quarter of `max_bytes` are used.
    pub segment_bytes: u64,
    /// The most bytes of entries that are held in memory, 4 MiB by default: those that are not
    /// durable yet, and then the youngest, so that they need not be read back. Where more than this
    /// would not be durable, [`append`](super::Spool::append) syncs first.
    pub memory_bytes: usize,
    /// What becomes of an entry for which there is no room.
    pub when_full: SpoolFull,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            segment_bytes: 8 << 20,
            memory_bytes: 4 << 20,
            when_full: SpoolFull::Refuse,
        }
    }
}

/// What a full spool, or one on a full disk, does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpoolFull {
    /// The new entry is refused.
    #[default]
    Refuse,
    /// The oldest segment of which nothing is handed out is dropped, and its entries counted.
    DropOldest,
}

/// What a spool's folder held when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The entries found that are not acknowledged.
    pub entries: u64,
    /// How many bytes their segments take on disk.
    pub bytes: u64,
    /// How many records are damaged, a torn one at the end of a segment included. Exact but at the
    /// end of a segment, where several that follow one another may count as one.
    pub lost: u64,
    /// How many bytes are no sound record.
    pub skipped_bytes: u64,
    /// Folders and files that were left alone, since they are another user's or cannot be opened.
    pub skipped: Vec<Skipped>,
    /// There are more abandoned entries than were moved: see
    /// [`adopt_abandoned`](super::Spool::adopt_abandoned).
    pub more: bool,
}

/// What was moved from the folders of processes that are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adopted {
    /// The entries that were moved; they are durable here.
    pub entries: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many records were damaged there; see [`Recovery::lost`].
    pub lost: u64,
    /// How many bytes there were no sound record.
    pub skipped_bytes: u64,
    /// Folders and files that were left alone. They are named again at each call.
    pub skipped: Vec<Skipped>,
    /// There is more to move, and room for it: call again soon.
    pub more: bool,
}

/// A folder or file that was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why, in a few words.
    pub reason: String,
}

impl Skipped {
    pub(super) fn new(path: &std::path::Path, reason: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is skipped: {}", self.path.display(), self.reason)
    }
}

/// What became of records: every change of a record's place is in here once, or in what
/// [`acknowledge`](super::Spool::acknowledge) returns.
///
/// A record is unsynced at first, then durable, and then acknowledged, dropped, damaged, swept or
/// taken over. Take `durable` into account before the others: a record may be in two of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolChanges {
    /// Unsynced records that became durable, in ascending order.
    pub durable: Vec<RecordId>,
    /// Unsynced records that were dropped for want of room.
    pub dropped_unsynced: Vec<RecordId>,
    /// How many durable records were dropped for want of room.
    pub dropped: u64,
    /// How many durable records could not be read back.
    pub damaged: u64,
    /// How many durable records were in files that somebody removed, and not in memory.
    pub swept: u64,
    /// How many durable records another process has now, which took the folder after its lock was
    /// removed.
    pub taken_over: u64,
    /// How many entries came from folders of processes that are gone. They are durable, and not in
    /// `durable`.
    pub adopted: u64,
    /// Records that are handed out, whose file somebody removed, and whose bytes are not in memory:
    /// [`restore`](super::Spool::restore) takes them. They did not change their place.
    pub wanted: Vec<RecordId>,
    /// The spool has another [`folder`](super::Spool::folder) now.
    pub moved: bool,
    /// What was noticed to be gone and made again, a sentence each.
    pub healed: Vec<String>,
}

/// Where records were when they were acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acknowledged {
    /// How many were durable.
    pub durable: u64,
    /// Those that were not.
    pub unsynced: Vec<RecordId>,
}

/// A record of one spool, as long as that is open. Later records have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub(super) u64);

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An entry that was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// Its record.
    pub id: RecordId,
    /// How many older entries had to be dropped for it.
    pub dropped_oldest: usize,
}

/// A spool could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// Another process, or another spool of this one, has the folder.
    #[error("the spool {} is in use by another process; choose another folder", .0.display())]
    Locked(PathBuf),
    /// The spool was opened before a fork, and belongs to the process that opened it.
    #[error("the spool was opened before a fork; open another in this process")]
    Forked,
    /// The bound of bytes is reached.
    #[error("the spool is full: {bytes} of {max_bytes} bytes are taken")]
    Full {
        /// How many bytes it takes.
        bytes: u64,
        /// How many it may take.
        max_bytes: u64,
    },
    /// An entry has no bytes, or more than 2 MiB.
    #[error("an entry of {0} bytes cannot be spooled; 1 to 2097152 can")]
    Length(usize),
    /// A segment was written in another version of the format; it is left alone.
    #[error("the spool's segment {name} has version {version}, and this program reads version 1")]
    Version {
        /// The segment's file.
        name: String,
        /// Its version.
        version: u32,
    },
    /// Entries are not durable. They are held in memory, and the next sync tries again.
    #[error("{entries} spooled entries ({bytes} bytes) are not durable: {source}")]
    NotDurable {
        /// How many entries that are not acknowledged.
        entries: u64,
        /// How many bytes they take.
        bytes: u64,
        /// What the file system said.
        source: io::Error,
    },
    /// A bad letter: its entry is not one JSON value on one line.
    #[error("a dead letter's entry is not JSON on one line")]
    NotJson,
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

/// For `map_err`: an error of this file or folder.
pub(super) fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> SpoolError {
    let path = path.to_owned();
    move |source| SpoolError::Io { path, source }
}

/// Whether the system lacks something for the moment that has nothing to do with this file.
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    let kind = error.kind();
    // ENFILE and EMFILE have no kind of their own, and the same numbers on every Unix.
    let files = cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24));
    files
        || is_full(error)
        || matches!(kind, io::ErrorKind::OutOfMemory | io::ErrorKind::Interrupted)
}

/// Whether the disk, or what this user may have of it, is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
