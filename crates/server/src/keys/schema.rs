//! The table of keys, and its versions.

use std::path::Path;

use rusqlite::Connection;

use super::look::Look;
use super::{Keys, KeysError};
use crate::versions::NotNewest;
use crate::{folder, versions};

/// From nothing to version 1, from version 1 to 2, and so on.
const STEPS: [&str; 3] = [
    "CREATE TABLE keys (
        id      TEXT PRIMARY KEY,
        hash    BLOB NOT NULL UNIQUE,   -- SHA-256 of the key
        tenant  TEXT NOT NULL,
        scopes  TEXT NOT NULL,          -- names with commas
        created INTEGER NOT NULL,       -- seconds since 1970, as the others
        expires INTEGER,
        revoked INTEGER,
        note    TEXT
    ) STRICT, WITHOUT ROWID;",
    "ALTER TABLE keys ADD COLUMN successor TEXT;   -- the id of the key that takes its place
    ALTER TABLE keys ADD COLUMN last_used INTEGER;
    ALTER TABLE keys ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE keys ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;",
    // A number that grows with every change but that of the use, whoever makes it.
    "CREATE TABLE changes (number INTEGER NOT NULL) STRICT;
    INSERT INTO changes VALUES (1);
    CREATE TRIGGER key_made AFTER INSERT ON keys BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER key_gone AFTER DELETE ON keys BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER key_changed
    AFTER UPDATE OF id, hash, tenant, scopes, created, expires, revoked, note, successor ON keys
    BEGIN UPDATE changes SET number = number + 1; END;",
];

/// Brings a database to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), KeysError> {
    Ok(versions::migrate(connection, &STEPS)?)
}

impl Keys {
    /// Whether a server could start with a data folder's keys, where there are some: reads what it
    /// would, and changes nothing. An older version's are read at the start.
    pub(crate) fn check(data: &Path) -> Result<(), KeysError> {
        if versions::check(&folder::keys_db(data), &STEPS)? {
            Look::open(data)?.changed()?;
        }
        Ok(())
    }
}

impl From<NotNewest> for KeysError {
    fn from(error: NotNewest) -> Self {
        match error {
            NotNewest::Database(error) => error.into(),
            NotNewest::Unknown { found, newest } => Self::Version { found, newest },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::STEPS;

    #[test]
    fn keys_of_an_older_version_are_taken_over() {
        let data = tempfile::tempdir().unwrap();
        let key: ApiKey = format!("lf_{}", "Old1".repeat(8)).parse().unwrap();
        let old = Connection::open(folder::keys_db(data.path())).unwrap();
        old.execute_batch(STEPS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute(
            "INSERT INTO keys (id, hash, tenant, scopes, created) VALUES (?1, ?2, 'acme', 'read', 7)",
            ("key_AAAAAAAAAAAA", hash(&key)),
        )
        .unwrap();
        drop(old);
        let keys = Keys::open(data.path()).unwrap();
        let info = keys.find(&key).unwrap().unwrap();
        assert_eq!((info.requests, info.entries, info.last_used), (0, 0, None));
        assert_eq!(info.tenant.as_str(), "acme");
        drop(keys);
        assert_eq!(Keys::open(data.path()).unwrap().list().unwrap().keys, [info]);
    }
}
