//! A file system in memory that forgets: what was not synced may be lost in part and in any order
//! when it crashes, and files that were not synced in their folder may not be there. It fails on
//! demand, and a failed sync throws away what it was to write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::spool::disk::Disk as ClientDisk;
use crate::spool::fs::{File, FileSystem, Folder, Identity, LOCK, Lock, Open, Standing};

/// How much of a write reaches the disk as a whole, or not at all.
const SECTOR: usize = 64;

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The next write is cut short: the disk is full.
    Full,
    /// The next write is cut short: the disk is broken.
    Broken,
    /// The next sync of a file fails.
    Sync,
    /// The next sync of a folder fails.
    SyncFolder,
    /// No file can be made.
    Create,
    /// No file can be removed.
    Remove,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Debug, Default)]
struct Inode {
    cache: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
}

#[derive(Debug)]
pub(crate) struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    pending_names: Vec<NameChange>,
    /// Who has each lock file's lock: locks are numbered.
    locks: BTreeMap<PathBuf, u64>,
    next_lock: u64,
    /// Folders of other users.
    pub(crate) foreign: BTreeSet<PathBuf>,
    /// Files that cannot be opened.
    pub(crate) forbidden: BTreeSet<PathBuf>,
    random: u64,
    /// How many operations changed something.
    pub(crate) changes: usize,
    /// The power fails in this operation.
    pub(crate) crash_at: Option<usize>,
    pub(crate) crashed: bool,
    pub(crate) faults: Vec<Fault>,
    /// How many bytes all files may have.
    pub(crate) capacity: usize,
    /// No file can be read at this place.
    pub(crate) bad_place: Option<usize>,
    /// What happens after so many more operations, before the next.
    interruption: Option<(usize, Interruption)>,
}

/// Something that others do while the disk is at work.
struct Interruption(Box<dyn FnOnce() + Send>);

impl fmt::Debug for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interruption(…)")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Fake(Arc<Mutex<Disk>>);

impl Fake {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Disk {
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending_names: Vec::new(),
            locks: BTreeMap::new(),
            next_lock: 0,
            foreign: BTreeSet::new(),
            forbidden: BTreeSet::new(),
            random: seed | 1,
            changes: 0,
            crash_at: None,
            crashed: false,
            faults: Vec::new(),
            capacity: usize::MAX,
            bad_place: None,
            interruption: None,
        })))
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }

    /// This happens after so many more operations that change something.
    pub(crate) fn interrupt(&self, after: usize, happens: impl FnOnce() + Send + 'static) {
        self.disk().interruption = Some((after, Interruption(Box::new(happens))));
    }

    /// Whatever was to happen does not.
    pub(crate) fn leave_alone(&self) {
        let interruption = self.disk().interruption.take();
        drop(interruption);
    }

    /// An operation that changes something is about to begin.
    fn about_to_change(&self) {
        let mut disk = self.disk();
        if let Some((after, _)) = &mut disk.interruption {
            if let Some(less) = after.checked_sub(1) {
                *after = less;
                return;
            }
            let interruption = disk.interruption.take();
            drop(disk);
            if let Some((_, interruption)) = interruption {
                (interruption.0)();
            }
        }
    }

    /// What would be there if the power failed now, and lost all that it may lose.
    pub(crate) fn durable(&self) -> Self {
        let durable = Self::new(1);
        let disk = self.disk();
        let mut copy = durable.disk();
        copy.durable_names.clone_from(&disk.durable_names);
        copy.names.clone_from(&disk.durable_names);
        copy.inodes.extend(disk.inodes.iter().map(|inode| Inode {
            cache: inode.durable.clone(),
            durable: inode.durable.clone(),
            pending: Vec::new(),
        }));
        drop(copy);
        durable
    }

    /// These files, for a client.
    pub(crate) fn for_client(&self) -> ClientDisk {
        ClientDisk(Arc::new(self.clone()))
    }

    pub(crate) fn files(&self) -> Vec<(PathBuf, usize)> {
        let disk = self.disk();
        disk.names.iter().map(|(name, at)| (name.clone(), disk.inodes[*at].cache.len())).collect()
    }
}

impl Disk {
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn take_lock(&mut self, path: &Path) -> Option<u64> {
        if self.locks.contains_key(path) {
            return None;
        }
        self.next_lock += 1;
        self.locks.insert(path.to_owned(), self.next_lock);
        Some(self.next_lock)
    }

    fn identity(&self, at: usize) -> Identity {
        Identity { device: 0, inode: at as u64, len: self.inodes[at].cache.len() as u64 }
    }

    /// Somebody else removes a file, durably: whoever has it open goes on with it.
    pub(crate) fn sweep(&mut self, path: &Path) {
        self.names.remove(path);
        self.durable_names.remove(path);
        self.pending_names.retain(|change| {
            let (NameChange::Link(name, _) | NameChange::Unlink(name)) = change;
            name != path
        });
    }

    /// Somebody else removes a lock file.
    pub(crate) fn sweep_lock(&mut self, folder: &Path) {
        self.locks.remove(&folder.join(LOCK));
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.random() % 100 < percent
    }

    /// The power comes back: what was durable is there, and any part of what was not.
    pub(crate) fn crash(&mut self) {
        let percent = [0, 30, 70, 100][usize::try_from(self.random() % 4).unwrap()];
        for at in 0..self.inodes.len() {
            let pending = std::mem::take(&mut self.inodes[at].pending);
            let mut durable = std::mem::take(&mut self.inodes[at].durable);
            for change in pending {
                match change {
                    Change::Write(offset, bytes) => {
                        let mut from = 0;
                        while from < bytes.len() {
                            let to = bytes.len().min(from + SECTOR - (offset + from) % SECTOR);
                            if self.chance(percent) {
                                put(&mut durable, offset + from, &bytes[from..to]);
                            }
                            from = to;
                        }
                    }
                    Change::Truncate(length) => {
                        if self.chance(percent) {
                            durable.resize(length, 0);
                        }
                    }
                }
            }
            self.inodes[at].cache.clone_from(&durable);
            self.inodes[at].durable = durable;
        }
        for change in std::mem::take(&mut self.pending_names) {
            if self.chance(percent) {
                apply_name(&mut self.durable_names, change);
            }
        }
        self.names.clone_from(&self.durable_names);
        self.locks.clear();
        self.crash_at = None;
        self.crashed = false;
        self.faults.clear();
    }

    /// Counts an operation that changes something; an error where the power is, or now goes, off.
    fn change(&mut self) -> io::Result<()> {
        let now = self.changes;
        self.changes += 1;
        if self.crash_at == Some(now) {
            self.crashed = true;
        }
        self.alive()
    }

    fn alive(&self) -> io::Result<()> {
        if self.crashed { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    fn fault(&mut self, fault: Fault) -> bool {
        let at = self.faults.iter().position(|planned| *planned == fault);
        at.map(|at| self.faults.remove(at)).is_some()
    }

    fn write(&mut self, at: usize, offset: usize, bytes: &[u8]) {
        put(&mut self.inodes[at].cache, offset, bytes);
        self.inodes[at].pending.push(Change::Write(offset, bytes.to_vec()));
    }
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if file.len() < offset + bytes.len() {
        file.resize(offset + bytes.len(), 0);
    }
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
}

fn apply_name(names: &mut BTreeMap<PathBuf, usize>, change: NameChange) {
    match change {
        NameChange::Link(path, at) => {
            names.insert(path, at);
        }
        NameChange::Unlink(path) => {
            names.remove(&path);
        }
    }
}

impl FileSystem for Fake {
    fn create_folder(&self, _path: &Path) -> io::Result<()> {
        self.disk().alive()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let disk = self.disk();
        disk.alive()?;
        let names = disk.names.keys().filter_map(|path| {
            let rest = path.strip_prefix(folder).ok()?;
            Some(rest.components().next()?.as_os_str().to_str().unwrap().to_owned())
        });
        Ok(names.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let mut disk = self.disk();
        disk.alive()?;
        if disk.forbidden.contains(path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let known = disk.names.get(path).copied();
        let at = match (known, how) {
            (Some(_), Open::New) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(at), _) => at,
            (None, Open::Read) => return Err(io::ErrorKind::NotFound.into()),
            (None, _) => {
                disk.change()?;
                if disk.fault(Fault::Create) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                disk.inodes.push(Inode::default());
                let at = disk.inodes.len() - 1;
                disk.names.insert(path.to_owned(), at);
                disk.pending_names.push(NameChange::Link(path.to_owned(), at));
                at
            }
        };
        Ok(Box::new(FakeFile { fs: self.clone(), at }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.about_to_change();
        let mut disk = self.disk();
        disk.alive()?;
        if !disk.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        disk.change()?;
        if disk.fault(Fault::Remove) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        disk.names.remove(path);
        disk.pending_names.push(NameChange::Unlink(path.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.about_to_change();
        let mut disk = self.disk();
        disk.change()?;
        let at = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), at);
        disk.pending_names.push(NameChange::Link(to.to_owned(), at));
        disk.pending_names.push(NameChange::Unlink(from.to_owned()));
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.about_to_change();
        let mut disk = self.disk();
        disk.change()?;
        if disk.fault(Fault::SyncFolder) {
            return Err(io::Error::other("the folder cannot be synced"));
        }
        for change in std::mem::take(&mut disk.pending_names) {
            let (NameChange::Link(path, _) | NameChange::Unlink(path)) = &change;
            if path.parent() == Some(folder) {
                apply_name(&mut disk.durable_names, change);
            } else {
                disk.pending_names.push(change);
            }
        }
        Ok(())
    }

    fn lock(&self, folder: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut disk = self.disk();
        disk.alive()?;
        let path = folder.join(LOCK);
        Ok(disk.take_lock(&path).map(|number| {
            let fs = self.clone();
            Box::new(FakeLock { fs, path, number }) as Box<dyn Lock>
        }))
    }

    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        let disk = self.disk();
        disk.alive()?;
        Ok(disk.names.get(path).map(|at| disk.identity(*at)))
    }

    fn look_at_folder(&self, folder: &Path) -> io::Result<Folder> {
        let disk = self.disk();
        disk.alive()?;
        if disk.foreign.contains(folder) {
            return Ok(Folder::Foreign("it belongs to user 1".to_owned()));
        }
        Ok(Folder::Usable)
    }
}

#[derive(Debug)]
struct FakeFile {
    fs: Fake,
    at: usize,
}

impl File for FakeFile {
    fn identity(&self) -> io::Result<Identity> {
        let disk = self.fs.disk();
        disk.alive()?;
        Ok(disk.identity(self.at))
    }

    fn len(&self) -> io::Result<u64> {
        let disk = self.fs.disk();
        disk.alive()?;
        Ok(disk.inodes[self.at].cache.len() as u64)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.fs.about_to_change();
        let mut disk = self.fs.disk();
        let offset = usize::try_from(offset).unwrap();
        disk.alive()?;
        let part = usize::try_from(disk.random()).unwrap_or(0) % (bytes.len() + 1);
        if let Err(error) = disk.change() {
            disk.write(self.at, offset, &bytes[..part]);
            return Err(error);
        }
        let taken: usize = disk.inodes.iter().map(|inode| inode.cache.len()).sum();
        let grows = (offset + bytes.len()).saturating_sub(disk.inodes[self.at].cache.len());
        if taken + grows > disk.capacity || disk.fault(Fault::Full) {
            disk.write(self.at, offset, &bytes[..part]);
            return Err(io::ErrorKind::StorageFull.into());
        }
        if disk.fault(Fault::Broken) {
            disk.write(self.at, offset, &bytes[..part]);
            return Err(io::Error::other("the disk is broken"));
        }
        disk.write(self.at, offset, bytes);
        Ok(())
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let disk = self.fs.disk();
        disk.alive()?;
        let cache = &disk.inodes[self.at].cache;
        let from = usize::try_from(offset).unwrap().min(cache.len());
        let count = into.len().min(cache.len() - from);
        if disk.bad_place.is_some_and(|bad| (from..from + count).contains(&bad)) {
            return Err(io::Error::other("a bad sector"));
        }
        into[..count].copy_from_slice(&cache[from..from + count]);
        Ok(count)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.fs.about_to_change();
        let mut disk = self.fs.disk();
        disk.change()?;
        let length = usize::try_from(length).unwrap();
        disk.inodes[self.at].cache.resize(length, 0);
        disk.inodes[self.at].pending.push(Change::Truncate(length));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fs.about_to_change();
        let mut disk = self.fs.disk();
        disk.change()?;
        let failed = disk.fault(Fault::Sync);
        for change in std::mem::take(&mut disk.inodes[self.at].pending) {
            // What a failed sync did not write is forgotten: the next sync succeeds without it.
            if failed && disk.chance(60) {
                continue;
            }
            let durable = &mut disk.inodes[self.at].durable;
            match change {
                Change::Write(offset, bytes) => put(durable, offset, &bytes),
                Change::Truncate(length) => durable.resize(length, 0),
            }
        }
        if failed { Err(io::Error::other("the file cannot be synced")) } else { Ok(()) }
    }
}

#[derive(Debug)]
struct FakeLock {
    fs: Fake,
    path: PathBuf,
    number: u64,
}

impl Lock for FakeLock {
    fn standing(&self) -> io::Result<Standing> {
        let disk = self.fs.disk();
        disk.alive()?;
        let held = disk.locks.get(&self.path) == Some(&self.number);
        Ok(if held { Standing::Held } else { Standing::LockGone })
    }

    fn renew(&mut self) -> io::Result<bool> {
        let mut disk = self.fs.disk();
        disk.alive()?;
        let taken = disk.take_lock(&self.path);
        self.number = taken.unwrap_or(self.number);
        Ok(taken.is_some())
    }
}

impl Drop for FakeLock {
    fn drop(&mut self) {
        let mut disk = self.fs.disk();
        if disk.locks.get(&self.path) == Some(&self.number) {
            disk.locks.remove(&self.path);
        }
    }
}
