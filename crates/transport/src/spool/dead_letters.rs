//! Entries that the server refused for good, with its reason.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logflux_wire::Timestamp;
use serde_json::value::RawValue;

use super::fs::{File, FileSystem, Open, Real};
use super::types::{SpoolError, at};

/// The most characters that are kept of a server's message.
const MESSAGE_MAX: usize = 1_000;
/// How large a file becomes before it is put aside.
const MAX_BYTES: u64 = 64 << 20;
/// The longest line that is read: a longer one is damage.
const LINE_MAX: usize = 4 << 20;

/// An entry that the server refused for good. It is sealed; nobody without the secret can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The entry, in canonical JSON.
    pub entry: Vec<u8>,
    /// The answer's HTTP status.
    pub status: Option<u16>,
    /// Why, for programs: an error code of PROTOCOL 7, or one of the client's.
    pub code: String,
    /// Why, for people; at most 1,000 characters of it are kept.
    pub message: String,
    /// When it was refused.
    pub time: Timestamp,
}

impl DeadLetter {
    /// Appends it as a line of the file has it, with a line feed at the end.
    ///
    /// # Errors
    /// [`SpoolError::NotJson`], and then nothing is appended.
    pub fn append_json(&self, out: &mut Vec<u8>) -> Result<(), SpoolError> {
        let one_line = !self.entry.contains(&b'\n');
        let entry: &RawValue = serde_json::from_slice(&self.entry)
            .ok()
            .filter(|_| one_line)
            .ok_or(SpoolError::NotJson)?;
        let message: String = self.message.chars().take(MESSAGE_MAX).collect();
        let json = |value: &dyn Fn() -> serde_json::Result<String>| {
            value().map_err(|_| SpoolError::NotJson)
        };
        let (status, code, message) = (
            json(&|| serde_json::to_string(&self.status))?,
            json(&|| serde_json::to_string(&self.code))?,
            json(&|| serde_json::to_string(&message))?,
        );
        let _ = writeln!(
            out,
            "{{\"entry\":{entry},\"status\":{status},\"code\":{code},\"message\":{message},\"time\":\"{}\"}}",
            self.time
        );
        Ok(())
    }
}

/// A file of dead letters: NDJSON, its owner's alone, a line each:
/// `{"entry":{…},"status":400,"code":"…","message":"…","time":"…"}`.
///
/// At 64 MiB it is renamed to `….old`, over the one before, whose letters are lost and counted. A
/// torn line at its end is ended before the next is written, so that it damages no other.
#[derive(Debug)]
pub struct DeadLetters {
    fs: Arc<dyn FileSystem>,
    path: PathBuf,
    max_bytes: u64,
    pub(super) generation: u64,
    dropped: u64,
}

impl DeadLetters {
    /// What the file in a spool's folder is called.
    pub const FILE_NAME: &'static str = "dead.ndjson";

    /// Opens the dead letters of a spool's folder, which must exist. The file is made when there is
    /// a letter.
    #[must_use]
    pub fn of_spool(folder: &Path) -> Self {
        Self::of_spool_in(Arc::new(Real), folder)
    }

    pub(super) fn of_spool_in(fs: Arc<dyn FileSystem>, folder: &Path) -> Self {
        Self::at_in(fs, folder.join(Self::FILE_NAME), MAX_BYTES)
    }

    /// Opens a file of dead letters, whose folder must exist.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self::at_in(Arc::new(Real), path, MAX_BYTES)
    }

    pub(super) fn at_in(fs: Arc<dyn FileSystem>, path: PathBuf, max_bytes: u64) -> Self {
        Self { fs, path, max_bytes, generation: logflux_process::generation(), dropped: 0 }
    }

    /// Appends letters and makes them durable.
    ///
    /// # Errors
    /// None of them was appended, or none can be relied on: [`SpoolError::NotJson`] for an entry
    /// that is not JSON on one line, [`SpoolError::Io`], [`SpoolError::Forked`].
    pub fn append(&mut self, letters: &[DeadLetter]) -> Result<(), SpoolError> {
        if self.generation != logflux_process::generation() {
            return Err(SpoolError::Forked);
        }
        let mut lines = Vec::new();
        for letter in letters {
            letter.append_json(&mut lines)?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        let path = self.path.clone();
        self.write(&lines).map_err(at(&path))
    }

    /// How many letters were lost since it was opened, as their file was replaced.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Gives every letter to `each`, the oldest first, and tells how many lines are damaged, a torn
    /// one at the end included. There are none where there is no file.
    ///
    /// # Errors
    /// [`SpoolError::Io`].
    pub fn read(&self, mut each: impl FnMut(DeadLetter)) -> Result<u64, SpoolError> {
        let mut damaged = 0;
        for path in [self.old(), self.path.clone()] {
            each_line(&*self.fs, &path, |line| match parse_line(line) {
                Some(letter) => each(letter),
                None => damaged += 1,
            })
            .map_err(at(&path))?;
        }
        Ok(damaged)
    }

    /// Replaces all letters by these, at once: a crash leaves the old ones or the new.
    ///
    /// # Errors
    /// As [`append`](Self::append); the letters that were there are there still, or both are.
    pub fn replace(&mut self, letters: &[DeadLetter]) -> Result<(), SpoolError> {
        if self.generation != logflux_process::generation() {
            return Err(SpoolError::Forked);
        }
        let mut lines = Vec::new();
        for letter in letters {
            letter.append_json(&mut lines)?;
        }
        let path = self.path.clone();
        self.rewrite(&lines).map_err(at(&path))
    }

    fn rewrite(&mut self, lines: &[u8]) -> io::Result<()> {
        let new = self.named(".new");
        let mut file = self.fs.open(&new, Open::ReadWrite)?;
        file.truncate(0)?;
        file.write_at(0, lines)?;
        file.sync()?;
        drop(file);
        self.fs.rename(&new, &self.path)?;
        self.sync_folder()?;
        match self.fs.remove(&self.old()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.sync_folder(),
        }
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        // Somebody may have removed the folder.
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            self.fs.create_folder(folder)?;
        }
        let mut file = self.fs.open(&self.path, Open::ReadWrite)?;
        let mut length = file.len()?;
        if length > 0 && length + lines.len() as u64 > self.max_bytes {
            self.rotate()?;
            file = self.fs.open(&self.path, Open::ReadWrite)?;
            length = 0;
        }
        let mut bytes = Vec::with_capacity(1 + lines.len());
        if ends_torn(&mut *file, length)? {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(lines);
        let written = file.write_at(length, &bytes).and_then(|()| file.sync());
        // The file's entry in the folder may be new.
        let written = written.and_then(|()| self.sync_folder());
        if written.is_err() {
            // What a failed fsync left is not to be relied on, and not to be found twice.
            let _ = file.truncate(length);
        }
        written
    }

    fn rotate(&mut self) -> io::Result<()> {
        let old = self.old();
        let mut lost = 0;
        each_line(&*self.fs, &old, |_| lost += 1)?;
        self.fs.rename(&self.path, &old)?;
        self.dropped += lost;
        self.sync_folder()
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        self.fs.sync_folder(folder.unwrap_or_else(|| Path::new(".")))
    }

    fn old(&self) -> PathBuf {
        self.named(".old")
    }

    fn named(&self, suffix: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(suffix);
        path.into()
    }
}

/// Whether a file of this length ends within a line.
fn ends_torn(file: &mut dyn File, length: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if let Some(place) = length.checked_sub(1) {
        file.read_at(place, &mut last)?;
    }
    Ok(last != *b"\n")
}

fn parse_line(line: &[u8]) -> Option<DeadLetter> {
    let fields: HashMap<String, Box<RawValue>> = serde_json::from_slice(line).ok()?;
    let text = |name| serde_json::from_str::<String>(fields.get(name)?.get()).ok();
    Some(DeadLetter {
        entry: fields.get("entry")?.get().as_bytes().to_vec(),
        status: serde_json::from_str(fields.get("status")?.get()).ok()?,
        code: text("code")?,
        message: text("message")?,
        time: text("time")?.parse().ok()?,
    })
}

/// Gives every line of a file, the torn one at its end too; none where there is no file.
fn each_line(fs: &dyn FileSystem, path: &Path, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = match fs.open(path, Open::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let mut block = vec![0; 64 << 10];
    let mut line = Vec::new();
    let mut place = 0;
    loop {
        let read = file.read_at(place, &mut block)?;
        if read == 0 {
            break;
        }
        place += read as u64;
        for part in block.get(..read).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            if line.len() < LINE_MAX {
                line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                let whole = line.strip_suffix(b"\n").unwrap_or(&line);
                if !whole.is_empty() {
                    each(whole);
                }
                line.clear();
            }
        }
    }
    if !line.is_empty() {
        each(&line);
    }
    Ok(())
}
