//! What the spool needs of a file system, and the real one. The tests have another, which forgets
//! and fails on purpose.

use std::fmt::Debug;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use logflux_process::{OwnFile, above_standard_streams, no_follow};

/// The file whose lock says that a process owns the folder.
pub(super) const LOCK: &str = "lock";
/// How often a lock is taken again that was removed while it was taken.
const LOCK_TRIES: usize = 10;

/// A file system. Paths are those of one spool's folder.
pub(super) trait FileSystem: Debug + Send + Sync {
    /// Makes a folder and what leads to it, for its owner alone, and makes them durable. One that
    /// is there is left as it is.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// The names of what is in a folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Opens a file.
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Renames a file, over another where there is one.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the folder's own entries durable: which files are there, by which names.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Locks a folder until the guard is dropped; none where another has the lock.
    fn lock(&self, folder: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// Which file a path names now; none where there is none.
    fn identity(&self, path: &Path) -> io::Result<Option<Identity>>;
    /// Whether a folder may be used by this user.
    fn look_at_folder(&self, folder: &Path) -> io::Result<Folder>;
}

/// Which file it is, and how long. A file that is open keeps its numbers to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) len: u64,
}

impl Identity {
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// What stands at the path of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Missing,
    /// One that this user may use.
    Usable,
    /// Nothing to touch, and why.
    Foreign(String),
}

/// What became of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is where it was taken.
    Held,
    /// The folder is there, and its lock file was removed or replaced.
    LockGone,
    /// The folder was removed or renamed.
    FolderGone,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// To read.
    Read,
    /// To read and write; it must not be there yet.
    New,
    /// To read and write; made where it is missing.
    ReadWrite,
}

/// An open file.
pub(super) trait File: Debug + Send + Sync {
    /// Which file it is.
    fn identity(&self) -> io::Result<Identity>;
    /// How long it is.
    fn len(&self) -> io::Result<u64>;
    /// Writes all of this at this place.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Reads from this place until the buffer is full or the file ends; gives how much.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Cuts it off.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Makes what was written durable, and with it the length.
    fn sync(&mut self) -> io::Result<()>;
}

/// A lock, held until it is dropped.
pub(super) trait Lock: Debug + Send + Sync {
    /// Whether it still stands where it was taken.
    fn standing(&self) -> io::Result<Standing>;
    /// Makes and locks the lock file again where it is gone; false where another has it.
    fn renew(&mut self) -> io::Result<bool>;
}

/// The operating system's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Real;

impl FileSystem for Real {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let parent = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => {
                self.create_folder(parent)?;
                parent
            }
            None => Path::new("."),
        };
        match make_private_folder(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.sync_folder(parent),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let mut options = private_options();
        match how {
            Open::Read => options.read(true),
            Open::New => options.read(true).write(true).create_new(true),
            Open::ReadWrite => options.read(true).write(true).create(true),
        };
        let file = no_follow(&mut options).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        Ok(Box::new(RealFile(OwnFile::new(file)?)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        above_standard_streams(fs::File::open(folder)?)?.sync_all()
    }

    /// Elsewhere folders are no files, and their entries are the file system's own care.
    #[cfg(not(unix))]
    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, folder: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let open = || fs::File::open(folder);
        // Not every system opens folders, and not every file system locks them.
        let opened = OwnFile::open_between_forks(open).ok();
        if let Some(opened) = &opened
            && let Err(fs::TryLockError::WouldBlock) = opened.get()?.try_lock()
        {
            return Ok(None);
        }
        let Some(file) = lock_file(&folder.join(LOCK))? else { return Ok(None) };
        let (folder, generation) = (folder.to_owned(), logflux_process::generation());
        Ok(Some(Box::new(RealLock { folder, opened, file, generation })))
    }

    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(identity(&metadata))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn look_at_folder(&self, folder: &Path) -> io::Result<Folder> {
        let metadata = match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Folder::Missing),
            other => other?,
        };
        let foreign = |reason: &str| Ok(Folder::Foreign(reason.to_owned()));
        if metadata.is_symlink() {
            return foreign("it is a symbolic link");
        }
        if !metadata.is_dir() {
            return foreign("it is not a folder");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let (owner, mode) = (metadata.uid(), metadata.mode() & 0o777);
            if owner != logflux_process::effective_user() {
                return Ok(Folder::Foreign(format!("it belongs to user {owner}")));
            }
            if mode & 0o002 != 0 {
                let reason = format!("every user may write to it (mode {mode:o}); use mode 700");
                return Ok(Folder::Foreign(reason));
            }
        }
        Ok(Folder::Usable)
    }
}

/// Opens a lock file, made where it is missing, and locks it; none where another has the lock.
fn lock_file(path: &Path) -> io::Result<Option<OwnFile>> {
    for _ in 0..LOCK_TRIES {
        let file = OwnFile::open_between_forks(|| {
            no_follow(private_options().read(true).write(true).create(true)).open(path)
        })?;
        match file.get()?.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        // It may have been removed since it was opened: then the next process would make another.
        if is_at(path, &file)? {
            return Ok(Some(file));
        }
    }
    Err(io::Error::other("its lock file is removed each time it is made"))
}

/// Whether this path names this file.
fn is_at(path: &Path, file: &OwnFile) -> io::Result<bool> {
    let ours = identity(&file.get()?.metadata()?);
    match fs::metadata(path) {
        Ok(metadata) => Ok(identity(&metadata).is_same_file(&ours)),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether nothing is there, a folder on the way to it included.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity { device: metadata.dev(), inode: metadata.ino(), len: metadata.len() }
}

/// Only how long it is: elsewhere a file that is open is not removed.
#[cfg(not(unix))]
fn identity(metadata: &fs::Metadata) -> Identity {
    Identity { device: 0, inode: 0, len: metadata.len() }
}

/// Options with which a new file is its owner's alone.
fn private_options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.truncate(false);
    options
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[derive(Debug)]
struct RealFile(OwnFile);

impl File for RealFile {
    fn identity(&self) -> io::Result<Identity> {
        Ok(identity(&self.0.get()?.metadata()?))
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.get()?.metadata()?.len())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.0.get_mut()?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let file = self.0.get_mut()?;
        file.seek(SeekFrom::Start(offset))?;
        let mut read = 0;
        while let Some(rest) = into.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.get()?.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.get()?.sync_data()
    }
}

/// The folder and a file in it are locked. The lock of the folder is what a cleaner cannot remove,
/// and one that is polite leaves a locked folder alone; that of the file is for file systems that do
/// not lock folders.
///
/// A lock belongs to the open file. The child of a fork does not keep it; one that is born without
/// the C library's knowledge does, and leaves the lock where it is.
#[derive(Debug)]
struct RealLock {
    folder: PathBuf,
    opened: Option<OwnFile>,
    file: OwnFile,
    generation: u64,
}

impl Lock for RealLock {
    fn standing(&self) -> io::Result<Standing> {
        let folder_stands = match &self.opened {
            Some(opened) => is_at(&self.folder, opened)?,
            None => self.folder.is_dir(),
        };
        if !folder_stands {
            return Ok(Standing::FolderGone);
        }
        let stands = is_at(&self.folder.join(LOCK), &self.file)?;
        Ok(if stands { Standing::Held } else { Standing::LockGone })
    }

    fn renew(&mut self) -> io::Result<bool> {
        let Some(file) = lock_file(&self.folder.join(LOCK))? else { return Ok(false) };
        self.file = file;
        Ok(true)
    }
}

impl Drop for RealLock {
    fn drop(&mut self) {
        // Unlocked before they are closed: a child that is born between the two keeps no lock.
        if self.generation == logflux_process::generation() {
            for file in [Some(&self.file), self.opened.as_ref()].into_iter().flatten() {
                let _ = file.get().and_then(fs::File::unlock);
            }
        }
    }
}
