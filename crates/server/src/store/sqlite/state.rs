//! What the store knows of itself: which one it is, and what the time was.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::folder;
use crate::store::StoreError;

/// What is known of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ClockState {
    /// The last time that was believed: milliseconds since 1970.
    pub(super) last: Option<i64>,
    /// Since when deletion by age is paused.
    pub(super) held: Option<i64>,
    /// The time at which an operator has confirmed the clock.
    pub(super) accepted: Option<i64>,
}

pub(super) fn clock(connection: &Connection) -> Result<ClockState, StoreError> {
    Ok(connection
        .prepare_cached("SELECT clock, held, accepted FROM state")?
        .query_row([], |row| {
            Ok(ClockState { last: row.get(0)?, held: row.get(1)?, accepted: row.get(2)? })
        })?)
}

/// Writes what is known; the operator's word is used up.
pub(super) fn set_clock(
    connection: &Connection,
    last: Option<i64>,
    held: Option<i64>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE state SET clock = ?1, held = ?2, accepted = NULL")?
        .execute((last, held))?;
    Ok(())
}

/// Which store this is. A store that was restored from a backup or copied is another one, since its
/// numbers may be given out a second time: the lock's file says which store, of which file and how
/// far, was open here last.
pub(super) fn incarnation(
    connection: &Connection,
    data: &Path,
    newest: i64,
) -> Result<u64, StoreError> {
    let drawn = drawn(connection)?;
    let mark = fs::read_to_string(folder::store_lock(data)).unwrap_or_default();
    let mut parts = mark.split(' ');
    let same = drawn.filter(|drawn| {
        parts.next() == Some(drawn.to_string().as_str())
            && parts.next() == Some(file(data).to_string().as_str())
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
    mark_open(data, incarnation.cast_unsigned(), newest)?;
    Ok(incarnation.cast_unsigned())
}

/// The incarnation that was drawn last, where one was.
pub(super) fn drawn(connection: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(connection.query_row("SELECT incarnation FROM state", [], |row| row.get(0))?)
}

/// Says in the lock's file which store is open here, and how far it has come.
pub(super) fn mark_open(data: &Path, incarnation: u64, newest: i64) -> Result<(), StoreError> {
    let path = folder::store_lock(data);
    let mark = format!("{} {} {newest}", incarnation.cast_signed(), file(data));
    // Not a new file in its place: this one is locked.
    fs::write(&path, mark)
        .map_err(|error| StoreError::Engine(format!("{}: {error}", path.display())))
}

/// The number that the system has given the store's file.
fn file(data: &Path) -> u64 {
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
