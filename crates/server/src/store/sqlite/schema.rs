//! The tables, and how a connection is set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::store::StoreError;

/// The version of the tables, in the database's `user_version`.
pub(super) const VERSION: i64 = 2;

/// What leads from each version to the next; the first makes the tables.
///
/// A timestamp is two numbers, since nanoseconds from year 1 to 9999 do not fit in one. `seq` is never used
/// twice, so that a position stays good when entries are deleted. The payload is the last column:
/// reading the others of a long row then touches its first page only.
const STEPS: [&str; 2] = [
    "
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

    CREATE INDEX entries_by_source ON entries (tenant, node, level, seconds, nanoseconds);
    ",
    // Identities leave their B-tree (see `identities`); the index by level serves every query
    // without a node; arrivals say up to which seq entries had come at some time.
    "
    DROP INDEX IF EXISTS entries_by_identity;
    DROP INDEX IF EXISTS entries_by_time;
    CREATE INDEX entries_by_level ON entries (tenant, level, seconds, nanoseconds);

    CREATE TABLE identity_key (
        key BLOB NOT NULL               -- 16 random bytes, one row
    ) STRICT;
    INSERT INTO identity_key VALUES (randomblob(16));
    CREATE TABLE identity_runs (
        id      INTEGER PRIMARY KEY,
        first   INTEGER NOT NULL,       -- the lowest seq in it
        last    INTEGER NOT NULL,
        entries INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE identity_buckets (
        place  INTEGER PRIMARY KEY,     -- run * 4096 + the first 12 bits of the hash
        hashes BLOB NOT NULL            -- 8 bytes each: 40 more bits, and seq - first
    ) STRICT;

    CREATE TABLE arrivals (
        seq      INTEGER PRIMARY KEY,
        received INTEGER NOT NULL       -- milliseconds since 1970
    ) STRICT;
    INSERT INTO arrivals SELECT max(seq), max(received) FROM entries GROUP BY received / 60000;
    ",
];

/// How long a connection waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// Opens the writer's connection, and brings the tables to the newest version.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = open_plain(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every row of `entries` is written with a tenant that was just looked up.
    connection.pragma_update(None, "foreign_keys", false)?;
    // See `checkpoint`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -32_768)?; // KiB
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    migrate(&transaction)?;
    transaction.commit()?;
    Ok(connection)
}

/// Opens a connection that writes durably, and looks at nothing.
pub(super) fn open_plain(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn migrate(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let found = version(transaction)?;
    let known = usize::try_from(found).ok().and_then(|found| STEPS.get(found..));
    let Some(missing) = known else {
        return Err(StoreError::Version { found, newest: VERSION });
    };
    if !missing.is_empty() {
        if found > 0 {
            tracing::info!(from = found, to = VERSION, "bringing the store to a new version");
        }
        for step in missing {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    // Writing is needed for the shared memory beside the write-ahead log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -4_096)?; // KiB
    match version(&connection)? {
        VERSION => Ok(connection),
        found if found < VERSION => Err(StoreError::Old { found, newest: VERSION }),
        found => Err(StoreError::Version { found, newest: VERSION }),
    }
}
