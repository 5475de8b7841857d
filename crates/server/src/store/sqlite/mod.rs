//! The store in SQLite: one file in the data folder, `entries.db`, with its write-ahead log.
//!
//! One thread writes (`writer`); whatever waits for it when it comes round shares one transaction
//! and one fsync, and is answered after the commit, which is durable (`synchronous = FULL`). That an
//! entry is there already is found out by `identities`, what is too old or too much goes by
//! `retention`. Queries have connections of their own (`reader`) and never wait for the writer.
//! [`check`], [`stats`], [`compact`], [`backup`], [`restore`] and [`repair`] are for whoever runs the
//! server.

mod appending;
mod check;
mod checkpoint;
mod copy;
mod counts;
mod cover;
mod deleting;
mod filter;
mod identities;
mod mark;
mod nodes;
mod notices;
mod pages;
mod peek;
mod reader;
mod restore;
mod retention;
mod row;
mod scan;
mod schema;
mod since;
mod spans;
mod state;
mod stats;
mod tally;
mod tools;
mod waiting;
mod writer;

#[cfg(test)]
mod counting_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upkeep_tests;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::mpsc::Receiver;

use logflux_wire::Entry;
use logflux_wire::counts::{Counts, CountsQuery};
use rusqlite::ErrorCode;
use tokio::sync::watch;

pub use check::{Report, check};
pub use copy::Copied;
pub use peek::{StoredRow, peek};
pub(crate) use reader::json_len;
pub use restore::{Restored, restore};
pub use stats::{RetentionState, Stats, TenantStats, accept_clock, retention_state, stats};
pub(crate) use tools::check_start;
pub use tools::{backup, compact, repair};

use super::{
    Appended, Meter, Nodes, NodesRequest, Notice, Page, PageRequest, Since, SinceRequest, Store,
    StoreError, StoreFuture, StoreSettings,
};
use crate::config::Limits;
use crate::tenant::Tenant;
use crate::{disk, folder};
use appending::Appending;
use notices::Notices;
use reader::Readers;
use writer::Writer;

/// The store of a data folder.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    meter: Meter,
    notices: Notices,
    incarnation: u64,
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
        tools::whole(data)?;
        let path = folder::entries_db(data);
        folder::touch(&path)
            .map_err(|error| StoreError::Engine(format!("{}: {error}", path.display())))?;
        let meter = Meter::new().map_err(|error| StoreError::Engine(error.to_string()))?;
        let notices = Notices::new(meter.clone());
        let appending = Appending::open(&path)?;
        let (incarnation, mark) =
            mark::incarnation(appending.connection(), data, appending.newest())?;
        let writer =
            Writer::start(path.clone(), appending, limits, settings, notices.clone(), mark)?;
        let readers = Readers::new(path, notices.clone());
        Ok(Self { writer, readers, meter, notices, incarnation, _lock: lock })
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

    fn taken(&self, tenant: Tenant) -> StoreFuture<'_, i64> {
        Box::pin(self.readers.taken(tenant))
    }

    fn nodes(&self, tenant: Tenant, request: NodesRequest) -> StoreFuture<'_, Nodes> {
        Box::pin(self.readers.nodes(tenant, request))
    }

    fn counts(&self, tenant: Tenant, query: CountsQuery) -> StoreFuture<'_, Counts> {
        Box::pin(self.readers.counts(tenant, query))
    }

    fn changes(&self, tenant: &Tenant) -> watch::Receiver<u64> {
        self.writer.changes(tenant)
    }

    fn incarnation(&self) -> u64 {
        self.incarnation
    }

    fn notices(&self) -> Option<Receiver<Notice>> {
        self.notices.take()
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
    // Where root looks after the folder of another user, that one needs it as well.
    folder::give_to_owner_of(data, &path).ok();
    let file = File::open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Whether a process, such as a server, has the store of a data folder open for writing.
pub(crate) fn is_open(data: &Path) -> bool {
    File::open(folder::store_lock(data))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// SQLite's messages name tables and columns, and never hold a value.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            _ if disk::Fault::of(&error) == Some(disk::Fault::Full) => Self::Full,
            Some(e) if matches!(e.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy
            }
            Some(e) if e.code == ErrorCode::DatabaseCorrupt => Self::Corrupt(error.to_string()),
            // Asked for like this is only what every store has.
            None if matches!(error, rusqlite::Error::QueryReturnedNoRows) => {
                Self::Corrupt("a row that every store has is missing".to_owned())
            }
            None if matches!(
                error,
                rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::Utf8Error(..)
            ) =>
            {
                Self::Corrupt("a column has a value of another kind".to_owned())
            }
            _ => Self::Engine(error.to_string()),
        }
    }
}
