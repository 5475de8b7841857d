//! Reading records back from their segments.

use std::io;

use super::format::{Frame, OVERHEAD, read_record};
use super::fs::Open;
use super::index::{ADRIFT, Slot};
use super::store::Spool;
use super::types::RecordId;

impl Spool {
    /// The entries of these records, which are handed out. Those that are damaged or cannot be read
    /// are counted and left out.
    pub(super) fn fetch(&mut self, slots: &[Slot]) -> Vec<(RecordId, Vec<u8>)> {
        let mut batch = Vec::with_capacity(slots.len());
        let mut rest = slots;
        while let Some((first, others)) = rest.split_first() {
            if let Some(payload) = self.held(first) {
                batch.push((RecordId(first.id), payload.to_vec()));
                rest = others;
                continue;
            }
            // Those that follow one another on disk are read at once.
            let mut end = frame_end(first);
            let others = others
                .iter()
                .take_while(|slot| {
                    let follows = slot.segment == first.segment
                        && slot.offset as usize == end
                        && self.held(slot).is_none();
                    end = if follows { frame_end(slot) } else { end };
                    follows
                })
                .count();
            let (run, after) = rest.split_at_checked(1 + others).unwrap_or((rest, &[]));
            if self.read_run(run, &mut batch) {
                // The slots say where records stood before.
                for slot in after {
                    self.fetch_one(slot.id, &mut batch);
                }
                break;
            }
            rest = after;
        }
        batch
    }

    /// The entry of a record, if it is in memory.
    fn held(&self, slot: &Slot) -> Option<&[u8]> {
        match self.adrift.get(&slot.id) {
            Some(payload) => payload.as_deref(),
            None => self.buffer.payload(slot),
        }
    }

    /// As `fetch`, for a record of which it is not known where it stands.
    fn fetch_one(&mut self, id: u64, batch: &mut Vec<(RecordId, Vec<u8>)>) {
        let Some(slot) = self.index.get(id) else { return };
        if let Some(payload) = self.held(&slot) {
            batch.push((RecordId(id), payload.to_vec()));
        } else if slot.segment == ADRIFT {
            self.give_up(id);
        } else {
            self.read_run(&[slot], batch);
        }
    }

    /// Reads records that follow one another in a segment. True where records may stand elsewhere
    /// now, since a file was found to be gone.
    fn read_run(&mut self, run: &[Slot], batch: &mut Vec<(RecordId, Vec<u8>)>) -> bool {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return false };
        let salt = self.segments.get(&first.segment).map_or(0, |segment| segment.salt);
        match self.read_bytes(first.segment, first.offset as usize, frame_end(last)) {
            Ok(bytes) => {
                for slot in run {
                    let from = (slot.offset - first.offset) as usize;
                    match read_record(bytes.get(from..).unwrap_or_default(), salt) {
                        Frame::Good { payload, .. } if payload.len() == slot.length as usize => {
                            batch.push((RecordId(slot.id), payload.to_vec()));
                        }
                        _ => self.lose(slot, false),
                    }
                }
                false
            }
            // Somebody removed the file. Memory may have what was in it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.notice(false).is_ok_and(|found| found) {
                    for slot in run {
                        self.fetch_one(slot.id, batch);
                    }
                } else {
                    // It is back, or nobody can tell.
                    run.iter().for_each(|slot| self.lose(slot, true));
                }
                true
            }
            // One bad sector is not to cost the others.
            Err(_) if run.len() > 1 => {
                for slot in run {
                    self.fetch_one(slot.id, batch);
                }
                true
            }
            Err(_) => {
                self.lose(first, true);
                false
            }
        }
    }

    fn read_bytes(&mut self, number: u32, from: usize, to: usize) -> io::Result<Vec<u8>> {
        let file = match &mut self.reader {
            Some((open, file)) if *open == number => file,
            other => {
                let segment = self.segments.get(&number).ok_or(io::ErrorKind::NotFound)?;
                let path = self.folder.join(segment.header.file_name());
                let file = self.fs.open(&path, Open::Read)?;
                &mut other.insert((number, file)).1
            }
        };
        let mut bytes = vec![0; to - from];
        let read = file.read_at(from as u64, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Gives a record up. Where it may be readable another time, its segment stays.
    fn lose(&mut self, slot: &Slot, keep: bool) {
        self.damaged += 1;
        self.changes.damaged += 1;
        if self.index.remove(slot.id).is_none() {
            return;
        }
        let Some(segment) = self.segments.get_mut(&slot.segment) else { return };
        segment.live -= 1;
        segment.in_flight -= 1;
        segment.unreadable |= keep;
        if segment.is_spent() && self.active != Some(slot.segment) {
            self.remove_segment(slot.segment);
        }
    }
}

pub(super) fn frame_end(slot: &Slot) -> usize {
    slot.offset as usize + slot.length as usize + OVERHEAD
}
