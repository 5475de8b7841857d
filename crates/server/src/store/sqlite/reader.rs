//! The connections that read.
//!
//! A page is found in two steps of one snapshot: the positions, from an index alone, then the rows
//! one by one until the page is full. The positions are merged from one index range for each level,
//! so that the newest of a level, with or without a node, are found without passing over any other.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use logflux_wire::query::Order;
use logflux_wire::{Entry, Level, Timestamp, base64};
use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};
use tokio::sync::Semaphore;

use super::row::{COLUMNS, read_entry};
use super::schema;
use crate::store::{Page, PageRequest, Position, Since, SinceRequest, StoreError};
use crate::tenant::Tenant;

/// The most queries that run at once.
const READERS: usize = 4;

/// How much of the store one look at what has come walks over at most, and about how many bytes of
/// JSON it gives.
const SINCE_WALKED: i64 = 5_000;
const SINCE_BYTES: usize = 1 << 20;

/// How long a query waits for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, turns: Arc::new(Semaphore::new(READERS)), idle: Arc::default() }
    }

    pub(super) async fn page(
        &self,
        tenant: Tenant,
        request: PageRequest,
    ) -> Result<Page, StoreError> {
        self.read(move |connection| read_page(connection, &tenant, &request)).await
    }

    pub(super) async fn since(
        &self,
        tenant: Tenant,
        request: SinceRequest,
    ) -> Result<Since, StoreError> {
        self.read(move |connection| read_since(connection, &tenant, &request)).await
    }

    /// Reads on a thread that may block, when it is this query's turn.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)?;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let read = move || {
            let _turn = turn;
            let take = || idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = take().map_or_else(|| schema::open_reader(&path), Ok)?;
            let result = work(&mut connection)?;
            // A connection that has failed is dropped instead.
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(result)
        };
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Closed))
    }
}

/// Reads a page in one snapshot.
pub(super) fn read_page(
    connection: &mut Connection,
    tenant: &Tenant,
    request: &PageRequest,
) -> Result<Page, StoreError> {
    let snapshot = connection.transaction()?;
    let mut page = Page::default();
    let mut bytes = 0;
    let mut last = None;
    for position in positions(&snapshot, tenant, request)? {
        // The one position beyond the limit, or beyond the bytes, only says that there is more.
        if page.entries.len() >= request.limit || bytes >= request.bytes {
            page.next = last;
            break;
        }
        let entry = snapshot
            .prepare_cached(&format!("SELECT {COLUMNS} FROM entries WHERE seq = ?1"))?
            .query_row([position.seq], |row| Ok(read_entry(row)))??;
        bytes += json_len(&entry);
        page.entries.push(entry);
        last = Some(position);
    }
    Ok(page)
}

/// About how long an entry is in JSON.
fn json_len(entry: &Entry) -> usize {
    220 + entry.node().as_str().len() + base64::encoded_len(entry.payload().as_bytes().len())
}

/// The positions of a page's entries, and one more where there is one.
fn positions(
    snapshot: &Transaction<'_>,
    tenant: &Tenant,
    request: &PageRequest,
) -> Result<Vec<Position>, StoreError> {
    let Some(tenant) = tenant_id(snapshot, tenant)? else { return Ok(Vec::new()) };
    let (lower, upper) = bounds(request);
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut statement = snapshot.prepare_cached(&positions_sql(request))?;
    let node = request.node.as_ref().map(|node| node.as_str());
    let mut rows = statement.query(named_params! {
        ":tenant": tenant, ":node": node, ":limit": limit,
        ":s0": lower.0, ":n0": lower.1, ":q0": lower.2,
        ":s1": upper.0, ":n1": upper.1, ":q1": upper.2,
    })?;
    let mut positions = Vec::new();
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        let damaged = |_| StoreError::Damaged { seq, column: "seconds" };
        let timestamp = Timestamp::from_unix(row.get(1)?, row.get(2)?).map_err(damaged)?;
        positions.push(Position { timestamp, seq });
    }
    Ok(positions)
}

fn tenant_id(snapshot: &Transaction<'_>, tenant: &Tenant) -> Result<Option<i64>, StoreError> {
    Ok(snapshot
        .prepare_cached("SELECT id FROM tenants WHERE name = ?1")?
        .query_row([tenant.as_str()], |row| row.get(0))
        .optional()?)
}

type Bound = (i64, i64, i64);

/// Between which (seconds, nanoseconds, seq) the entries lie, neither end included. No entry has a
/// seq of 0, so that 0 stands before all entries of its time.
fn bounds(request: &PageRequest) -> (Bound, Bound) {
    let bound = |t: Timestamp, seq| (t.unix_seconds(), i64::from(t.nanoseconds()), seq);
    let mut lower = request.from.map_or((i64::MIN, 0, 0), |from| bound(from, 0));
    let mut upper = request.to.map_or((i64::MAX, 0, 0), |to| bound(to, 0));
    if let Some(after) = request.after {
        let after = bound(after.timestamp, after.seq);
        match request.order {
            Order::Ascending => lower = lower.max(after),
            Order::Descending => upper = upper.min(after),
        }
    }
    (lower, upper)
}

/// The statement that finds positions. It holds no value of the request but the number of levels.
pub(super) fn positions_sql(request: &PageRequest) -> String {
    let direction = match request.order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let within = "(seconds, nanoseconds, seq) > (:s0, :n0, :q0)
              AND (seconds, nanoseconds, seq) < (:s1, :n1, :q1)";
    let (index, node) = match request.node {
        Some(_) => ("entries_by_source", "node = :node"),
        None => ("entries_by_level", ":node IS NULL"),
    };
    let mut sql = String::new();
    for level in 1..=request.level.map_or(8, Level::number) {
        let union = if level == 1 { "" } else { " UNION ALL " };
        // Writing to a string cannot fail.
        let _ = write!(
            sql,
            "{union}SELECT seq, seconds, nanoseconds FROM entries INDEXED BY {index}
             WHERE tenant = :tenant AND {node} AND level = {level} AND {within}"
        );
    }
    // SQLite merges the parts, each of which is in this order: nothing is sorted.
    let _ = write!(
        sql,
        " ORDER BY seconds {direction}, nanoseconds {direction}, seq {direction} LIMIT :limit"
    );
    sql
}

/// Reads what has come after an entry, over a bounded part of the store.
pub(super) fn read_since(
    connection: &mut Connection,
    tenant: &Tenant,
    request: &SinceRequest,
) -> Result<Since, StoreError> {
    let snapshot = connection.transaction()?;
    let newest: i64 = snapshot
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM entries")?
        .query_row([], |row| row.get(0))?;
    // What was deleted is not walked over.
    let oldest: i64 = snapshot
        .prepare_cached("SELECT coalesce(min(seq), 1) FROM entries")?
        .query_row([], |row| row.get(0))?;
    let after = request.after.max(oldest - 1);
    let upto = after.saturating_add(SINCE_WALKED).min(newest);
    let mut since = Since { entries: Vec::new(), upto: upto.max(request.after) };
    let Some(tenant) = tenant_id(&snapshot, tenant)? else { return Ok(since) };
    let mut statement = snapshot.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM entries NOT INDEXED
         WHERE seq > :after AND seq <= :upto AND tenant = :tenant AND level <= :level
           AND (:node IS NULL OR node = :node) ORDER BY seq"
    ))?;
    let mut rows = statement.query(named_params! {
        ":after": after, ":upto": upto, ":tenant": tenant,
        ":level": request.level.map_or(8, Level::number),
        ":node": request.node.as_ref().map(|node| node.as_str()),
    })?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        let entry = read_entry(row)?;
        bytes += json_len(&entry);
        since.entries.push((seq, entry));
        if bytes >= SINCE_BYTES {
            since.upto = seq;
            break;
        }
    }
    Ok(since)
}
