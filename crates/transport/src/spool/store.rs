//! The spool: appending, handing out, acknowledging.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::buffer::{Buffer, CHUNK};
use super::format::{ENTRY_MAX, HEADER_LEN, Header, OVERHEAD, append_record};
use super::fs::{File, FileSystem, Lock};
use super::heal::Saved;
use super::index::{Index, Slot};
use super::segment::Segment;
use super::types::{
    Acknowledged, Appended, RecordId, SpoolChanges, SpoolError, SpoolFull, SpoolOptions,
};

/// A durable queue of sealed entries in a folder, owned by one process. What is promised stands
/// where this module begins, in `spool/mod.rs`, with the format of its files.
///
/// Dropping it writes out what it holds, and leaves `fsync` to [`sync`](Self::sync).
#[derive(Debug)]
pub struct Spool {
    pub(super) fs: Arc<dyn FileSystem>,
    pub(super) folder: PathBuf,
    pub(super) options: SpoolOptions,
    /// The process that opened it.
    pub(super) generation: u64,
    pub(super) index: Index,
    pub(super) buffer: Buffer,
    /// The segments, in the order of their records.
    pub(super) segments: BTreeMap<u32, Segment>,
    /// The one that is appended to.
    pub(super) active: Option<u32>,
    pub(super) next_segment: u32,
    pub(super) next_id: u64,
    /// What makes a sequence number, which lasts, of an id, which does not.
    pub(super) sequence_offset: u64,
    /// All records up to this one are durable.
    pub(super) durable_id: u64,
    /// What is not durable has to go into another segment, since the file system lost some of it.
    pub(super) relocating: bool,
    /// The folder has entries that are not durable.
    pub(super) folder_dirty: bool,
    /// Files to remove, and how long they are.
    pub(super) condemned: Vec<(Header, usize)>,
    /// How many bytes the segments and the condemned files take.
    pub(super) bytes: u64,
    pub(super) dropped: u64,
    pub(super) damaged: u64,
    pub(super) swept: u64,
    pub(super) changes: SpoolChanges,
    /// Records whose file is gone, which are written again; without their bytes, those that are
    /// handed out and not in memory.
    pub(super) adrift: BTreeMap<u64, Option<Vec<u8>>>,
    /// What was written of them and is not known to be durable.
    pub(super) saved: Vec<Saved>,
    /// The records from here on are being adopted.
    pub(super) adopting: Option<u64>,
    /// Segments of others that were adopted, and can be neither removed nor noted as done.
    pub(super) stuck: BTreeSet<PathBuf>,
    /// Where the look at segments goes on.
    pub(super) look_from: u32,
    /// The parent of [`Spool::open_own`], where another folder may be taken.
    pub(super) parent: Option<PathBuf>,
    /// The segment that was read last.
    pub(super) reader: Option<(u32, Box<dyn File>)>,
    pub(super) lock: Box<dyn Lock>,
}

impl Spool {
    /// Appends an entry, which is not durable before the next [`sync`](Self::sync). It is held in
    /// memory until then, so that a disk that fails loses nothing while the process lives.
    ///
    /// # Errors
    /// The entry was not appended: [`SpoolError::Length`] unless it has 1 byte to 2 MiB,
    /// [`SpoolError::Full`] where there is no room for it, [`SpoolError::NotDurable`] where too much
    /// is not durable already and cannot be made so, [`SpoolError::Forked`].
    pub fn append(&mut self, entry: &[u8]) -> Result<Appended, SpoolError> {
        self.check_process()?;
        if entry.is_empty() || entry.len() > ENTRY_MAX {
            return Err(SpoolError::Length(entry.len()));
        }
        let dropped = self.dropped;
        let unsynced = self.buffer.unsynced_bytes();
        if unsynced > 0 && unsynced + entry.len() > self.options.memory_bytes {
            self.sync()?;
        }
        self.make_room(entry.len())?;
        let id = self.next_id;
        let (segment, offset) = self.place(id, entry);
        let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
        self.index.push(id, segment, offset, length);
        self.next_id += 1;
        // A chunk that no other record of this length goes into is written.
        if self.buffer.chunks.back().is_some_and(|chunk| chunk.bytes.len() + entry.len() > CHUNK) {
            // What fails here fails again, and is reported, where it matters: in the next sync.
            let _ = self.write_out();
        }
        let dropped_oldest = usize::try_from(self.dropped - dropped).unwrap_or(usize::MAX);
        Ok(Appended { id: RecordId(id), dropped_oldest })
    }

    /// Hands out the oldest entries that are neither acknowledged nor handed out: at most
    /// `max_entries`, and at most `max_bytes` of them unless the first alone has more. They need
    /// not be durable. None are left where the answer is empty.
    ///
    /// A record that turns out to be damaged is left out and counted in
    /// [`damaged`](Self::damaged).
    ///
    /// # Errors
    /// [`SpoolError::Forked`].
    pub fn next_batch(
        &mut self,
        max_entries: usize,
        max_bytes: usize,
    ) -> Result<Vec<(RecordId, Vec<u8>)>, SpoolError> {
        self.check_process()?;
        // What is sent should be on disk before. A disk that fails must not hold up the sending.
        let _ = self.write_out();
        loop {
            let slots = self.index.hand_out(max_entries, max_bytes);
            if slots.is_empty() {
                return Ok(Vec::new());
            }
            for slot in &slots {
                if let Some(segment) = self.segments.get_mut(&slot.segment) {
                    segment.in_flight += 1;
                }
            }
            let batch = self.fetch(&slots);
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
    }

    /// Takes back entries that were handed out and not delivered: they are handed out again, before
    /// all younger ones. Ids that are not handed out are ignored.
    pub fn put_back(&mut self, ids: &[RecordId]) {
        for RecordId(id) in ids {
            if self.adrift.get(id).is_some_and(Option::is_none) {
                self.give_up(*id);
                continue;
            }
            if let Some(slot) = self.index.put_back(*id)
                && let Some(segment) = self.segments.get_mut(&slot.segment)
            {
                segment.in_flight -= 1;
            }
        }
    }

    /// Forgets entries that were delivered, or are kept elsewhere for good. A segment of which all
    /// are acknowledged is deleted. Ids that are not, or no longer, in the spool are ignored.
    ///
    /// How far a segment is acknowledged is noted, and the note is not synced: after a crash some
    /// entries may be handed out again.
    ///
    /// # Errors
    /// [`SpoolError::Forked`]. A file that cannot be removed now is tried again later.
    pub fn acknowledge(&mut self, ids: &[RecordId]) -> Result<Acknowledged, SpoolError> {
        self.check_process()?;
        let mut slots: Vec<Slot> =
            ids.iter().filter_map(|RecordId(id)| self.index.remove(*id)).collect();
        let mut acknowledged = Acknowledged::default();
        for slot in &slots {
            self.adrift.remove(&slot.id);
            if slot.id > self.durable_id {
                acknowledged.unsynced.push(RecordId(slot.id));
            } else {
                acknowledged.durable += 1;
            }
        }
        slots.sort_unstable_by_key(|slot| (slot.segment, slot.offset));
        for slots in slots.chunk_by(|a, b| a.segment == b.segment) {
            let Some(number) = slots.first().map(|slot| slot.segment) else { continue };
            let Some(segment) = self.segments.get_mut(&number) else { continue };
            segment.live -= slots.len();
            segment.in_flight -= slots.iter().filter(|slot| slot.is_handed_out()).count();
            if segment.is_spent() && self.active != Some(number) {
                self.remove_segment(number);
            } else {
                segment.note_done(&*self.fs, &self.folder, slots);
            }
        }
        let first = self.index.first().unwrap_or(u64::MAX);
        self.buffer.evict(first, self.options.memory_bytes);
        Ok(acknowledged)
    }

    /// What became of records since this was asked last.
    pub fn take_changes(&mut self) -> SpoolChanges {
        std::mem::take(&mut self.changes)
    }

    /// How many entries are not acknowledged, those that are handed out included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.index.len() as u64
    }

    /// Whether all entries are acknowledged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// How many entries are neither acknowledged nor handed out.
    pub(crate) fn waiting(&self) -> u64 {
        self.index.waiting() as u64
    }

    /// How many bytes the segments take on disk, with what is not written yet, and with
    /// acknowledged records in segments that hold others.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many entries that are not acknowledged are not durable: what a crash now could lose.
    #[must_use]
    pub fn unsynced(&self) -> u64 {
        let adrift = self.adrift.keys().filter(|id| **id <= self.durable_id).count();
        (self.index.after(self.durable_id).count() + adrift) as u64
    }

    /// How many entries were dropped for want of room since it was opened.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many entries that were there when it was opened could not be read back since.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// How many durable entries were in files that somebody removed, and not in memory, since it was
    /// opened.
    #[must_use]
    pub fn swept(&self) -> u64 {
        self.swept
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn check_process(&self) -> Result<(), SpoolError> {
        if self.generation == logflux_process::generation() {
            Ok(())
        } else {
            Err(SpoolError::Forked)
        }
    }

    /// Puts a record into the active segment, or a new one; gives the segment and the place.
    pub(super) fn place(&mut self, id: u64, entry: &[u8]) -> (u32, u32) {
        let sequence = id.wrapping_add(self.sequence_offset);
        let segment_bytes = usize::try_from(self.options.segment_bytes).unwrap_or(usize::MAX);
        let number = match self.active {
            Some(number)
                if self
                    .segments
                    .get(&number)
                    .is_some_and(|segment| segment.has_room(entry.len(), segment_bytes)) =>
            {
                number
            }
            _ => self.begin_segment(),
        };
        let segment = self.segments.entry(number).or_insert_with(|| Segment::new(number, sequence));
        let growth = segment.growth(entry.len());
        let chunk = self.buffer.open_chunk(number, segment.len, id, growth);
        if segment.len == 0 {
            segment.header.append(&mut chunk.bytes);
        }
        let offset = chunk.end();
        append_record(&mut chunk.bytes, segment.header.salt, sequence, segment.count, entry);
        chunk.last = id;
        segment.len += growth;
        segment.count += 1;
        segment.live += 1;
        self.bytes += growth as u64;
        (number, u32::try_from(offset).unwrap_or(u32::MAX))
    }

    /// Makes a new number the active segment's; the full one goes where nothing in it is of use.
    fn begin_segment(&mut self) -> u32 {
        let number = self.next_segment;
        self.next_segment += 1;
        if let Some(full) = self.active.replace(number)
            && self.segments.get(&full).is_some_and(Segment::is_spent)
        {
            self.remove_segment(full);
        }
        number
    }

    /// Sees to it that an entry of this length does not exceed the bound.
    fn make_room(&mut self, entry: usize) -> Result<(), SpoolError> {
        let max_bytes = self.options.max_bytes;
        loop {
            // As if a new segment were begun, which is a header too much at times.
            let need = (HEADER_LEN + OVERHEAD + entry) as u64;
            if self.bytes + need <= max_bytes {
                return Ok(());
            }
            let spent = self.active.filter(|number| {
                self.segments
                    .get(number)
                    .is_some_and(|segment| segment.is_spent() && segment.len > 0)
            });
            if let Some(number) = spent {
                self.active = None;
                self.remove_segment(number);
            } else if self.options.when_full != SpoolFull::DropOldest || !self.drop_oldest() {
                return Err(SpoolError::Full { bytes: self.bytes, max_bytes });
            }
        }
    }

    /// Drops the oldest full segment of which nothing is handed out; tells whether there was one.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let oldest = self.segments.iter().find_map(|(number, segment)| {
            (segment.in_flight == 0 && self.active != Some(*number)).then_some(*number)
        });
        let Some(number) = oldest else { return false };
        for id in self.index.remove_segment(number) {
            self.dropped += 1;
            if id > self.durable_id {
                self.changes.dropped_unsynced.push(RecordId(id));
            } else {
                self.changes.dropped += 1;
            }
        }
        self.remove_segment(number);
        true
    }

    /// Forgets a segment, and removes its files.
    pub(super) fn remove_segment(&mut self, number: u32) {
        if self.reader.as_ref().is_some_and(|(open, _)| *open == number) {
            self.reader = None;
        }
        self.buffer.forget(number);
        if let Some(segment) = self.segments.remove(&number) {
            if segment.created {
                self.condemned.push((segment.header, segment.len));
            } else {
                self.bytes -= segment.len as u64;
            }
        }
        self.remove_condemned();
    }

    /// Removes what is to be removed; what fails stays for another time.
    pub(super) fn remove_condemned(&mut self) {
        let (fs, folder, bytes) = (&*self.fs, &self.folder, &mut self.bytes);
        self.condemned.retain(|(header, len)| {
            let removed = match fs.remove(&folder.join(header.file_name())) {
                Ok(()) => true,
                Err(error) => error.kind() == io::ErrorKind::NotFound,
            };
            if removed {
                let _ = fs.remove(&folder.join(super::segment::done_name(*header)));
                *bytes -= *len as u64;
            }
            !removed
        });
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.check_process().is_err() {
            return;
        }
        if let Some(number) = self.active
            && self.segments.get(&number).is_some_and(Segment::is_spent)
        {
            self.active = None;
            self.remove_segment(number);
        }
        let _ = if self.adrift.is_empty() {
            self.write_out()
        } else {
            self.sync().map_err(io::Error::other)
        };
    }
}
