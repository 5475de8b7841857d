//! The connections that read.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use logflux_wire::counts::{Counts, CountsQuery};
use logflux_wire::{Entry, base64};
use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::{AcquireError, Semaphore};

use super::notices::Notices;
use super::pages::read_page;
use super::row::{COLUMNS, read_entry};
use super::since::read_since;
use super::{counts, nodes, schema, spans};
use crate::store::{Nodes, NodesRequest, Page, PageRequest, Since, SinceRequest, StoreError};
use crate::tenant::Tenant;

/// The most queries that run at once, and of one tenant.
const READERS: usize = 4;
const READERS_OF_TENANT: usize = 2;

/// How long a query waits for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    turns: Arc<Semaphore>,
    /// Those of the tenants that read now.
    of_tenants: Mutex<HashMap<Tenant, Weak<Semaphore>>>,
    idle: Arc<Mutex<Vec<Connection>>>,
    notices: Notices,
}

impl Readers {
    pub(super) fn new(path: PathBuf, notices: Notices) -> Self {
        Self {
            path,
            turns: Arc::new(Semaphore::new(READERS)),
            of_tenants: Mutex::default(),
            idle: Arc::default(),
            notices,
        }
    }

    pub(super) async fn page(
        &self,
        tenant: Tenant,
        request: PageRequest,
    ) -> Result<Page, StoreError> {
        let notices = self.notices.clone();
        self.read(&tenant.clone(), move |connection| {
            read_page(connection, &tenant, &request, &mut |error| notices.damaged(&error))
        })
        .await
    }

    pub(super) async fn since(
        &self,
        tenant: Tenant,
        request: SinceRequest,
    ) -> Result<Since, StoreError> {
        let notices = self.notices.clone();
        self.read(&tenant.clone(), move |connection| {
            read_since(connection, &tenant, &request, &mut |error| notices.damaged(&error))
        })
        .await
    }

    pub(super) async fn nodes(
        &self,
        tenant: Tenant,
        request: NodesRequest,
    ) -> Result<Nodes, StoreError> {
        let notices = self.notices.clone();
        self.read(&tenant.clone(), move |connection| {
            nodes::nodes(connection, &tenant, &request, &mut |error| notices.damaged(&error))
        })
        .await
    }

    pub(super) async fn counts(
        &self,
        tenant: Tenant,
        query: CountsQuery,
    ) -> Result<Counts, StoreError> {
        let notices = self.notices.clone();
        self.read(&tenant.clone(), move |connection| {
            counts::counts(connection, &tenant, &query, &mut |error| notices.damaged(&error))
        })
        .await
    }

    pub(super) async fn taken(&self, tenant: Tenant) -> Result<i64, StoreError> {
        self.read(&tenant.clone(), move |connection| {
            Ok(spans::tenant(connection, &tenant)?.map_or(0, |(_, taken)| taken))
        })
        .await
    }

    /// Reads on a thread that may block, when it is this query's turn. No tenant has all turns.
    async fn read<T: Send + 'static>(
        &self,
        tenant: &Tenant,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let of_tenant = self.of_tenant(tenant);
        let turns = async {
            let first = of_tenant.acquire_owned().await?;
            Ok((first, Arc::clone(&self.turns).acquire_owned().await?))
        };
        let turns = tokio::time::timeout(PATIENCE, turns)
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_: AcquireError| StoreError::Closed)?;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let read = move || {
            let _turns = turns;
            let take = || idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = take().map_or_else(|| schema::open_reader(&path), Ok)?;
            let result = work(&mut connection)?;
            // A connection that has failed is dropped instead.
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(result)
        };
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Closed))
    }

    fn of_tenant(&self, tenant: &Tenant) -> Arc<Semaphore> {
        let mut all = self.of_tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = all.get(tenant).and_then(Weak::upgrade) {
            return turns;
        }
        all.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(READERS_OF_TENANT));
        all.insert(tenant.clone(), Arc::downgrade(&turns));
        turns
    }
}

/// Reads an entry by its number.
pub(super) fn read_one(connection: &Connection, seq: i64) -> Result<Option<Entry>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM entries WHERE seq = ?1"))?
        .query_row([seq], |row| Ok(read_entry(row)))
        .optional()?
        .transpose()
}

/// About how long an entry is in JSON.
pub(crate) fn json_len(entry: &Entry) -> usize {
    220 + entry.node().as_str().len() + base64::encoded_len(entry.payload().as_bytes().len())
}
