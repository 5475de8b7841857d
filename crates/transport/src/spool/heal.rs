//! What somebody else removed is noticed, and made again.
//!
//! Cleaners of temporary files, and people, remove segments, locks and folders under a running
//! process, and rename their parents. An open file goes on working then, and nothing says that no
//! path leads to it any more. So every sync looks at the lock and at the files once all is written,
//! before it reports anything durable. Records whose file is gone are taken from memory, or from the
//! file if it is still open, and written to a new segment; the others are counted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format::{Frame, HEADER_LEN, Header, OVERHEAD, append_record, read_record};
use super::fs::{FileSystem, Folder, Lock, Open, Standing};
use super::index::{ADRIFT, Slot};
use super::own::own_folders;
use super::read::frame_end;
use super::segment::{Segment, done_name};
use super::store::Spool;
use super::types::RecordId;

/// How many durable segments one look is about. All are looked at where one is gone.
const LOOK: usize = 64;

/// A segment of records that were adrift, written and synced. It counts when the folder is synced.
#[derive(Debug)]
pub(super) struct Saved {
    segment: Segment,
    /// The records, and where they stand.
    places: Vec<(u64, u32)>,
}

impl Spool {
    /// Gives back the entry of a record that [`SpoolChanges::wanted`](super::SpoolChanges::wanted)
    /// names. The next sync writes it again. Other records are ignored.
    ///
    /// A wanted record that is not restored stays handed out: it can be acknowledged, and is lost,
    /// and counted, when it is put back.
    pub fn restore(&mut self, RecordId(id): RecordId, entry: &[u8]) {
        let length = self.index.get(id).map(|slot| slot.length as usize);
        if let Some(missing @ None) = self.adrift.get_mut(&id)
            && length == Some(entry.len())
        {
            *missing = Some(entry.to_vec());
        }
    }

    /// Looks whether the lock, the folder and the segments are where they were; takes back what is
    /// not, and tells whether there was any. `written`: all segments are as long as they should be.
    pub(super) fn notice(&mut self, written: bool) -> io::Result<bool> {
        let standing = self.lock.standing()?;
        if standing != Standing::Held {
            self.regain(standing)?;
        }
        let found = standing != Standing::Held;
        Ok(self.notice_segments(written, found)? || found)
    }

    fn notice_segments(&mut self, written: bool, all: bool) -> io::Result<bool> {
        let mut gone = self.gone(written, all)?;
        if !gone.is_empty() && !all {
            gone = self.gone(written, true)?;
        }
        let mut saved_gone = false;
        for saved in &self.saved {
            let path = self.folder.join(saved.segment.header.file_name());
            let now = self.fs.identity(&path)?;
            saved_gone |= now.is_none_or(|now| {
                saved.segment.identity.is_some_and(|was| !was.is_same_file(&now))
                    || now.len < saved.segment.len as u64
            });
        }
        if gone.is_empty() {
            return Ok(saved_gone);
        }
        self.changes.healed.push(format!(
            "{} files of the spool {} were removed, replaced or cut off by another program; \
             exclude the folder from what cleans it",
            gone.len(),
            self.folder.display()
        ));
        self.relocate();
        for (number, survives) in gone {
            self.lose_segment(number, survives, false);
        }
        Ok(true)
    }

    /// The segments of which something is gone, and how long what is left of each is.
    fn gone(&mut self, written: bool, all: bool) -> io::Result<Vec<(u32, usize)>> {
        let turn: Vec<u32> = if all {
            self.segments.keys().copied().collect()
        } else {
            let busy = self.segments.iter().filter(|(_, segment)| segment.file.is_some());
            let later = self.segments.range(self.look_from..).chain(&self.segments);
            let turn: Vec<u32> =
                later.take(LOOK.min(self.segments.len())).map(|(number, _)| *number).collect();
            self.look_from = turn.last().map_or(0, |last| last.wrapping_add(1));
            busy.map(|(number, _)| *number).chain(turn).collect()
        };
        let mut gone = Vec::new();
        let mut notes = Vec::new();
        for number in turn {
            let Some(segment) = self.segments.get(&number).filter(|segment| segment.created) else {
                continue;
            };
            notes.extend(segment.notes_are_gone(&*self.fs, &self.folder).then_some(number));
            let path = self.folder.join(segment.header.file_name());
            let due = if written { segment.len } else { segment.durable_len };
            let same = |now| segment.identity.is_none_or(|was| was.is_same_file(now));
            match self.fs.identity(&path)? {
                Some(now) if same(&now) && now.len >= due as u64 => {}
                Some(now) if same(&now) => {
                    gone.push((number, usize::try_from(now.len).unwrap_or(usize::MAX)));
                }
                _ => gone.push((number, 0)),
            }
        }
        for number in notes {
            let live: Vec<Slot> = self.index.of_segment(number).copied().collect();
            if let Some(segment) = self.segments.get_mut(&number) {
                segment.renew_notes(&*self.fs, &self.folder, &live);
            }
        }
        gone.sort_unstable();
        gone.dedup();
        Ok(gone)
    }

    /// Takes back the records of a segment that end behind `survives`; none of them is unsynced.
    fn lose_segment(&mut self, number: u32, survives: usize, taken_over: bool) {
        let slots: Vec<Slot> = self
            .index
            .of_segment(number)
            .filter(|slot| slot.id <= self.durable_id && frame_end(slot) > survives)
            .copied()
            .collect();
        for slot in &slots {
            let payload = self.rescue(slot);
            if let Some(segment) = self.segments.get_mut(&number) {
                segment.live -= 1;
                segment.in_flight -= usize::from(slot.is_handed_out());
            }
            if payload.is_none() && !slot.is_handed_out() {
                self.index.remove(slot.id);
                if taken_over {
                    self.changes.taken_over += 1;
                } else {
                    self.swept += 1;
                    self.changes.swept += 1;
                }
                continue;
            }
            if payload.is_none() {
                self.changes.wanted.push(RecordId(slot.id));
            }
            self.index.relocate(slot.id, ADRIFT, 0);
            self.adrift.insert(slot.id, payload);
        }
        if self.reader.as_ref().is_some_and(|(open, _)| *open == number) {
            self.reader = None;
        }
        self.buffer.forget(number);
        if self.active == Some(number) {
            self.active = None;
        }
        let Some(segment) = self.segments.get_mut(&number) else { return };
        let left = survives.min(segment.durable_len);
        self.bytes -= (segment.len - left) as u64;
        (segment.len, segment.durable_len, segment.file) = (left, left, None);
        if left == 0 {
            let note = done_name(segment.header);
            self.segments.remove(&number);
            let _ = self.fs.remove(&self.folder.join(note));
        } else if segment.is_spent() {
            self.remove_segment(number);
        }
    }

    /// The entry of a durable record whose file has no path any more: from memory, or from the file
    /// if it is open.
    fn rescue(&mut self, slot: &Slot) -> Option<Vec<u8>> {
        if let Some(payload) = self.buffer.payload(slot) {
            return Some(payload.to_vec());
        }
        let segment = self.segments.get_mut(&slot.segment)?;
        let salt = segment.salt;
        let file = match (&mut segment.file, &mut self.reader) {
            (Some(file), _) => file,
            (None, Some((number, file))) if *number == slot.segment => file,
            _ => return None,
        };
        let mut bytes = vec![0; slot.length as usize + OVERHEAD];
        let read = file.read_at(u64::from(slot.offset), &mut bytes).ok()?;
        match read_record(bytes.get(..read)?, salt) {
            Frame::Good { payload, .. } if payload.len() == slot.length as usize => {
                Some(payload.to_vec())
            }
            _ => None,
        }
    }

    /// Counts a record as swept that is handed out, and whose bytes nobody has.
    pub(super) fn give_up(&mut self, id: u64) {
        self.adrift.remove(&id);
        self.changes.wanted.retain(|wanted| wanted.0 != id);
        if self.index.remove(id).is_some() {
            self.swept += 1;
            self.changes.swept += 1;
        }
    }

    /// Writes the records that are adrift to segments of their own, and syncs those.
    pub(super) fn write_adrift(&mut self) -> io::Result<()> {
        let segment_bytes = usize::try_from(self.options.segment_bytes).unwrap_or(usize::MAX);
        let mut records =
            self.adrift.iter().filter_map(|(id, bytes)| Some((*id, bytes.as_ref()?))).peekable();
        while let Some((first, _)) = records.peek() {
            let number = self.next_segment;
            self.next_segment += 1;
            let mut segment = Segment::new(number, first.wrapping_add(self.sequence_offset));
            let mut bytes = Vec::new();
            segment.header.append(&mut bytes);
            let mut places = Vec::new();
            while let Some((id, payload)) = records.next_if(|(_, payload)| {
                bytes.len() == HEADER_LEN || bytes.len() + payload.len() + OVERHEAD <= segment_bytes
            }) {
                places.push((id, u32::try_from(bytes.len()).unwrap_or(u32::MAX)));
                let sequence = id.wrapping_add(self.sequence_offset);
                append_record(&mut bytes, segment.salt, sequence, segment.count, payload);
                segment.count += 1;
            }
            let path = self.folder.join(segment.header.file_name());
            let mut file = self.fs.open(&path, Open::New)?;
            self.folder_dirty = true;
            segment.created = true;
            segment.identity = file.identity().ok();
            let written = file.write_at(0, &bytes).and_then(|()| file.sync());
            (segment.len, segment.durable_len) = (bytes.len(), bytes.len());
            // Also where that failed: then it is removed at the next try.
            self.saved.push(Saved { segment, places });
            written?;
        }
        Ok(())
    }

    /// Removes what was written of records that are adrift: something failed after that.
    pub(super) fn condemn_saved(&mut self) {
        for saved in self.saved.drain(..) {
            self.condemned.push((saved.segment.header, 0));
        }
    }

    /// The records that were adrift are durable again.
    pub(super) fn keep_saved(&mut self) {
        for Saved { mut segment, places } in std::mem::take(&mut self.saved) {
            let number = segment.header.number;
            for (id, offset) in places {
                self.adrift.remove(&id);
                let Some(slot) = self.index.get(id) else { continue };
                self.index.relocate(id, number, offset);
                segment.live += 1;
                segment.in_flight += usize::from(slot.is_handed_out());
            }
            self.bytes += segment.len as u64;
            let spent = segment.is_spent();
            self.segments.insert(number, segment);
            if spent {
                self.remove_segment(number);
            }
        }
    }

    /// Takes the lock again, in this folder or in another.
    fn regain(&mut self, standing: Standing) -> io::Result<()> {
        let folder = self.folder.clone();
        if standing == Standing::LockGone {
            if self.lock.renew()? {
                let what = format!(
                    "the lock of the spool {} was removed by another program, and is made again",
                    folder.display()
                );
                self.changes.healed.push(what);
                return Ok(());
            }
            return self.move_away();
        }
        self.fs.create_folder(&folder)?;
        self.folder_dirty = true;
        let taken = match self.fs.lock(&folder)? {
            // What another process left there is adopted later, not mixed with ours.
            Some(lock) if self.parent.is_none() || !self.holds_others(&folder)? => lock,
            _ => return self.move_away(),
        };
        self.lock = taken;
        let what = format!(
            "the spool {} was removed or renamed by another program, and is made again",
            folder.display()
        );
        self.changes.healed.push(what);
        Ok(())
    }

    /// Whether there are segments in the folder that this spool did not write.
    fn holds_others(&self, folder: &Path) -> io::Result<bool> {
        let names = self.fs.list(folder)?;
        let mut headers = names.iter().filter_map(|name| Header::of_file_name(name));
        let ours = |header: &Header| {
            self.segments.values().any(|segment| segment.header == *header)
                || self.saved.iter().any(|saved| saved.segment.header == *header)
        };
        Ok(headers.any(|header| !ours(&header)))
    }

    /// Another process has the folder now: this one takes another, with what it has in memory. What
    /// stands in the old one is the other's.
    fn move_away(&mut self) -> io::Result<()> {
        let busy = || io::Error::other("another process has taken the spool's folder");
        let parent = self.parent.clone().ok_or_else(busy)?;
        let (folder, lock) = empty_folder(&self.fs, &parent)?.ok_or_else(busy)?;
        self.relocate();
        let old = std::mem::replace(&mut self.folder, folder);
        self.lock = lock;
        let created: Vec<(u32, Header)> = self
            .segments
            .iter()
            .filter(|(_, segment)| segment.created)
            .map(|(number, segment)| (*number, segment.header))
            .collect();
        for (number, header) in created {
            let there = self.fs.identity(&old.join(header.file_name()));
            self.lose_segment(number, 0, there.is_ok_and(|there| there.is_some()));
        }
        for (_, len) in self.condemned.drain(..) {
            self.bytes -= len as u64;
        }
        self.saved.clear();
        self.folder_dirty = true;
        self.changes.moved = true;
        let what = format!(
            "the lock of the spool {} was removed by another program and is another process's now; \
             this one goes on in {}",
            old.display(),
            self.folder.display()
        );
        self.changes.healed.push(what);
        Ok(())
    }
}

/// Locks a folder under `parent` that no process has and that holds no segments.
fn empty_folder(
    fs: &Arc<dyn FileSystem>,
    parent: &Path,
) -> io::Result<Option<(PathBuf, Box<dyn Lock>)>> {
    for folder in own_folders(parent) {
        match fs.look_at_folder(&folder)? {
            Folder::Foreign(_) => continue,
            Folder::Missing => fs.create_folder(&folder)?,
            Folder::Usable => {}
        }
        if let Ok(Some(lock)) = fs.lock(&folder)
            && is_empty(&**fs, &folder)?
        {
            return Ok(Some((folder, lock)));
        }
    }
    Ok(None)
}

fn is_empty(fs: &dyn FileSystem, folder: &Path) -> io::Result<bool> {
    Ok(!fs.list(folder)?.iter().any(|name| Header::of_file_name(name).is_some()))
}
