//! The tables, and how a connection is set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{spans, tally};
use crate::store::StoreError;

/// The version of the tables, in the database's `user_version`.
pub(super) const VERSION: i64 = 4;

/// What leads from each version to the next; the first makes the tables.
///
/// A timestamp is two numbers, since nanoseconds from year 1 to 9999 do not fit in one. `seq` is never used
/// twice, so that a position stays good when entries are deleted. The payload is the last column:
/// reading the others of a long row then touches its first page only.
const STEPS: [&[&str]; 4] = [
    &["
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
    "],
    // Identities leave their B-tree (see `identities`); the index by level serves every query
    // without a node; arrivals say up to which seq entries had come at some time.
    &[
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
    ",
        NOTES,
    ],
    // Spans (see there) are filled afterwards. A note of an arrival is never below the one before
    // it, so that a clock that was back for a while makes nothing look old.
    &[
        "
    ALTER TABLE tenants ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;   -- entries it ever had
    CREATE TABLE spans (
        tenant INTEGER NOT NULL,
        nth    INTEGER NOT NULL,        -- the first entry's number among the tenant's
        first  INTEGER NOT NULL,        -- its seq
        last   INTEGER NOT NULL,
        bytes  INTEGER NOT NULL,        -- about what they take up
        PRIMARY KEY (tenant, nth)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX spans_by_first ON spans (first);

    CREATE TABLE state (
        id          INTEGER PRIMARY KEY CHECK (id = 1),
        incarnation INTEGER,            -- NULL: to be drawn
        clock       INTEGER,            -- the last time that was believed: ms since 1970
        held        INTEGER,            -- since when nothing is deleted for its age
        accepted    INTEGER             -- when an operator confirmed the clock
    ) STRICT;
    INSERT INTO state (id) VALUES (1);
    ",
        ORDERED,
    ],
    // Counts (see `tally`) are filled afterwards.
    &["
    CREATE TABLE counts (
        tenant INTEGER NOT NULL,
        unit   INTEGER NOT NULL,        -- 60, 3600 or 86400 seconds
        start  INTEGER NOT NULL,        -- of a minute, an hour or a day: seconds since 1970
        node   TEXT    NOT NULL,
        -- Of each level, the bytes those of the payloads.
        entries_1 INTEGER NOT NULL, entries_2 INTEGER NOT NULL, entries_3 INTEGER NOT NULL,
        entries_4 INTEGER NOT NULL, entries_5 INTEGER NOT NULL, entries_6 INTEGER NOT NULL,
        entries_7 INTEGER NOT NULL, entries_8 INTEGER NOT NULL,
        bytes_1 INTEGER NOT NULL, bytes_2 INTEGER NOT NULL, bytes_3 INTEGER NOT NULL,
        bytes_4 INTEGER NOT NULL, bytes_5 INTEGER NOT NULL, bytes_6 INTEGER NOT NULL,
        bytes_7 INTEGER NOT NULL, bytes_8 INTEGER NOT NULL,
        PRIMARY KEY (tenant, unit, start, node)
    ) STRICT, WITHOUT ROWID;
    "],
];

/// The notes of arrivals of version 1, which has none.
const NOTES: &str =
    "INSERT INTO arrivals SELECT max(seq), max(received) FROM entries GROUP BY received / 60000;";

/// The notes of version 2 in their order, and the last time that was believed.
const ORDERED: &str = "
    UPDATE arrivals SET received = highest
    FROM (SELECT seq AS noted, max(received) OVER (ORDER BY seq) AS highest FROM arrivals)
    WHERE seq = noted AND received < highest;
    UPDATE state SET clock = (SELECT max(received) FROM arrivals);
";

/// The version whose step is followed by [`spans::fill`], and that by [`tally::fill`].
const SPANS: usize = 3;
const COUNTS: usize = 4;

#[cfg(test)]
pub(super) fn tests_step(at: usize) -> &'static str {
    STEPS[at][0]
}

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

/// Makes the tables in a new file, of which nothing is durable before it is synced as a whole.
pub(super) fn create(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "cache_size", -32_768)?; // KiB
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    migrate(&transaction)?;
    transaction.commit()?;
    Ok(connection)
}

/// Looks whether a file that nobody has open is a store.
pub(super) fn known(path: &Path) -> Result<(), StoreError> {
    let found = version(&open_plain(path)?)
        .map_err(|error| StoreError::Engine(format!("{}: {error}", path.display())))?;
    match found {
        1..=VERSION => Ok(()),
        0 => Err(StoreError::Engine(format!("{}: it is no store", path.display()))),
        found => Err(StoreError::Version { found, newest: VERSION }),
    }
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
        for (step, to) in missing.iter().zip(usize::try_from(found).unwrap_or(0) + 1..) {
            for part in *step {
                transaction.execute_batch(part)?;
            }
            if to == SPANS {
                spans::fill(transaction)?;
            }
            if to == COUNTS {
                tally::fill(transaction)?;
            }
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}

/// What a copy of the entries of an older version lacks.
pub(super) fn take_over(transaction: &Transaction<'_>, version: i64) -> Result<(), StoreError> {
    if version < 2 {
        transaction.execute_batch(NOTES)?;
    }
    if version < 3 {
        transaction.execute_batch(ORDERED)?;
    }
    Ok(())
}

pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_reader_of_any(path)?;
    match version(&connection)? {
        found if found < VERSION => Err(StoreError::Old { found, newest: VERSION }),
        _ => Ok(connection),
    }
}

/// As [`open_reader`], also for a store of an older version.
pub(super) fn open_reader_of_any(path: &Path) -> Result<Connection, StoreError> {
    // Writing is needed for the shared memory beside the write-ahead log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -4_096)?; // KiB
    match version(&connection)? {
        found if found > VERSION => Err(StoreError::Version { found, newest: VERSION }),
        _ => Ok(connection),
    }
}
