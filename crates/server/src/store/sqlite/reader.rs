//! The connections that read.
//!
//! A page is found in two steps of one snapshot: the positions, from an index alone, then the rows
//! one by one until the page is full. The positions are merged from one index range for each level,
//! so that the newest of a level, with or without a node, are found without passing over any other.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use logflux_wire::counts::{Counts, CountsQuery};
use logflux_wire::query::Order;
use logflux_wire::{Entry, Level, Timestamp, base64};
use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};
use tokio::sync::{AcquireError, Semaphore};

use super::notices::Notices;
use super::row::{COLUMNS, read_entry};
use super::{counting, schema, spans};
use crate::store::{
    Nodes, NodesRequest, Page, PageRequest, Position, Since, SinceRequest, StoreError,
};
use crate::tenant::Tenant;

/// The most queries that run at once, and of one tenant.
const READERS: usize = 4;
const READERS_OF_TENANT: usize = 2;

/// How many spans are read at once.
const SPANS: usize = 100;

/// How much of the store one look at what has come walks over at most, and about how many bytes of
/// JSON it gives.
const SINCE_WALKED: i64 = 5_000;
const SINCE_BYTES: usize = 128 << 10;

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
            counting::nodes(connection, &tenant, &request, &mut |error| notices.damaged(&error))
        })
        .await
    }

    pub(super) async fn counts(
        &self,
        tenant: Tenant,
        query: CountsQuery,
    ) -> Result<Counts, StoreError> {
        self.read(&tenant.clone(), move |connection| counting::counts(connection, &tenant, &query))
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

/// Reads a page in one snapshot. What is damaged is told, and passed over.
pub(super) fn read_page(
    connection: &mut Connection,
    tenant: &Tenant,
    request: &PageRequest,
    damaged: &mut dyn FnMut(StoreError),
) -> Result<Page, StoreError> {
    let snapshot = connection.transaction()?;
    let mut page = Page::default();
    let mut bytes = 0;
    let mut last = None;
    let positions = positions(&snapshot, tenant, request)?;
    page.damaged += positions.damaged;
    let mut more = positions.more;
    for (number, (timestamp, seq)) in positions.good.into_iter().enumerate() {
        // The one position beyond the limit, or beyond the bytes, only says that there is more.
        if number >= request.limit || bytes >= request.bytes {
            more = true;
            break;
        }
        last = Some((timestamp, seq));
        match read_one(&snapshot, seq) {
            Ok(Some(entry)) => {
                bytes += json_len(&entry);
                page.entries.push(entry);
            }
            Ok(None) => {
                page.damaged += 1;
                damaged(StoreError::Damaged { seq, column: "row" });
            }
            Err(error) if error.is_damage() => {
                page.damaged += 1;
                damaged(error);
            }
            Err(error) => return Err(error),
        }
    }
    if more && let Some((timestamp, seq)) = last {
        let nth = spans::nth_of(&snapshot, seq)?;
        let nth = nth.ok_or_else(|| StoreError::Corrupt("an entry is in no span".to_owned()))?;
        page.next = Some(Position { timestamp, nth });
    }
    Ok(page)
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

/// The positions of a page's entries, and one more where there is one.
struct Positions {
    /// Their times and numbers in the store.
    good: Vec<(Timestamp, i64)>,
    damaged: u64,
    /// Whether there is more than the page may have.
    more: bool,
}

fn positions(
    snapshot: &Transaction<'_>,
    tenant: &Tenant,
    request: &PageRequest,
) -> Result<Positions, StoreError> {
    let mut positions = Positions { good: Vec::new(), damaged: 0, more: false };
    let Some((tenant, _)) = spans::tenant(snapshot, tenant)? else { return Ok(positions) };
    let after = match request.after {
        Some(Position { timestamp, nth }) => {
            Some((timestamp, spans::seq_of(snapshot, tenant, nth)?))
        }
        None => None,
    };
    let (lower, upper) = bounds(request, after);
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut statement = snapshot.prepare_cached(&positions_sql(request))?;
    let node = request.node.as_ref().map(|node| node.as_str());
    let mut rows = statement.query(named_params! {
        ":tenant": tenant, ":node": node, ":limit": limit,
        ":s0": lower.0, ":n0": lower.1, ":q0": lower.2,
        ":s1": upper.0, ":n1": upper.1, ":q1": upper.2,
    })?;
    while let Some(row) = rows.next()? {
        let nanoseconds = u32::try_from(row.get::<_, i64>(2)?).unwrap_or(u32::MAX);
        match Timestamp::from_unix(row.get(1)?, nanoseconds) {
            Ok(timestamp) => positions.good.push((timestamp, row.get(0)?)),
            Err(_) => positions.damaged += 1,
        }
    }
    let found = u64::try_from(positions.good.len()).unwrap_or(u64::MAX) + positions.damaged;
    positions.more = found > u64::try_from(request.limit).unwrap_or(u64::MAX);
    Ok(positions)
}

type Bound = (i64, i64, i64);

/// Between which (seconds, nanoseconds, seq) the entries lie, neither end included. No entry has a
/// seq of 0, so that 0 stands before all entries of its time.
fn bounds(request: &PageRequest, after: Option<(Timestamp, i64)>) -> (Bound, Bound) {
    let bound = |t: Timestamp, seq| (t.unix_seconds(), i64::from(t.nanoseconds()), seq);
    let mut lower = request.from.map_or((i64::MIN, 0, 0), |from| bound(from, 0));
    let mut upper = request.to.map_or((i64::MAX, 0, 0), |to| bound(to, 0));
    if let Some((timestamp, seq)) = after {
        let after = bound(timestamp, seq);
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

/// Reads what has come after an entry, over a bounded part of the tenant's. What is damaged is told,
/// and passed over.
pub(super) fn read_since(
    connection: &mut Connection,
    tenant: &Tenant,
    request: &SinceRequest,
    damaged: &mut dyn FnMut(StoreError),
) -> Result<Since, StoreError> {
    let snapshot = connection.transaction()?;
    let Some((id, taken)) = spans::tenant(&snapshot, tenant)? else { return Ok(Since::default()) };
    let after = request.after.clamp(0, taken);
    let mut since = Since { upto: taken, ..Since::default() };
    let mut walk = Walk {
        sql: format!(
            "SELECT {COLUMNS} FROM entries NOT INDEXED
             WHERE seq BETWEEN :from AND :upto AND tenant = :tenant AND level <= :level
               AND (:node IS NULL OR node = :node) ORDER BY seq LIMIT :upto - :from + 1"
        ),
        tenant: id,
        request,
        bytes: 0,
    };
    let mut left = SINCE_WALKED;
    let spans = spans::from(&snapshot, id, after + 1, SPANS)?;
    let all = spans.len() < SPANS;
    let mut reached = after;
    for span in spans {
        let first = span.nth.max(after + 1);
        let from = span.first + (first - span.nth);
        let upto = span.last.min(from + left - 1);
        if from > upto {
            reached = reached.max(span.nth + (span.last - span.first));
            continue;
        }
        let number = |seq: i64| span.nth + (seq - span.first);
        if let Some(seq) = walk.range(&snapshot, (from, upto), number, &mut since, damaged)? {
            since.upto = number(seq);
            return Ok(since);
        }
        reached = number(upto);
        left -= upto - from + 1;
        if left == 0 {
            since.upto = reached;
            return Ok(since);
        }
    }
    if !all {
        since.upto = reached;
    }
    Ok(since)
}

/// A walk over rows.
struct Walk<'a> {
    sql: String,
    tenant: i64,
    request: &'a SinceRequest,
    bytes: usize,
}

impl Walk<'_> {
    /// Walks over a range; gives where it stopped, if before its end.
    fn range(
        &mut self,
        snapshot: &Transaction<'_>,
        (from, upto): (i64, i64),
        number: impl Fn(i64) -> i64,
        since: &mut Since,
        damaged: &mut dyn FnMut(StoreError),
    ) -> Result<Option<i64>, StoreError> {
        let next = match self.rows(snapshot, (from, upto), &number, since, damaged) {
            Ok(stopped) => return Ok(stopped),
            Err((next, error)) if error.is_damage() => next,
            Err((_, error)) => return Err(error),
        };
        // A page is damaged: each row by itself, so that the others are given.
        for seq in next..=upto {
            match self.rows(snapshot, (seq, seq), &number, since, damaged) {
                Ok(None) => {}
                Ok(stopped) => return Ok(stopped),
                Err((_, error)) if error.is_damage() => {
                    since.damaged += 1;
                    damaged(error);
                }
                Err((_, error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// As [`range`](Self::range), up to the first row that cannot be read: with the error comes its
    /// number.
    fn rows(
        &mut self,
        snapshot: &Transaction<'_>,
        (from, upto): (i64, i64),
        number: &impl Fn(i64) -> i64,
        since: &mut Since,
        damaged: &mut dyn FnMut(StoreError),
    ) -> Result<Option<i64>, (i64, StoreError)> {
        let mut reached = from;
        let fail = |at: i64| move |error: rusqlite::Error| (at, StoreError::from(error));
        let mut statement = snapshot.prepare_cached(&self.sql).map_err(fail(from))?;
        let mut rows = statement
            .query(named_params! {
                ":from": from, ":upto": upto, ":tenant": self.tenant,
                ":level": self.request.level.map_or(8, Level::number),
                ":node": self.request.node.as_ref().map(|node| node.as_str()),
            })
            .map_err(fail(from))?;
        while let Some(row) = rows.next().map_err(fail(reached))? {
            let seq: i64 = row.get(0).map_err(fail(reached))?;
            reached = seq + 1;
            match read_entry(row) {
                Ok(entry) => {
                    self.bytes += json_len(&entry);
                    since.entries.push((number(seq), entry));
                }
                Err(error) if error.is_damage() => {
                    since.damaged += 1;
                    damaged(error);
                }
                Err(error) => return Err((seq, error)),
            }
            if self.bytes >= SINCE_BYTES {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }
}
