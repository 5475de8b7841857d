//! What processes that are gone have left is moved here, a segment at a time.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::format::{Header, PREFIX_LEN};
use super::fs::{FileSystem, Folder};
use super::index::Slot;
use super::own::is_own;
use super::recovery::{Record, SegmentRead, headers, read_segment, remove_orphans, waiting};
use super::segment::{Segment, done_name};
use super::store::Spool;
use super::types::{Adopted, RecordId, Skipped, SpoolError, SpoolFull, at, is_exhausted};

impl Spool {
    /// Moves into this spool what stands in the subfolders of `parent` that
    /// [`open_own`](Self::open_own) made and no process has any more: about `max_bytes`, and at
    /// least one segment of the other's, which has 8 MiB unless it was configured otherwise. It
    /// reads no more than that, and has one segment in memory at a time.
    ///
    /// Entries are durable here before they are removed there; a crash between the two leaves them
    /// in both. Where this spool is full, the rest is left where it is. Dead letters stay where they
    /// are. Folders of other users are left alone; see [`open_own`](Self::open_own).
    ///
    /// # Errors
    /// [`SpoolError::NotDurable`], and then what was not moved is left where it is, and only there;
    /// [`SpoolError::Forked`]; [`SpoolError::Io`] where `parent` cannot be read, or the system is
    /// out of descriptors, memory or room on the disk.
    pub fn adopt_abandoned(
        &mut self,
        parent: &Path,
        max_bytes: u64,
    ) -> Result<Adopted, SpoolError> {
        self.check_process()?;
        let mut adopted = Adopted::default();
        let mut names = self.fs.list(parent).map_err(at(parent))?;
        names.retain(|name| is_own(name));
        names.sort_unstable();
        // What is not synced yet is not to share the fate of what is adopted.
        let mut synced = false;
        let mut room = max_bytes;
        let fs = Arc::clone(&self.fs);
        for name in names {
            let folder = parent.join(name);
            if folder == self.folder {
                continue;
            }
            // It says whether it is abandoned as long as it is not dropped.
            let _lock = match lock_abandoned(&*fs, &folder) {
                Ok(Some(lock)) => lock,
                Ok(None) => continue,
                Err(error) if is_exhausted(&error) => return Err(at(&folder)(error)),
                Err(error) => {
                    adopted.skipped.push(Skipped::new(&folder, error));
                    continue;
                }
            };
            let names = match fs.list(&folder) {
                Ok(names) => names,
                Err(error) => {
                    adopted.skipped.push(Skipped::new(&folder, error));
                    continue;
                }
            };
            for header in headers(&names) {
                if self.stuck.contains(&folder.join(header.file_name())) {
                    continue;
                }
                if room == 0 {
                    adopted.more = true;
                    return Ok(adopted);
                }
                if !synced {
                    self.sync()?;
                    synced = true;
                }
                let read = match read_segment(&*fs, &folder, header) {
                    Ok(read) => read,
                    Err(SpoolError::Io { source, path }) if is_exhausted(&source) => {
                        return Err(SpoolError::Io { source, path });
                    }
                    Err(SpoolError::Io { source, path }) => {
                        adopted.skipped.push(Skipped::new(&path, source));
                        continue;
                    }
                    Err(error) => {
                        adopted.skipped.push(Skipped::new(&folder.join(header.file_name()), error));
                        continue;
                    }
                };
                room = room.saturating_sub(read.len.max(1) as u64);
                if !self.adopt_segment(&folder, header, &read, &mut adopted)? {
                    return Ok(adopted);
                }
            }
            if let Ok(names) = fs.list(&folder) {
                remove_orphans(&*fs, &folder, &names);
            }
        }
        Ok(adopted)
    }

    /// Moves what a segment of another folder holds; false where this spool is full.
    fn adopt_segment(
        &mut self,
        folder: &Path,
        header: Header,
        read: &SegmentRead,
        adopted: &mut Adopted,
    ) -> Result<bool, SpoolError> {
        let found = |(found, done): &(_, bool)| Record { found: *found, number: 0, done: *done };
        let records = waiting(read.records.iter().map(found).collect());
        let mut taken = Vec::with_capacity(records.len());
        let mut bytes = 0;
        // To make room for old entries by dropping others would be no gain.
        let when_full = std::mem::replace(&mut self.options.when_full, SpoolFull::Refuse);
        self.adopting = Some(self.next_id);
        let mut full = false;
        let mut result = Ok(());
        for Record { found, .. } in &records {
            let from = found.offset + PREFIX_LEN;
            let payload = read.bytes.get(from..from + found.length).unwrap_or_default();
            match self.append(payload) {
                Ok(appended) => taken.push((appended.id, Slot::of(found))),
                Err(SpoolError::Full { .. }) => {
                    full = true;
                    break;
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
            bytes += found.length as u64;
        }
        let result = result.and_then(|()| self.sync());
        self.options.when_full = when_full;
        if let Err(error) = result {
            // They are durable there, and stay there alone.
            let ids: Vec<RecordId> = taken.iter().map(|(id, _)| *id).collect();
            let _ = self.acknowledge(&ids);
            self.adopting = None;
            if let Some(number) = self.active
                && self.segments.get(&number).is_some_and(Segment::is_spent)
            {
                self.active = None;
                self.remove_segment(number);
            }
            return Err(error);
        }
        self.adopting = None;
        let count = taken.len() as u64;
        self.changes.adopted += count;
        adopted.entries += count;
        adopted.bytes += bytes;
        if full {
            let mut there = Segment::found(header, read.salt, read.len, None);
            let slots: Vec<Slot> = taken.into_iter().map(|(_, slot)| slot).collect();
            there.note_done(&*self.fs, folder, &slots);
            return Ok(false);
        }
        adopted.lost += read.lost;
        adopted.skipped_bytes += read.skipped;
        let path = folder.join(header.file_name());
        match self.fs.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // So that they are not moved again and again, by this process or the next.
                self.stuck.insert(path.clone());
                let mut there = Segment::found(header, read.salt, read.len, None);
                let slots: Vec<Slot> = taken.into_iter().map(|(_, slot)| slot).collect();
                there.note_done(&*self.fs, folder, &slots);
                adopted.skipped.push(Skipped::new(&path, error));
            }
            _ => {
                let _ = self.fs.remove(&folder.join(done_name(header)));
                let _ = self.fs.sync_folder(folder);
            }
        }
        Ok(true)
    }
}

/// Locks a folder that no process has; none where one has it.
fn lock_abandoned(
    fs: &dyn FileSystem,
    folder: &Path,
) -> io::Result<Option<Box<dyn super::fs::Lock>>> {
    match fs.look_at_folder(folder)? {
        Folder::Missing => Ok(None),
        Folder::Foreign(reason) => Err(io::Error::other(reason)),
        Folder::Usable => fs.lock(folder),
    }
}
