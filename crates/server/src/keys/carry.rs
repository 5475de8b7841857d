//! When a file of keys takes the place of another, what was taken from a key stays taken.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{Keys, KeysError};

/// Until when a key is good at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyLimit {
    id: String,
    expires: Option<i64>,
    revoked: Option<i64>,
}

impl Keys {
    /// The keys of a file that are revoked or expire.
    ///
    /// # Errors
    /// [`KeysError::Database`].
    pub(crate) fn limits(path: &Path) -> Result<Vec<KeyLimit>, KeysError> {
        let connection = open(path)?;
        let mut statement = connection.prepare(
            "SELECT id, expires, revoked FROM keys WHERE expires IS NOT NULL OR revoked IS NOT NULL",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(KeyLimit { id: row.get(0)?, expires: row.get(1)?, revoked: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Makes the keys of a file good for no longer than that.
    ///
    /// # Errors
    /// [`KeysError::Database`].
    pub(crate) fn limit(path: &Path, limits: &[KeyLimit]) -> Result<(), KeysError> {
        let mut connection = open(path)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for limit in limits {
            transaction.execute(
                "UPDATE keys SET revoked = coalesce(min(revoked, ?2), revoked, ?2),
                 expires = coalesce(min(expires, ?3), expires, ?3) WHERE id = ?1",
                (&limit.id, limit.revoked, limit.expires),
            )?;
        }
        Ok(transaction.commit()?)
    }
}

fn open(path: &Path) -> Result<Connection, KeysError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(super::BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}
