//! Looks whether keys have changed, and waits for no writer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Row};

use super::{COLUMNS, KeyHash, KeyId, KeyInfo, KeysError, parsed, read_key};
use crate::{folder, sampling};

#[derive(Debug)]
pub(super) struct Look {
    path: PathBuf,
    /// None after a failure; the next look opens another.
    connection: Option<Connection>,
    /// The number of the last change that was read.
    change: Option<i64>,
}

impl Look {
    /// Opens the keys of a data folder, which must be there.
    pub(super) fn open(data: &Path) -> Result<Self, KeysError> {
        let path = folder::keys_db(data);
        Ok(Self { connection: Some(connect(&path)?), path, change: None })
    }

    /// All keys, where any has changed since the last look.
    pub(super) fn changed(&mut self) -> Result<Option<Vec<(KeyHash, KeyInfo)>>, KeysError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let keys = read(&connection, self.change)?;
        self.connection = Some(connection);
        Ok(keys.map(|(change, keys)| {
            self.change = Some(change);
            keys
        }))
    }
}

type Changed = (i64, Vec<(KeyHash, KeyInfo)>);

fn read(connection: &Connection, known: Option<i64>) -> Result<Option<Changed>, KeysError> {
    let snapshot = connection.unchecked_transaction()?;
    let change = snapshot
        .prepare_cached("SELECT number FROM changes")?
        .query_row([], |row| row.get::<_, i64>(0))?;
    if known == Some(change) {
        return Ok(None);
    }
    let mut statement = snapshot.prepare_cached(&format!("SELECT {COLUMNS}, hash FROM keys"))?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        // A row that is damaged is no key, and takes no other with it.
        match read_key(row) {
            Ok(key) => keys.push(key),
            Err(error) => tell_damaged(row, &error),
        }
    }
    Ok(Some((change, keys)))
}

fn tell_damaged(row: &Row<'_>, error: &rusqlite::Error) {
    if let Some(missed) = sampling::passes("key_damaged") {
        let key = parsed::<KeyId>(row, 0).ok().map(tracing::field::display);
        tracing::error!(key, %error, missed, "a key is damaged, and refused");
    }
}

fn connect(path: &Path) -> Result<Connection, KeysError> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(path, flags)?;
    // In a write-ahead log only a recovery holds a reader up.
    connection.busy_timeout(Duration::from_millis(250))?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}
