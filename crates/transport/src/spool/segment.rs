//! One segment: a file of records, and beside it one that says which of them are acknowledged.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use super::format::{HEADER_LEN, Header, OVERHEAD, append_done};
use super::fs::{File, FileSystem, Identity, Open};
use super::index::Slot;

#[derive(Debug)]
pub(super) struct Segment {
    /// What its file's name says.
    pub(super) header: Header,
    /// What its checksums are seeded with: as the name says, unless the file was renamed.
    pub(super) salt: u64,
    /// How long it is, with what is not written yet.
    pub(super) len: usize,
    /// How much of it is durable.
    pub(super) durable_len: usize,
    /// How many records were put into it.
    pub(super) count: u32,
    /// How many of them are not acknowledged.
    pub(super) live: usize,
    /// How many of those are handed out.
    pub(super) in_flight: usize,
    /// It holds a record that the file system failed to read. The segment is kept, since another
    /// time it may be read.
    pub(super) unreadable: bool,
    /// The file, while there is something to be written.
    pub(super) file: Option<Box<dyn File>>,
    /// Whether the file was made.
    pub(super) created: bool,
    /// Which file that is; none where the system did not tell.
    pub(super) identity: Option<Identity>,
    done: Option<(Box<dyn File>, u64)>,
}

impl Segment {
    pub(super) fn new(number: u32, first: u64) -> Self {
        // What a hash map's keys come from: no two segments have the same, and nobody else knows it.
        let salt = RandomState::new().hash_one((std::process::id(), number, first));
        Self {
            header: Header { number, first, salt },
            salt,
            len: 0,
            durable_len: 0,
            count: 0,
            live: 0,
            in_flight: 0,
            unreadable: false,
            file: None,
            created: false,
            identity: None,
            done: None,
        }
    }

    /// One that was found on disk.
    pub(super) fn found(header: Header, salt: u64, len: usize, identity: Option<Identity>) -> Self {
        Self {
            header,
            salt,
            len,
            durable_len: len,
            created: true,
            identity,
            ..Self::new(header.number, header.first)
        }
    }

    /// Whether a record of this length goes into it.
    pub(super) fn has_room(&self, payload: usize, segment_bytes: usize) -> bool {
        self.count == 0 || self.len + payload + OVERHEAD <= segment_bytes
    }

    /// How much a record of this length makes it longer.
    pub(super) fn growth(&self, payload: usize) -> usize {
        payload + if self.len == 0 { HEADER_LEN + OVERHEAD } else { OVERHEAD }
    }

    /// Whether nothing in it is of use any more.
    pub(super) fn is_spent(&self) -> bool {
        self.live == 0 && !self.unreadable
    }

    /// Notes that these records, in ascending order, are acknowledged. Nothing depends on that it
    /// is kept: without it they are sent once more.
    pub(super) fn note_done(&mut self, fs: &dyn FileSystem, folder: &Path, slots: &[Slot]) {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for slot in slots {
            let start = u64::from(slot.offset);
            let end = start + u64::from(slot.length) + OVERHEAD as u64;
            match ranges.last_mut() {
                Some(last) if last.1 == start => last.1 = end,
                _ => ranges.push((start, end)),
            }
        }
        self.note_ranges(fs, folder, &ranges);
    }

    /// Notes again what is acknowledged, where somebody removed the notes. `live` are the records,
    /// in ascending order, that are not.
    pub(super) fn renew_notes(&mut self, fs: &dyn FileSystem, folder: &Path, live: &[Slot]) {
        self.done = None;
        // What could not be read is neither acknowledged nor known.
        if self.unreadable {
            return;
        }
        let mut ranges = Vec::new();
        let mut start = HEADER_LEN as u64;
        for slot in live {
            ranges.push((start, u64::from(slot.offset)));
            start = u64::from(slot.offset) + u64::from(slot.length) + OVERHEAD as u64;
        }
        ranges.push((start, self.len as u64));
        ranges.retain(|(start, end)| start < end);
        self.note_ranges(fs, folder, &ranges);
    }

    /// Whether the file of the notes is not where it was made.
    pub(super) fn notes_are_gone(&self, fs: &dyn FileSystem, folder: &Path) -> bool {
        let Some((file, _)) = &self.done else { return false };
        let (Ok(ours), Ok(now)) =
            (file.identity(), fs.identity(&folder.join(done_name(self.header))))
        else {
            return false;
        };
        now.is_none_or(|now| !now.is_same_file(&ours))
    }

    fn note_ranges(&mut self, fs: &dyn FileSystem, folder: &Path, ranges: &[(u64, u64)]) {
        if !self.created {
            return;
        }
        if self.done.is_none() {
            let path = folder.join(done_name(self.header));
            self.done = fs.open(&path, Open::ReadWrite).ok().and_then(|file| {
                let length = file.len().ok()?;
                // A torn line at the end is written over.
                let lines = length - length % super::format::DONE_LEN as u64;
                Some((file, lines))
            });
        }
        let Some((file, length)) = &mut self.done else { return };
        let mut out = Vec::new();
        for (start, end) in ranges {
            append_done(&mut out, self.salt, *start, *end);
        }
        if file.write_at(*length, &out).is_ok() {
            *length += out.len() as u64;
        }
    }
}

/// The name of the file that says what of a segment is acknowledged.
pub(super) fn done_name(header: Header) -> String {
    let mut name = header.file_name();
    name.truncate(name.len() - ".seg".len());
    name.push_str(".done");
    name
}
