//! From memory to the disk, and what to do where that fails.

use std::io;

use super::fs::Open;
use super::index::Slot;
use super::store::Spool;
use super::types::{RecordId, SpoolError, SpoolFull, is_full};

/// How often one sync writes what somebody removes meanwhile.
const NOTICED_MAX: usize = 3;

impl Spool {
    /// Makes durable all that was appended: the records, and that their files are in the folder.
    ///
    /// After a failure the records stay in memory and the next sync tries again. An `fsync` that
    /// failed is not repeated on the same file, since the kernel may have dropped what it could not
    /// write: the records are written once more, to a new segment. A disk that is full is no
    /// failure of that kind: the same bytes go to the same place when there is room.
    ///
    /// # Errors
    /// [`SpoolError::NotDurable`] with what is not durable, [`SpoolError::Forked`].
    pub fn sync(&mut self) -> Result<(), SpoolError> {
        self.check_process()?;
        let mut noticed = 0;
        loop {
            let synced = self.try_sync();
            let source = match (self.notice(synced.is_ok()), synced) {
                // What was gone is in memory again, and is written once more.
                (Ok(true), _) if noticed < NOTICED_MAX => {
                    noticed += 1;
                    continue;
                }
                (Ok(true), _) => io::Error::other("its files are removed while they are written"),
                (Ok(false), Ok(())) => {
                    self.settle();
                    if self.adrift.is_empty() {
                        return Ok(());
                    }
                    io::Error::other("the files of entries that are being sent were removed")
                }
                (Err(error), _) | (_, Err(error)) => error,
            };
            let may_drop = self.options.when_full == SpoolFull::DropOldest && is_full(&source);
            if !may_drop || !self.drop_oldest() {
                let entries = self.unsynced();
                let unsynced = self.index.after(self.durable_id);
                let length = |slot: &Slot| u64::from(slot.length);
                let adrift = self.adrift.keys().filter(|id| **id <= self.durable_id);
                let adrift = adrift.filter_map(|id| self.index.get(*id));
                let bytes = unsynced.map(length).sum::<u64>()
                    + adrift.map(|slot| length(&slot)).sum::<u64>();
                return Err(SpoolError::NotDurable { entries, bytes, source });
            }
        }
    }

    /// Writes and syncs. What is durable by that counts only when it is known to be still there.
    fn try_sync(&mut self) -> io::Result<()> {
        self.condemn_saved();
        self.write_out()?;
        self.write_adrift()?;
        let mut last = None;
        for chunk in self.buffer.chunks.iter().filter(|chunk| !chunk.is_durable()) {
            if last == Some(chunk.segment) {
                continue;
            }
            last = Some(chunk.segment);
            let file = self.segments.get_mut(&chunk.segment).and_then(|s| s.file.as_mut());
            if let Some(Err(error)) = file.map(|file| file.sync()) {
                self.relocating = true;
                return Err(error);
            }
        }
        if self.folder_dirty {
            if let Err(error) = self.fs.sync_folder(&self.folder) {
                self.relocating = true;
                return Err(error);
            }
            self.folder_dirty = false;
        }
        Ok(())
    }

    /// Notes that all is durable.
    fn settle(&mut self) {
        let until = self.adopting.unwrap_or(u64::MAX);
        let durable = self.index.after(self.durable_id).map(|slot| slot.id);
        self.changes.durable.extend(durable.take_while(|id| *id < until).map(RecordId));
        self.keep_saved();
        for chunk in self.buffer.chunks.iter_mut().rev().take_while(|chunk| !chunk.is_durable()) {
            chunk.durable = chunk.bytes.len();
        }
        for (number, segment) in self.segments.iter_mut().rev() {
            if segment.file.is_none() && segment.durable_len == segment.len {
                continue;
            }
            // What was moved elsewhere after a failure stands behind the durable part still.
            if segment.durable_len == segment.len
                && let Some(file) = segment.file.as_mut()
                && file.len().is_ok_and(|length| length > segment.len as u64)
            {
                let _ = file.truncate(segment.len as u64);
            }
            segment.durable_len = segment.len;
            if self.active != Some(*number) {
                segment.file = None;
            }
        }
        self.durable_id = self.next_id - 1;
        self.remove_condemned();
        let first = self.index.first().unwrap_or(u64::MAX);
        self.buffer.evict(first, self.options.memory_bytes);
    }

    /// Writes what is not written. It is not durable by that, but survives the end of the process.
    pub(super) fn write_out(&mut self) -> io::Result<()> {
        if self.relocating {
            self.relocate();
        }
        let unwritten =
            self.buffer.chunks.iter().rev().take_while(|c| c.written < c.bytes.len()).count();
        let skip = self.buffer.chunks.len() - unwritten;
        for chunk in self.buffer.chunks.iter_mut().skip(skip) {
            let Some(segment) = self.segments.get_mut(&chunk.segment) else { continue };
            let file = match &mut segment.file {
                Some(file) => file,
                missing => {
                    let path = self.folder.join(segment.header.file_name());
                    let file = self.fs.open(&path, Open::New).inspect_err(|error| {
                        self.relocating |= error.kind() == io::ErrorKind::AlreadyExists;
                    })?;
                    segment.created = true;
                    segment.identity = file.identity().ok();
                    self.folder_dirty = true;
                    missing.insert(file)
                }
            };
            let place = (chunk.offset + chunk.written) as u64;
            let rest = chunk.bytes.get(chunk.written..).unwrap_or_default();
            if let Err(error) = file.write_at(place, rest) {
                if is_full(&error) {
                    // A part may have been written: without it there is room for others' files.
                    let _ = file.truncate(place);
                } else {
                    self.relocating = true;
                }
                return Err(error);
            }
            chunk.written = chunk.bytes.len();
        }
        Ok(())
    }

    /// Moves the records that are not durable to a new segment.
    pub(super) fn relocate(&mut self) {
        self.remove_condemned();
        let lost = self.buffer.take_unsynced();
        let slots: Vec<_> = self.index.after(self.durable_id).copied().collect();
        self.active = None;
        for chunk in &lost.chunks {
            let Some(segment) = self.segments.get_mut(&chunk.segment) else { continue };
            self.bytes -= (segment.len - segment.durable_len) as u64;
            segment.len = segment.durable_len;
        }
        for slot in &slots {
            let Some(payload) = lost.payload(slot) else { continue };
            if let Some(segment) = self.segments.get_mut(&slot.segment) {
                segment.live -= 1;
                segment.in_flight -= usize::from(slot.is_handed_out());
            }
            let (segment, offset) = self.place(slot.id, payload);
            self.index.relocate(slot.id, segment, offset);
            if let Some(segment) = self.segments.get_mut(&segment) {
                segment.in_flight += usize::from(slot.is_handed_out());
            }
        }
        let spent: Vec<u32> = self
            .segments
            .iter()
            .filter(|(number, segment)| segment.is_spent() && self.active != Some(**number))
            .map(|(number, _)| *number)
            .collect();
        for number in spent {
            // Its files go once the records are durable elsewhere.
            if let Some(segment) = self.segments.remove(&number)
                && segment.created
            {
                self.condemned.push((segment.header, segment.len));
            }
        }
        self.relocating = false;
    }
}
