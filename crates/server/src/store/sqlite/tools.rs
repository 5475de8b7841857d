//! What whoever runs a server does with its store: compact, back up, restore, repair.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::copy::{Copied, copy};
use super::{appending, lock, schema};
use crate::folder;
use crate::store::StoreError;

/// Gives the free space of a store's file back to the disk, and orders what is left. No server may
/// run meanwhile; as much space as the store uses must be free. Gives the file's size before and
/// after.
///
/// # Errors
/// [`StoreError`], among others where a server runs.
pub fn compact(data: &Path) -> Result<(u64, u64), StoreError> {
    let path = folder::entries_db(data);
    exists(&path)?;
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
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = to.with_file_name(name);
    fs::remove_dir_all(&part).ok();
    let write = || {
        folder::create(&part).map_err(failed)?;
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
        fs::File::open(&part).and_then(|folder| folder.sync_all()).map_err(failed)?;
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

/// Puts a backup's entries, keys and alerts in a data folder, which gets their owner, and with
/// `replace` in the place of what is there. No server may run meanwhile.
///
/// # Errors
/// [`StoreError`], among others where there is a store already and it may not be replaced.
pub fn restore(data: &Path, from: &Path, replace: bool) -> Result<Vec<&'static str>, StoreError> {
    // That it is a backup is seen before anything changes.
    drop(schema::open_unwritten(&folder::entries_db(from))?);
    folder::create(data).map_err(|error| failed(data, &error))?;
    let lock = lock(data)?;
    let names: Vec<&'static str> = ["entries.db", "keys.db", "alerts.db"]
        .into_iter()
        .filter(|name| from.join(name).exists())
        .collect();
    if let Some(there) = names.iter().find(|name| data.join(name).exists())
        && !replace
    {
        return Err(StoreError::Engine(format!(
            "{}: it is there already: move it away, or replace it with --replace",
            data.join(there).display()
        )));
    }
    let written = |name: &str| data.join(format!("{name}.restoring"));
    for name in &names {
        let path = written(name);
        fs::remove_file(&path).ok();
        folder::touch(&path)
            .and_then(|()| fs::copy(from.join(name), &path))
            .and_then(|_| folder::set_private(&path))
            .and_then(|()| folder::give_to_owner_of(data, &path))
            .and_then(|()| fs::File::open(&path)?.sync_all())
            .map_err(|error| failed(&path, &error))?;
    }
    for name in &names {
        for end in ["", "-wal", "-shm"] {
            fs::remove_file(data.join(format!("{name}{end}"))).ok();
        }
        let path = written(name);
        fs::rename(&path, data.join(name)).map_err(|error| failed(&path, &error))?;
    }
    folder::give_to_owner_of(data, &folder::store_lock(data))
        .map_err(|error| failed(data, &error))?;
    drop(lock);
    Ok(names)
}

/// Writes the store anew with all that can be read of it, and its indexes; the damaged file stays
/// beside it. No server may run meanwhile; as much space as the store uses must be free.
///
/// # Errors
/// [`StoreError`], among others where a server runs, or where nothing can be read at all.
pub fn repair(data: &Path) -> Result<(Copied, PathBuf), StoreError> {
    let path = folder::entries_db(data);
    exists(&path)?;
    let _lock = lock(data)?;
    let source = open(data)?;
    let upto = match appending::newest(&source) {
        Ok(0) | Err(_) => {
            source.query_row("SELECT coalesce(max(seq), 0) FROM entries", [], |row| row.get(0))?
        }
        Ok(newest) => newest,
    };
    let repaired = data.join("entries.db.repaired");
    fs::remove_file(&repaired).ok();
    let copied = copy(&source, &repaired, upto)?;
    drop(source);
    let kept = (1..)
        .map(|number| data.join(format!("entries.db.damaged-{number}")))
        .find(|path| !path.exists())
        .unwrap_or_default();
    let rename =
        |from: &Path, to: &Path| fs::rename(from, to).map_err(|error| failed(from, &error));
    folder::give_to_owner_of(data, &repaired).map_err(|error| failed(&repaired, &error))?;
    // The log belongs to the file that it was written for.
    let log = data.join("entries.db-wal");
    if log.exists() {
        rename(&log, &PathBuf::from(format!("{}-wal", kept.display())))?;
    }
    fs::remove_file(data.join("entries.db-shm")).ok();
    rename(&path, &kept)?;
    rename(&repaired, &path)?;
    Ok((copied, kept))
}

/// Whether this program knows the version of a data folder's store, where there is one.
pub(crate) fn check_version(data: &Path) -> Result<(), StoreError> {
    let path = folder::entries_db(data);
    match fs::metadata(&path) {
        Ok(file) if file.len() > 0 => schema::check_version(&path),
        _ => Ok(()),
    }
}

pub(super) fn open(data: &Path) -> Result<Connection, StoreError> {
    let path = folder::entries_db(data);
    exists(&path)?;
    schema::open_reader(&path)
}

fn exists(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(failed(path, &error)),
    }
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Engine(format!("{}: {error}", path.display()))
}
