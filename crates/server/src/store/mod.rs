//! Where entries are kept: the [`Store`] trait, behind which another engine can stand, and
//! [SQLite](sqlite) behind it.

mod meter;
mod nodes;
mod page;
mod settings;
mod since;
pub mod sqlite;

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::Receiver;

use logflux_wire::Entry;
use logflux_wire::counts::{Counts, CountsQuery};

pub use meter::Meter;
pub use nodes::{Nodes, NodesRequest};
pub use page::{Page, PageRequest, Position};
pub use settings::StoreSettings;
pub use since::{Since, SinceRequest};
use tokio::sync::watch;

use crate::tenant::Tenant;

/// What a store's methods give: a future that is boxed, so that a server can hold any store.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps entries, each once, apart by tenant.
///
/// An entry is identified by (tenant, salt, iv). What an implementation promises:
/// - [`append`](Self::append) answers only when what it answers is durable, and all of a call is
///   stored or nothing of it, but for what is [`Appended::Damaged`];
/// - two entries with the same identity are never both kept;
/// - no tenant's call ever sees another's entry.
pub trait Store: Send + Sync + 'static {
    /// Stores entries, and says of each, in their order, what became of it.
    ///
    /// # Errors
    /// The future's: [`StoreError`], where nothing of the call is stored. (What was refused as
    /// [`Appended::NonceReused`] is no error of the call.)
    fn append(&self, tenant: Tenant, entries: Vec<Entry>) -> StoreFuture<'_, Vec<Appended>>;

    /// Reads one page of a tenant's entries.
    ///
    /// # Errors
    /// The future's: [`StoreError`].
    fn page(&self, tenant: Tenant, request: PageRequest) -> StoreFuture<'_, Page>;

    /// Reads a part of a tenant's entries in the order in which they came: as much as is read
    /// quickly. Whoever wants more asks again from [`Since::upto`].
    ///
    /// # Errors
    /// The future's: [`StoreError`].
    fn since(&self, tenant: Tenant, request: SinceRequest) -> StoreFuture<'_, Since>;

    /// How many entries a tenant ever had, which is the number of its newest one.
    ///
    /// # Errors
    /// The future's: [`StoreError`].
    fn taken(&self, tenant: Tenant) -> StoreFuture<'_, i64>;

    /// Reads a page of the nodes that a tenant has entries of.
    ///
    /// # Errors
    /// The future's: [`StoreError`].
    fn nodes(&self, tenant: Tenant, request: NodesRequest) -> StoreFuture<'_, Nodes>;

    /// Counts a tenant's entries by time.
    ///
    /// # Errors
    /// The future's: [`StoreError`], among others [`StoreError::TooWide`].
    fn counts(&self, tenant: Tenant, query: CountsQuery) -> StoreFuture<'_, Counts>;

    /// Changes when entries of a tenant are stored.
    fn changes(&self, tenant: &Tenant) -> watch::Receiver<u64>;

    /// Which store this is: another one, where numbers may be given out a second time.
    fn incarnation(&self) -> u64 {
        0
    }

    /// What whoever runs the server must know; to be taken once.
    fn notices(&self) -> Option<Receiver<Notice>> {
        None
    }

    /// What the store counts of itself, where it does.
    fn meter(&self) -> Option<&Meter> {
        None
    }
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Appended {
    /// It is stored now.
    Stored,
    /// It was stored before: all seven fields are equal.
    Duplicate,
    /// Another entry with its salt and iv was stored before, so that this one is refused. The two
    /// may differ in any field: an entry is sealed once, and never changes after.
    NonceReused,
    /// It is not stored: where it belongs, or where one like it is, the store is damaged.
    Damaged,
}

/// Something that whoever runs a server must know of its store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The clock is not where it is expected: nothing is deleted for its age until an operator
    /// confirms it.
    ClockJumped {
        /// How far it is ahead; negative where it is back.
        seconds: i64,
    },
    /// Something in the store cannot be read.
    Damaged {
        /// What.
        what: String,
    },
    /// The write-ahead log has grown beyond its bound, since another process reads the store.
    LogLarge {
        /// Its bytes.
        bytes: u64,
    },
}

/// Why a store can do nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk, or what of it the store may have, is full.
    #[error("the disk is full")]
    Full,
    /// Too much waits for it already, or another process holds it too long.
    #[error("the store is busy")]
    Busy,
    /// A row is not what this crate writes.
    #[error("row {seq} of the store is damaged: its {column} is not valid")]
    Damaged {
        /// The row's number.
        seq: i64,
        /// The column.
        column: &'static str,
    },
    /// The file is damaged.
    #[error("the store is damaged ({0}): stop the server and run `logflux store repair`")]
    Corrupt(String),
    /// A newer version has written the store.
    #[error("the store has version {found}, and this program knows {newest}: use a newer one")]
    Version {
        /// Its version.
        found: i64,
        /// What this program knows.
        newest: i64,
    },
    /// An older version has written the store, and only a server may bring it to this one.
    #[error(
        "the store has version {found}, and this program's is {newest}: start the server once with it"
    )]
    Old {
        /// Its version.
        found: i64,
        /// What this program writes.
        newest: i64,
    },
    /// Another process has the store open.
    #[error("another process has the store open: stop the server that runs on it first")]
    InUse,
    /// More is asked for than one answer gives.
    #[error("{0}")]
    TooWide(String),
    /// A setting is out of its bounds.
    #[error("{0}")]
    Settings(String),
    /// The engine fails.
    #[error("the store fails: {0}")]
    Engine(String),
    /// The server is about to stop.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether a part of the store is damaged, and the rest may be good.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Corrupt(_))
    }
}
