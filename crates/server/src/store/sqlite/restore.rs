//! Puts a backup back.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::tools::{beside, failed};
use super::{lock, schema};
use crate::folder;
use crate::keys::Keys;
use crate::store::StoreError;

/// What was restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// The names of the files.
    pub names: Vec<&'static str>,
    /// What an operator must look at.
    pub warning: Option<String>,
}

/// What SQLite writes beside a database and reads with it.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// Puts a backup's entries, keys and alerts in a data folder, which gets their owner, and with
/// `replace` in the place of what is there. A key that the replaced folder has revoked stays revoked.
/// No server may run meanwhile. A restore that was cut off is begun again by another, and until then no
/// server starts in the folder.
///
/// # Errors
/// [`StoreError`], among others where there is a store already and it may not be replaced.
pub fn restore(data: &Path, from: &Path, replace: bool) -> Result<Restored, StoreError> {
    let entries = folder::entries_db(from);
    fs::metadata(&entries).map_err(|error| failed(&entries, &error))?;
    not_in_use(from)?;
    folder::create(data).map_err(|error| failed(data, &error))?;
    let lock = lock(data)?;
    let names: Vec<&'static str> = ["entries.db", "keys.db", "alerts.db"]
        .into_iter()
        .filter(|name| from.join(name).exists())
        .collect();
    let mark = folder::restoring(data);
    let replace = replace || mark.exists();
    if let Some(there) = names.iter().find(|name| data.join(name).exists())
        && !replace
    {
        return Err(StoreError::Engine(format!(
            "{}: it is there already: move it away, or replace it with --replace",
            data.join(there).display()
        )));
    }
    // Everything is written and looked at before anything changes.
    let written = |name: &str| data.join(format!("{name}.restoring"));
    let write = || {
        for name in &names {
            take(&from.join(name), &written(name), data)?;
        }
        schema::known(&written("entries.db"))?;
        match names.contains(&"keys.db") {
            true => carry_revocations(data, &written("keys.db")),
            false => Ok(None),
        }
    };
    let warning = write().inspect_err(|_| {
        names.iter().for_each(|name| remove(&written(name), &["", "-wal", "-journal", "-shm"]));
    })?;
    let marked = folder::touch(&mark).and_then(|()| folder::sync(data));
    marked.map_err(|error| failed(&mark, &error))?;
    for name in &names {
        let (path, old) = (written(name), data.join(name));
        let synced = File::open(&path).and_then(|file| file.sync_all());
        synced.map_err(|error| failed(&path, &error))?;
        // With its log in it the old file is whole until the moment at which it is replaced.
        if old.exists() {
            settle(&old).ok();
        }
        remove(&old, &["-wal", "-journal", "-shm"]);
        fs::rename(&path, &old).map_err(|error| failed(&path, &error))?;
        folder::sync(data).map_err(|error| failed(data, &error))?;
    }
    let unmarked = fs::remove_file(&mark).and_then(|()| folder::sync(data));
    unmarked.map_err(|error| failed(&mark, &error))?;
    folder::give_to_owner_of(data, &folder::store_lock(data))
        .map_err(|error| failed(data, &error))?;
    drop(lock);
    Ok(Restored { names, warning })
}

/// What a server has open changes while it is copied.
fn not_in_use(from: &Path) -> Result<(), StoreError> {
    let Ok(lock) = File::open(folder::store_lock(from)) else { return Ok(()) };
    match lock.try_lock_shared() {
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::Engine(format!(
            "{}: a server runs on it: make a backup first, with `logflux store backup --data`",
            from.display()
        ))),
        _ => Ok(()),
    }
}

/// Copies a database with what is in its log.
fn take(from: &Path, to: &Path, data: &Path) -> Result<(), StoreError> {
    remove(to, &["", "-wal", "-journal", "-shm"]);
    let copy = |from: &Path, to: &Path| {
        folder::touch(to)
            .and_then(|()| fs::copy(from, to))
            .and_then(|_| folder::set_private(to))
            .and_then(|()| folder::give_to_owner_of(data, to))
            .map_err(|error| failed(to, &error))
    };
    copy(from, to)?;
    let mut logs = false;
    for end in LOGS {
        let log = beside(from, end);
        match fs::metadata(&log) {
            Ok(file) if file.len() > 0 => {
                copy(&log, &beside(to, end))?;
                logs = true;
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&log, &error));
            }
            _ => {}
        }
    }
    if !logs {
        return Ok(());
    }
    // A file and a log of two moments do not fit together.
    let fits = settle(to).and_then(|()| {
        let connection = schema::open_plain(to)?;
        Ok(connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?)
    });
    match fits {
        Ok(ok) if ok == "ok" => Ok(()),
        wrong => Err(StoreError::Engine(format!(
            "{}: it does not fit the log beside it ({}): make a backup of its folder with \
             `logflux store backup --data`, and restore that",
            from.display(),
            wrong.unwrap_or_else(|error| error.to_string()),
        ))),
    }
}

/// Brings what is in the log into the file.
fn settle(path: &Path) -> Result<(), StoreError> {
    let connection = schema::open_plain(path)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Revokes in the restored file what is revoked in the one that it replaces, or says that this could
/// not be seen.
fn carry_revocations(data: &Path, to: &Path) -> Result<Option<String>, StoreError> {
    let old = folder::keys_db(data);
    let unseen = |why: &str| {
        format!(
            "{}: {why}: keys that were revoked, rotated or limited since the backup are good again: look at \
             `logflux keys list` and revoke them",
            old.display()
        )
    };
    if !old.exists() {
        return Ok(Some(unseen("there were no keys before")));
    }
    let limits = match Keys::limits(&old) {
        Ok(limits) => limits,
        Err(error) => {
            return Ok(Some(unseen(&format!("the keys before cannot be read ({error})"))));
        }
    };
    Keys::limit(to, &limits).map_err(|error| StoreError::Engine(error.to_string()))?;
    Ok(None)
}

fn remove(path: &Path, ends: &[&str]) {
    for end in ends {
        fs::remove_file(beside(path, end)).ok();
    }
}
