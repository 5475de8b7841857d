//! The tables, and how a connection is set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::StoreError;

/// The version of the tables, in the database's `user_version`.
const VERSION: i64 = 1;

/// A timestamp is two numbers, since nanoseconds from year 1 to 9999 do not fit in one. `seq` is never used
/// twice, so that a position stays good when entries are deleted. The payload is the last column:
/// reading the others of a long row then touches its first page only.
const SCHEMA: &str = "
    CREATE TABLE tenants (
        id   INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;

    CREATE TABLE entries (
        seq         INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant      INTEGER NOT NULL REFERENCES tenants (id),
        node        TEXT    NOT NULL,
        level       INTEGER NOT NULL,   -- 1 emergency to 8 debug
        seconds     INTEGER NOT NULL,   -- since 1970
        nanoseconds INTEGER NOT NULL,
        mode        INTEGER NOT NULL,
        iv          BLOB    NOT NULL,   -- 12 bytes
        salt        BLOB    NOT NULL,   -- 32 bytes
        received    INTEGER NOT NULL,   -- milliseconds since 1970
        payload     BLOB    NOT NULL    -- ciphertext and tag
    ) STRICT;

    CREATE UNIQUE INDEX entries_by_identity ON entries (tenant, salt, iv);
    CREATE INDEX entries_by_time ON entries (tenant, seconds, nanoseconds);
    CREATE INDEX entries_by_source ON entries (tenant, node, level, seconds, nanoseconds);

    PRAGMA user_version = 1;
";

/// How long a connection waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// Opens the writer's connection, and makes the tables where there are none.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -32_768)?; // KiB
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match transaction.query_row("PRAGMA user_version", [], |row| row.get(0))? {
        0 => transaction.execute_batch(SCHEMA)?,
        VERSION => {}
        found => return Err(StoreError::Version { found, newest: VERSION }),
    }
    transaction.commit()?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -4_096)?; // KiB
    match connection.query_row("PRAGMA user_version", [], |row| row.get(0))? {
        VERSION => Ok(connection),
        found => Err(StoreError::Version { found, newest: VERSION }),
    }
}
