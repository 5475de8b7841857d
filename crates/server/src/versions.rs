//! The version of a small database, in its `user_version`, and the steps from one to the next.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

/// Why a database is not of the newest version.
#[derive(Debug)]
pub(crate) enum NotNewest {
    Database(rusqlite::Error),
    /// It is of a version that this program does not know.
    Unknown {
        found: i64,
        newest: i64,
    },
}

impl From<rusqlite::Error> for NotNewest {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Brings a database to the newest version: the first step is from nothing to version 1.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), NotNewest> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = known(&transaction, steps)?;
    for (step, version) in steps.iter().zip(1_i64..).skip(done) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    Ok(transaction.commit()?)
}

/// Whether this program knows the version of a database, where there is one, and it is the newest.
/// Nothing is changed.
pub(crate) fn check(path: &Path, steps: &[&str]) -> Result<bool, NotNewest> {
    if !path.exists() {
        return Ok(false);
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    Ok(known(&connection, steps)? == steps.len())
}

/// How many steps a database has behind it.
fn known(connection: &Connection, steps: &[&str]) -> Result<usize, NotNewest> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let done = usize::try_from(found).ok().filter(|done| *done <= steps.len());
    done.ok_or_else(|| NotNewest::Unknown {
        found,
        newest: i64::try_from(steps.len()).unwrap_or(i64::MAX),
    })
}
