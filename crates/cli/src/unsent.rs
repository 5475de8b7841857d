//! The file of entries that the server did not take.
//!
//! It is opened before anything is read, so that a file that cannot be written stops the command while
//! nothing is lost. Several processes may append to one file: it is locked for every change.
//!
//! - It holds whole lines. What is written begins on a line of its own, and a write that fails is cut
//!   back. A line that is longer than any entry comes in pieces; if a later piece cannot be written, a
//!   line end is written behind the pieces before it.
//! - It holds no entry twice, although what is sent may come from this very file, by any way.

use std::collections::HashSet;
use std::fs::{File, Metadata, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::lines::{ENTRY_MAX, Input};
use crate::splitter::{Piece, Splitter};

/// How many lines are remembered: 64 MiB. A file that has more cannot be told apart from what is sent.
const KNOWN_MAX: usize = 2 << 20;
const TOO_MANY: &str =
    "it has over 2,000,000 lines, too many to tell which are new: send it by its name";
/// How often the file is opened again where somebody has just removed it.
const TRIES: usize = 10;

pub(crate) struct Unsent {
    path: PathBuf,
    /// Whether it was made here, and is removed where it stays empty.
    made: bool,
    /// What is sent comes from this file.
    is_input: bool,
    known: Known,
    /// A line of which pieces were kept and the end is still to come.
    open: Option<OpenLine>,
}

#[derive(Clone, Copy)]
struct OpenLine {
    /// What was kept of it.
    digest: Digest,
    /// The file's length with it.
    end: u64,
}

/// A line as a number of 128 bits.
type Digest = (u64, u64);

/// The lines that the file has, where what is sent may come from there.
struct Known {
    lines: HashSet<Digest>,
    keys: (RandomState, RandomState),
    /// Whether those were read that the file had before.
    read: bool,
    /// What is sealed here is in no file.
    wanted: bool,
    /// The file has more of them than are remembered.
    too_many: bool,
}

impl Known {
    /// Remembers a piece; false where it was known.
    fn add(&mut self, digest: Digest) -> bool {
        if !self.wanted || self.lines.len() >= KNOWN_MAX {
            return !self.lines.contains(&digest);
        }
        self.lines.insert(digest)
    }

    /// A piece that continues a line is known by what stands before it as well.
    fn digest(&self, piece: &Piece, before: &mut Option<Digest>) -> Digest {
        let all = (*before, &piece.bytes);
        let digest = (self.keys.0.hash_one(all), self.keys.1.hash_one(all));
        *before = (!ends_line(piece)).then_some(digest);
        digest
    }
}

fn ends_line(piece: &Piece) -> bool {
    piece.part.as_ref().is_none_or(|part| part.last)
}

impl Unsent {
    /// Tries whether the file can be written, and makes it where there is none. `sealed` says that the
    /// input's lines are what is kept.
    pub(crate) fn check(path: &Path, input: &Input, sealed: bool) -> Outcome<Self> {
        let failed = |error: io::Error| {
            Failure::new(format!(
                "{}: {error}: what the server does not take could not be kept, and so nothing was read; name another file with --unsent",
                escape::path(path)
            ))
        };
        if is_named_pipe(path) {
            return Err(failed(io::Error::other("it is a named pipe, which keeps nothing")));
        }
        let mut options = OpenOptions::new();
        options.append(true);
        let (file, made) = match options.clone().create_new(true).open(path) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (options.create(true).open(path).map_err(failed)?, false)
            }
            Err(error) => return Err(failed(error)),
        };
        let is_input = match (file.metadata(), input.metadata()) {
            (Ok(file), Some(input)) => file.is_file() && is_same(&file, input),
            _ => false,
        };
        let keys = (RandomState::new(), RandomState::new());
        let known =
            Known { lines: HashSet::new(), keys, read: false, wanted: sealed, too_many: false };
        Ok(Self { path: path.to_owned(), made, is_input, known, open: None })
    }

    /// Whether what is sent comes from this file, so that it is kept already.
    pub(crate) fn is_input(&self) -> bool {
        self.is_input
    }

    /// Its name, for people.
    pub(crate) fn name(&self) -> String {
        escape::path(&self.path)
    }

    /// Keeps lines durably, but those that the file has already.
    pub(crate) fn keep(&mut self, lines: &[Piece]) -> io::Result<()> {
        if lines.is_empty() || self.is_input {
            return Ok(());
        }
        let (mut file, readable) = self.open()?;
        if readable && self.known.wanted && !self.known.read {
            self.read_known(&mut file)?;
        }
        if self.known.too_many {
            return Err(io::Error::other(TOO_MANY));
        }
        self.known.read = true;
        let found = file.metadata()?;
        // Another process may have written behind it.
        let open = self.open.take().filter(|open| open.end == found.len());
        let (mut before, mut out, mut added) =
            (open.map(|open| open.digest), Vec::new(), Vec::new());
        if before.is_none() && found.len() > 0 && !(readable && ends_a_line(&mut file)?) {
            out.push(b'\n');
        }
        for line in lines {
            let digest = self.known.digest(line, &mut before);
            if self.known.add(digest) {
                added.push(digest);
                out.extend_from_slice(&line.bytes);
                if ends_line(line) {
                    out.push(b'\n');
                }
            }
        }
        let written = match (added.is_empty(), found.is_file()) {
            (true, _) => Ok(()),
            (false, true) => file.write_all(&out).and_then(|()| file.sync_all()),
            (false, false) => file.write_all(&out),
        };
        if written.is_err() {
            for digest in &added {
                self.known.lines.remove(digest);
            }
            if found.is_file() {
                file.set_len(found.len())?;
                if open.is_some() && !(readable && ends_a_line(&mut file)?) {
                    // The earlier pieces become a line. If this fails, the next append ends it.
                    let _ = file.write_all(b"\n");
                }
            }
        } else if let Some(digest) = before {
            self.open = Some(OpenLine { digest, end: file.metadata()?.len() });
        }
        written
    }

    /// Opens and locks the file that the path names, and says whether it can be read.
    fn open(&self) -> io::Result<(File, bool)> {
        for _ in 0..TRIES {
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            let both = options.clone().read(true).open(&self.path).map(|file| (file, true));
            let (file, readable) = match both {
                Ok((file, _)) => {
                    let readable = file.metadata()?.is_file();
                    (file, readable)
                }
                Err(_) => (options.open(&self.path)?, false),
            };
            let file = logflux_process::above_standard_streams(file)?;
            // Some file systems have no locks.
            let locked = file.lock().is_ok();
            if !locked || self.is_named(&file)? {
                return Ok((file, readable));
            }
        }
        Err(io::Error::other("it is removed again and again"))
    }

    fn is_named(&self, file: &File) -> io::Result<bool> {
        match std::fs::metadata(&self.path) {
            Ok(named) => Ok(is_same(&named, &file.metadata()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn read_known(&mut self, file: &mut File) -> io::Result<()> {
        file.seek(SeekFrom::Start(0))?;
        let mut splitter = Splitter::new(ENTRY_MAX);
        let mut buffer = vec![0; 64 << 10];
        let mut before = None;
        let mut add = |piece: &Piece| {
            let digest = self.known.digest(piece, &mut before);
            self.known.add(digest);
            self.known.too_many |= self.known.lines.len() >= KNOWN_MAX;
        };
        loop {
            let count = file.read(&mut buffer)?;
            splitter.push(buffer.get(..count).unwrap_or_default(), |piece| add(&piece));
            if count == 0 {
                splitter.finish().iter().for_each(add);
                return Ok(());
            }
        }
    }
}

impl Drop for Unsent {
    /// Removes the file where it was made here and has stayed empty.
    fn drop(&mut self) {
        if !self.made {
            return;
        }
        let Ok(file) = OpenOptions::new().append(true).open(&self.path) else { return };
        let empty =
            |file: &File| file.metadata().is_ok_and(|found| found.is_file() && found.len() == 0);
        // Whoever appends has the lock from before it looks whether the file still has its name.
        if file.try_lock().is_ok() && empty(&file) && self.is_named(&file).unwrap_or(false) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether this is a FIFO that has a name of its own. One that the shell gives (`>(…)`) is open already.
fn is_named_pipe(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let given = ["/dev/", "/proc/"].iter().any(|folder| path.starts_with(folder));
        !given && std::fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    (a.created().ok(), a.len()) == (b.created().ok(), b.len())
}
