//! What SQLite says where the disk is full.

use rusqlite::ErrorCode;

/// Whether a database fails since its disk is full.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    /// The shared memory file beside the write-ahead log cannot grow.
    const IOERR_SHMSIZE: i32 = 10 | (19 << 8);
    error
        .sqlite_error()
        .is_some_and(|e| e.code == ErrorCode::DiskFull || e.extended_code == IOERR_SHMSIZE)
}

#[cfg(test)]
mod tests {
    use crate::keys::KeysError;
    use crate::monitor::AlertsError;
    use crate::store::StoreError;

    #[test]
    fn a_full_disk_is_said_to_be_full() {
        let failed = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
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
}
