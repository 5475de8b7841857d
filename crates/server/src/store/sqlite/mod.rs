//! The store in SQLite: one file in the data folder, `entries.db`, with its write-ahead log.
//!
//! One thread writes (`writer`); whatever waits for it when it comes round shares one transaction
//! and one fsync, and is answered after the commit, which is durable (`synchronous = FULL`). That an
//! entry is there already is found out by `identities`, what is too old or too much goes by
//! `retention`. Queries have connections of their own (`reader`) and never wait for the writer.
//! [`check`], [`stats`], [`compact`] and [`backup`] are for whoever runs the server.

mod appending;
mod checkpoint;
mod filter;
mod identities;
mod peek;
mod reader;
mod retention;
mod row;
mod schema;
mod tools;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::path::Path;

use logflux_wire::Entry;
use rusqlite::ErrorCode;
use tokio::sync::watch;

pub use peek::{StoredRow, peek};
pub use tools::{Report, Stats, TenantStats, backup, check, compact, stats};

use super::{
    Appended, Meter, Page, PageRequest, Since, SinceRequest, Store, StoreError, StoreFuture,
    StoreSettings,
};
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
    meter: Meter,
    /// Dropped last, when the writer has ended.
    _lock: File,
}

impl SqliteStore {
    /// Opens the store of a data folder, which must exist, and starts its writer. A store that was
    /// left by a crash is repaired from its write-ahead log; one of an older version is brought to
    /// this one.
    ///
    /// # Errors
    /// [`StoreError`], among others for a store that a newer version has written, or that another
    /// process has open.
    pub fn open(
        data: &Path,
        limits: &Limits,
        settings: &StoreSettings,
    ) -> Result<Self, StoreError> {
        settings.check().map_err(|reason| StoreError::Settings(reason.to_owned()))?;
        let lock = lock(data)?;
        let path = folder::entries_db(data);
        folder::touch(&path)
            .map_err(|error| StoreError::Engine(format!("{}: {error}", path.display())))?;
        let meter = Meter::new().map_err(|error| StoreError::Engine(error.to_string()))?;
        let writer = Writer::start(path.clone(), limits, settings, meter.clone())?;
        Ok(Self { writer, readers: Readers::new(path), meter, _lock: lock })
    }
}

impl Store for SqliteStore {
    fn append(&self, tenant: Tenant, entries: Vec<Entry>) -> StoreFuture<'_, Vec<Appended>> {
        Box::pin(self.writer.append(tenant, entries))
    }

    fn page(&self, tenant: Tenant, request: PageRequest) -> StoreFuture<'_, Page> {
        Box::pin(self.readers.page(tenant, request))
    }

    fn since(&self, tenant: Tenant, request: SinceRequest) -> StoreFuture<'_, Since> {
        Box::pin(self.readers.since(tenant, request))
    }

    fn newest(&self) -> watch::Receiver<i64> {
        self.writer.newest()
    }

    fn meter(&self) -> Option<&Meter> {
        Some(&self.meter)
    }
}

/// Takes the store for this process: what is known of the newest entries is in its memory alone.
fn lock(data: &Path) -> Result<File, StoreError> {
    let path = folder::store_lock(data);
    let failed = |error: std::io::Error| {
        let error = format!("{}: {error}", path.display());
        StoreError::Engine(error)
    };
    folder::touch(&path).map_err(failed)?;
    let file = File::open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(failed(error)),
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
