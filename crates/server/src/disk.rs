//! What is wrong where SQLite fails.

use rusqlite::ErrorCode;

/// What a database's error comes of, where an operator can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk is full.
    Full,
    /// The file is damaged, or is no database.
    Damage,
}

impl Fault {
    pub(crate) fn of(error: &rusqlite::Error) -> Option<Self> {
        /// The shared memory file beside the write-ahead log cannot grow.
        const IOERR_SHMSIZE: i32 = 10 | (19 << 8);
        if matches!(error, rusqlite::Error::QueryReturnedNoRows) {
            // Asked for like this is only what is always there.
            return Some(Self::Damage);
        }
        let error = error.sqlite_error()?;
        match error.code {
            ErrorCode::DiskFull => Some(Self::Full),
            _ if error.extended_code == IOERR_SHMSIZE => Some(Self::Full),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Self::Damage),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::keys::KeysError;
    use crate::monitor::AlertsError;
    use crate::store::StoreError;

    fn failed(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[test]
    fn a_full_disk_is_said_to_be_full() {
        // SQLITE_FULL, and SQLITE_IOERR_SHMSIZE.
        for code in [13, 4_874] {
            for text in [
                KeysError::from(failed(code)).to_string(),
                AlertsError::from(failed(code)).to_string(),
                StoreError::from(failed(code)).to_string(),
            ] {
                assert!(text.contains("the disk is full"), "{text}");
            }
        }
        // SQLITE_IOERR_READ
        let other = KeysError::from(failed(266)).to_string();
        assert!(!other.contains("full"), "{other}");
    }

    #[test]
    fn damage_is_said_to_be_damage_with_its_remedy() {
        // SQLITE_CORRUPT, SQLITE_NOTADB, and a row that is always there.
        let errors: [fn() -> rusqlite::Error; 3] =
            [|| failed(11), || failed(26), || rusqlite::Error::QueryReturnedNoRows];
        for error in errors {
            for (text, remedy) in [
                (KeysError::from(error()).to_string(), "make new keys"),
                (AlertsError::from(error()).to_string(), "alerts.db-shm away"),
            ] {
                assert!(text.contains("damaged") && text.contains(remedy), "{text}");
            }
        }
        let missing = StoreError::from(rusqlite::Error::QueryReturnedNoRows);
        assert!(missing.is_damage() && missing.to_string().contains("store repair"), "{missing}");
    }
}
