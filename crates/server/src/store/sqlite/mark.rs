//! Which store is open in a folder, and how far it has come: a line in the lock's file.
//!
//! It is written after every group of entries, so that a store that is put back to an earlier state
//! is noticed at its next start: its numbers would be given out a second time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use rusqlite::Connection;

use super::state;
use crate::folder;
use crate::store::StoreError;

/// The line, which is written over and over in its place: the file is locked.
#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    /// What does not change while the store is open.
    store: String,
}

impl Mark {
    fn new(data: &Path, incarnation: i64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(folder::store_lock(data))?;
        let mark = Self { file, store: format!("{incarnation} {}", number_of_file(data)) };
        mark.file.set_len(mark.line(0).len() as u64)?;
        Ok(mark)
    }

    /// Every line has the same length, so that a full disk has room for it.
    fn line(&self, newest: i64) -> String {
        format!("{} {newest:020}", self.store)
    }

    /// Says how far the store has come. It is not synced: it is for another start on this machine.
    pub(super) fn write(&self, newest: i64) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(self.line(newest).as_bytes())
    }
}

/// Which store this is. A store that was restored from a backup or copied is another one, since its
/// numbers may be given out a second time: the lock's file says which store, of which file and how
/// far, was open here last.
pub(super) fn incarnation(
    connection: &Connection,
    data: &Path,
    newest: i64,
) -> Result<(u64, Mark), StoreError> {
    let drawn = state::drawn(connection)?;
    let mark = fs::read_to_string(folder::store_lock(data)).unwrap_or_default();
    let mut parts = mark.split(' ');
    let same = drawn.filter(|drawn| {
        parts.next() == Some(drawn.to_string().as_str())
            && parts.next() == Some(number_of_file(data).to_string().as_str())
            && parts.next().and_then(|n| n.parse::<i64>().ok()).is_some_and(|n| n <= newest)
    });
    let incarnation = match same {
        Some(same) => same,
        None => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).map_err(|error| StoreError::Engine(error.to_string()))?;
            let fresh = i64::from_le_bytes(bytes);
            connection.execute("UPDATE state SET incarnation = ?1", [fresh])?;
            fresh
        }
    };
    let mark = Mark::new(data, incarnation).map_err(|error| failed(data, &error))?;
    mark.write(newest).map_err(|error| failed(data, &error))?;
    Ok((incarnation.cast_unsigned(), mark))
}

fn failed(data: &Path, error: &io::Error) -> StoreError {
    StoreError::Engine(format!("{}: {error}", folder::store_lock(data).display()))
}

/// The number that the system has given the store's file.
fn number_of_file(data: &Path) -> u64 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(folder::entries_db(data)).map_or(0, |file| file.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = data;
        0
    }
}
