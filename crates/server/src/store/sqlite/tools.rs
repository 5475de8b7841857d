//! What whoever runs a server does with its store: compact, back up, repair.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::appending::{self, Appending};
use super::copy::{Copied, copy};
use super::{lock, schema, state};
use crate::store::StoreError;
use crate::{folder, random};

/// Gives the free space of a store's file back to the disk, and orders what is left. No server may
/// run meanwhile; as much space as the store uses must be free. Gives the file's size before and
/// after.
///
/// # Errors
/// [`StoreError`], among others where a server runs.
pub fn compact(data: &Path) -> Result<(u64, u64), StoreError> {
    let path = there(data)?;
    let _lock = lock(data)?;
    let size = || fs::metadata(&path).map_or(0, |file| file.len());
    let connection = schema::open_writer(&path)?;
    let truncate = || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    truncate()?;
    let before = size();
    connection.execute_batch("VACUUM")?;
    truncate()?;
    Ok((before, size()))
}

/// Writes the entries, the keys and the alerts as they are at this moment to a new folder, for its
/// owner alone. A server may run meanwhile, and goes on.
///
/// # Errors
/// [`StoreError`], among others where the folder is there and not empty.
pub fn backup(data: &Path, to: &Path) -> Result<Copied, StoreError> {
    let failed = |error: io::Error| failed(to, &error);
    if fs::symlink_metadata(to).is_ok()
        && !fs::read_dir(to).is_ok_and(|mut all| all.next().is_none())
    {
        return Err(StoreError::Engine(format!(
            "{}: it is there already: name a folder that is not",
            to.display()
        )));
    }
    let source = open(data)?;
    let part = part_of(to)?;
    let write = || {
        // Nobody changes keys or alerts while they are copied and the newest entry is looked up.
        let beside = [folder::keys_db, folder::alerts_db];
        let held: Vec<Connection> = beside
            .iter()
            .map(|of| of(data))
            .filter(|path| path.exists())
            .map(|path| hold(&path))
            .collect::<Result<_, _>>()?;
        let upto = appending::newest(&source)?;
        for of in beside.iter().filter(|of| of(data).exists()) {
            vacuum_into(&of(data), &of(&part))?;
        }
        drop(held);
        let copied = copy(&source, &folder::entries_db(&part), upto)?;
        folder::sync(&part).map_err(failed)?;
        fs::remove_dir(to).ok();
        fs::rename(&part, to).map_err(failed)?;
        Ok(copied)
    };
    let written = write();
    if written.is_err() {
        fs::remove_dir_all(&part).ok();
    }
    written
}

/// Makes a folder beside the one that is to be made, with a name that nobody else has.
fn part_of(to: &Path) -> Result<PathBuf, StoreError> {
    let letters = random::alphanumerics(".part-", 8)
        .map_err(|error| StoreError::Engine(error.to_string()))?;
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(letters.as_str());
    let part = to.with_file_name(name);
    let above = part.parent().filter(|above| !above.as_os_str().is_empty());
    above
        .map_or(Ok(()), folder::create)
        .and_then(|()| folder::create_new(&part))
        .map_err(|error| failed(&part, &error))?;
    Ok(part)
}

/// Keeps others from writing to a database for as long as the connection lives.
fn hold(path: &Path) -> Result<Connection, StoreError> {
    let connection = schema::open_plain(path)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    Ok(connection)
}

fn vacuum_into(from: &Path, to: &Path) -> Result<(), StoreError> {
    folder::touch(to).map_err(|error| failed(to, &error))?;
    let target = to
        .to_str()
        .ok_or_else(|| StoreError::Engine("a backup's path must be UTF-8".to_owned()))?;
    schema::open_plain(from)?.execute("VACUUM INTO ?1", [target])?;
    fs::File::open(to).and_then(|file| file.sync_all()).map_err(|error| failed(to, &error))
}

/// Writes the store anew with all that can be read of it, and its indexes; the damaged file stays
/// beside it. No server may run meanwhile; as much space as the store uses must be free.
///
/// # Errors
/// [`StoreError`], among others where a server runs, or where nothing can be read at all.
pub fn repair(data: &Path) -> Result<(Copied, PathBuf), StoreError> {
    let path = there(data)?;
    let _lock = lock(data)?;
    schema::known(&path)?;
    let source = schema::open_reader_of_any(&path)?;
    let upto = appending::newest(&source)?;
    let repaired = data.join("entries.db.repaired");
    fs::remove_file(&repaired).ok();
    let copied = copy(&source, &repaired, upto)?;
    drop(source);
    let kept = (1..)
        .map(|number| data.join(format!("entries.db.damaged-{number}")))
        .find(|path| !path.exists())
        .unwrap_or_default();
    folder::give_to_owner_of(data, &repaired).map_err(|error| failed(&repaired, &error))?;
    keep(&path, &kept).map_err(|error| failed(&path, &error))?;
    for end in ["-wal", "-shm"] {
        fs::remove_file(beside(&path, end)).ok();
    }
    fs::rename(&repaired, &path).map_err(|error| failed(&repaired, &error))?;
    folder::sync(data).map_err(|error| failed(data, &error))?;
    Ok((copied, kept))
}

/// Gives a file and its log a second name, so that there is one under the first at any time; where the
/// file system has no second names, they move.
fn keep(path: &Path, kept: &Path) -> io::Result<()> {
    let both = |from: &Path, to: &Path| match fs::hard_link(from, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(from, to),
        linked => linked,
    };
    let log = beside(path, "-wal");
    if log.exists() {
        both(&log, &beside(kept, "-wal"))?;
    }
    both(path, kept)
}

/// A file's name with an end.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Whether a server could start on a data folder's store, where there is one: reads what it would, and
/// changes nothing. An older version's is read when it is brought to this one.
pub(crate) fn check_start(data: &Path) -> Result<(), StoreError> {
    whole(data)?;
    let path = folder::entries_db(data);
    if !fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    let mut connection = schema::open_reader_of_any(&path)?;
    if schema::version(&connection)? < schema::VERSION {
        return Ok(());
    }
    Appending::check(&mut connection)?;
    state::drawn(&connection)?;
    Ok(())
}

pub(super) fn open(data: &Path) -> Result<Connection, StoreError> {
    let path = there(data)?;
    schema::open_reader(&path)
}

/// Where the store of a data folder is, which is there and whole.
fn there(data: &Path) -> Result<PathBuf, StoreError> {
    whole(data)?;
    let path = folder::entries_db(data);
    fs::metadata(&path).map_err(|error| failed(&path, &error))?;
    Ok(path)
}

pub(super) fn whole(data: &Path) -> Result<(), StoreError> {
    folder::check_whole(data).map_err(|error| failed(data, &error))
}

pub(super) fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Engine(format!("{}: {error}", path.display()))
}
