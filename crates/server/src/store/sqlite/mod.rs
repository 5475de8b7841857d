//! The store in SQLite: one file in the data folder, `entries.db`, with its write-ahead log.
//!
//! One thread writes (`writer`); whatever waits for it when it comes round shares one transaction
//! and one fsync, and is answered after the commit, which is durable (`synchronous = FULL`). Queries
//! have connections of their own (`reader`) and never wait for the writer.

mod peek;
mod reader;
mod row;
mod schema;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;

use logflux_wire::Entry;
use rusqlite::ErrorCode;

pub use peek::{StoredRow, peek};

use super::{Appended, Page, PageRequest, Store, StoreError, StoreFuture};
use crate::config::Limits;
use crate::folder;
use crate::tenant::Tenant;
use reader::Readers;
use writer::Writer;

/// The store of a data folder.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the store of a data folder, which must exist, and starts its writer. A store that was
    /// left by a crash is repaired from its write-ahead log.
    ///
    /// # Errors
    /// [`StoreError`], among others for a store that a newer version has written.
    pub fn open(data: &Path, limits: &Limits) -> Result<Self, StoreError> {
        let path = folder::entries_db(data);
        folder::touch(&path)
            .map_err(|error| StoreError::Engine(format!("{}: {error}", path.display())))?;
        let writer = Writer::start(path.clone(), limits)?;
        Ok(Self { writer, readers: Readers::new(path) })
    }
}

impl Store for SqliteStore {
    fn append(&self, tenant: Tenant, entries: Vec<Entry>) -> StoreFuture<'_, Vec<Appended>> {
        Box::pin(self.writer.append(tenant, entries))
    }

    fn page(&self, tenant: Tenant, request: PageRequest) -> StoreFuture<'_, Page> {
        Box::pin(self.readers.page(tenant, request))
    }
}

/// SQLite's messages name tables and columns, and never hold a value.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        /// The shared memory file beside the write-ahead log cannot grow.
        const IOERR_SHMSIZE: i32 = 10 | (19 << 8);
        match error.sqlite_error() {
            Some(e) if e.code == ErrorCode::DiskFull || e.extended_code == IOERR_SHMSIZE => {
                Self::Full
            }
            Some(e) if matches!(e.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy
            }
            _ => Self::Engine(error.to_string()),
        }
    }
}
