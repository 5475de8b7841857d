//! Opening a spool: what earlier processes left is found again.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::buffer::Buffer;
use super::format::{ENTRY_MAX, Found, HEADER_LEN, Header, HeaderRead, OVERHEAD};
use super::format::{is_done, read_done, scan};
use super::fs::{FileSystem, LOCK, Open, Real};
use super::index::Index;
use super::segment::{Segment, done_name};
use super::store::Spool;
use super::types::{Recovery, Skipped, SpoolChanges, SpoolError, SpoolOptions, at, is_exhausted};

/// The most bytes of a segment.
const SEGMENT_MAX: u64 = 64 << 20;

impl Spool {
    /// Opens the spool of a folder, which is made where it is missing, and finds what it holds.
    ///
    /// # Errors
    /// [`SpoolError::Locked`] where another process has it: [`open_own`](Self::open_own) is for
    /// that. [`SpoolError::Version`], [`SpoolError::Io`]. Damage is no error, and is counted.
    pub fn open(folder: &Path, options: SpoolOptions) -> Result<(Self, Recovery), SpoolError> {
        Self::open_in(Arc::new(Real), folder, options)
    }

    pub(super) fn open_in(
        fs: Arc<dyn FileSystem>,
        folder: &Path,
        mut options: SpoolOptions,
    ) -> Result<(Self, Recovery), SpoolError> {
        options.segment_bytes =
            options.segment_bytes.min(options.max_bytes / 4).clamp(1 << 10, SEGMENT_MAX);
        fs.create_folder(folder).map_err(at(folder))?;
        let lock = fs
            .lock(folder)
            .map_err(at(&folder.join(LOCK)))?
            .ok_or_else(|| SpoolError::Locked(folder.to_owned()))?;
        let mut spool = Self {
            fs,
            folder: folder.to_owned(),
            options,
            generation: logflux_process::generation(),
            index: Index::default(),
            buffer: Buffer::default(),
            segments: BTreeMap::new(),
            active: None,
            next_segment: 0,
            next_id: 1,
            sequence_offset: 0,
            durable_id: 0,
            relocating: false,
            folder_dirty: true,
            condemned: Vec::new(),
            bytes: 0,
            dropped: 0,
            damaged: 0,
            swept: 0,
            changes: SpoolChanges::default(),
            adrift: BTreeMap::new(),
            saved: Vec::new(),
            adopting: None,
            stuck: BTreeSet::new(),
            look_from: 0,
            parent: None,
            reader: None,
            lock,
        };
        let recovery = spool.recover()?;
        Ok((spool, recovery))
    }

    fn recover(&mut self) -> Result<Recovery, SpoolError> {
        // A file that was removed must not come back after a power failure when its sequence numbers
        // are given again, as they are where the folder is empty: entries would come out of order.
        self.folder_dirty = self.fs.sync_folder(&self.folder).is_err();
        let names = self.fs.list(&self.folder).map_err(at(&self.folder))?;
        let mut recovery = Recovery::default();
        let mut records = Vec::new();
        let mut next_sequence = 1;
        for header in headers(&names) {
            let read = match read_segment(&*self.fs, &self.folder, header) {
                // Somebody removed it just now.
                Err(SpoolError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    continue;
                }
                // It may be another user's. It is left alone, and so is its number.
                Err(SpoolError::Io { source, path }) if !is_exhausted(&source) => {
                    recovery.skipped.push(Skipped::new(&path, source));
                    self.next_segment = self.next_segment.max(header.number.saturating_add(1));
                    next_sequence = next_sequence.max(header.first.saturating_add(1));
                    continue;
                }
                other => other?,
            };
            recovery.lost += read.lost;
            recovery.skipped_bytes += read.skipped;
            // What is damaged had a sequence number, too.
            let most = header.first.saturating_add((read.len / (OVERHEAD + 1)) as u64);
            let last = read.records.iter().map(|(found, _)| found.sequence).max().unwrap_or(0);
            next_sequence = next_sequence.max(most).max(last.saturating_add(1));
            let number = header.number.max(self.next_segment);
            self.next_segment = number.saturating_add(1);
            self.bytes += read.len as u64;
            let path = self.folder.join(header.file_name());
            let identity = self.fs.identity(&path).ok().flatten();
            self.segments.insert(number, Segment::found(header, read.salt, read.len, identity));
            records.extend(read.records.into_iter().map(|(found, done)| Record {
                found,
                number,
                done,
            }));
        }
        self.index_records(records, next_sequence);
        self.durable_id = self.next_id - 1;
        let spent: Vec<u32> =
            self.segments.iter().filter(|(_, s)| s.is_spent()).map(|(n, _)| *n).collect();
        for number in spent {
            self.remove_segment(number);
        }
        remove_orphans(&*self.fs, &self.folder, &names);
        // Those that a killed process left may not be durable. They were not promised to be.
        for segment in self.segments.values() {
            let path = self.folder.join(segment.header.file_name());
            let _ = self.fs.open(&path, Open::Read).and_then(|mut file| file.sync());
        }
        recovery.entries = self.len();
        recovery.bytes = self.bytes;
        Ok(recovery)
    }

    fn index_records(&mut self, records: Vec<Record>, next_sequence: u64) {
        let short = |length| u32::try_from(length).unwrap_or(u32::MAX);
        let records = waiting(records);
        // Ids keep the distances of the sequence numbers, so that a record that is written again
        // gets its own number again. Numbers that lie so far apart are nobody's work.
        let first = records.first().map_or(next_sequence, |record| record.found.sequence);
        let spread = next_sequence.saturating_sub(first) < 1 << 62;
        for Record { found, number, .. } in records {
            let distance = if spread { found.sequence.saturating_sub(first) } else { 0 };
            let id = self.next_id.max(1 + distance);
            self.index.push(id, number, short(found.offset), short(found.length));
            self.next_id = id + 1;
            if let Some(segment) = self.segments.get_mut(&number) {
                segment.live += 1;
            }
        }
        if spread {
            self.next_id = self.next_id.max(1 + next_sequence.saturating_sub(first));
        }
        self.sequence_offset = next_sequence.wrapping_sub(self.next_id);
    }
}

/// Removes notes of what is acknowledged whose segments are gone.
pub(super) fn remove_orphans(fs: &dyn FileSystem, folder: &Path, names: &[String]) {
    for name in names.iter().filter(|name| name.ends_with(".done")) {
        let segment = name.replace(".done", ".seg");
        if !matches!(fs.identity(&folder.join(segment)), Ok(Some(_)) | Err(_)) {
            let _ = fs.remove(&folder.join(name));
        }
    }
}

/// A record that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) found: Found,
    /// The segment that it is in.
    pub(super) number: u32,
    pub(super) done: bool,
}

/// The records that are not acknowledged, in order, and each once: after a failed fsync a record
/// may stand in two segments.
pub(super) fn waiting(mut records: Vec<Record>) -> Vec<Record> {
    let entry = |record: &Record| (record.found.sequence, record.found.content);
    records.sort_unstable_by_key(|record| (entry(record), record.number));
    records
        .chunk_by(|a, b| entry(a) == entry(b))
        .filter(|copies| !copies.iter().any(|copy| copy.done))
        // The copy of the last segment: the others are of files that could not be synced, and may be
        // sound in the kernel's memory alone.
        .filter_map(|copies| copies.last().copied())
        .collect()
}

/// The segments of a folder, in the order in which they were begun.
pub(super) fn headers(names: &[String]) -> Vec<Header> {
    let mut headers: Vec<Header> =
        names.iter().filter_map(|name| Header::of_file_name(name)).collect();
    headers.sort_unstable_by_key(|header| (header.number, header.first, header.salt));
    headers
}

/// What a segment's files hold.
pub(super) struct SegmentRead {
    pub(super) bytes: Vec<u8>,
    pub(super) len: usize,
    pub(super) salt: u64,
    /// The records, and whether they are acknowledged.
    pub(super) records: Vec<(Found, bool)>,
    pub(super) lost: u64,
    pub(super) skipped: u64,
}

/// Reads a segment.
pub(super) fn read_segment(
    fs: &dyn FileSystem,
    folder: &Path,
    name: Header,
) -> Result<SegmentRead, SpoolError> {
    let path = folder.join(name.file_name());
    let bytes = read_file(fs, &path).map_err(at(&path))?;
    let (salt, damaged_header) = match Header::read(&bytes) {
        HeaderRead::Good(header) => (header.salt, 0),
        HeaderRead::Version(version) => {
            return Err(SpoolError::Version { name: name.file_name(), version });
        }
        HeaderRead::Damaged => (name.salt, bytes.len().min(HEADER_LEN)),
    };
    let done = read_file(fs, &folder.join(done_name(name)))
        .map_or_else(|_| Vec::new(), |bytes| read_done(&bytes, salt));
    let scan = scan(&bytes, salt);
    let mut read = SegmentRead {
        len: bytes.len(),
        bytes,
        salt,
        records: Vec::with_capacity(scan.records.len()),
        lost: 0,
        skipped: damaged_header as u64,
    };
    for found in scan.records {
        let end = found.offset + found.length + OVERHEAD;
        read.records.push((found, is_done(&done, found.offset, end)));
    }
    // Damage to what was acknowledged is no loss.
    for gap in scan.gaps.iter().filter(|gap| !is_done(&done, gap.start, gap.end)) {
        read.lost += gap.lost;
        read.skipped += (gap.end - gap.start) as u64;
    }
    Ok(read)
}

/// Reads a whole file. What cannot be read of it is taken for zeros, and so for damage.
pub(super) fn read_file(fs: &dyn FileSystem, path: &Path) -> io::Result<Vec<u8>> {
    let mut file = fs.open(path, Open::Read)?;
    const BLOCK: usize = 64 << 10;
    const SECTOR: usize = 4 << 10;
    let longest = SEGMENT_MAX + 2 * ENTRY_MAX as u64;
    let length = usize::try_from(file.len()?.min(longest)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    for (number, block) in bytes.chunks_mut(BLOCK).enumerate() {
        let place = (number * BLOCK) as u64;
        if file.read_at(place, block).is_err() {
            for (number, sector) in block.chunks_mut(SECTOR).enumerate() {
                if file.read_at(place + (number * SECTOR) as u64, sector).is_err() {
                    sector.fill(0);
                }
            }
        }
    }
    Ok(bytes)
}
