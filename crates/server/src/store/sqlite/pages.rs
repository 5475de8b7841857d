//! A page of entries in the order of their time.
//!
//! It is found in two steps of one snapshot: the positions, from an index alone, then the rows
//! one by one until the page is full. The positions are merged from one index range for each level,
//! so that the newest of a level, with or without a node, are found without passing over any other.
//! Where an index is damaged, the tenant's entries themselves are looked at, which takes longer.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use logflux_wire::query::Order;
use logflux_wire::{Level, Node, Timestamp};
use rusqlite::{Connection, Transaction, named_params};

use super::reader::{json_len, read_one};
use super::scan::{self, Tell};
use super::spans;
use crate::store::{Page, PageRequest, Position, StoreError};
use crate::tenant::Tenant;

/// Reads a page in one snapshot. What is damaged is told, and passed over.
pub(super) fn read_page(
    connection: &mut Connection,
    tenant: &Tenant,
    request: &PageRequest,
    damaged: Tell<'_>,
) -> Result<Page, StoreError> {
    let snapshot = connection.transaction()?;
    let mut page = Page::default();
    let Some((tenant, _)) = spans::tenant(&snapshot, tenant)? else { return Ok(page) };
    let mut range = first_range(&snapshot, tenant, request)?;
    let positions = loop {
        let positions = positions(&snapshot, tenant, request, range, damaged)?;
        page.damaged += positions.damaged;
        match positions.last {
            // All of them are damaged: the page is filled from behind them.
            Some(last) if positions.good.is_empty() && positions.more => {
                range = behind(range, last, request.order);
            }
            _ => break positions,
        }
    };
    let mut bytes = 0;
    let mut last = None;
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
        page.next = Some(Position { timestamp, nth: spans::nth_of(&snapshot, tenant, seq)? });
    }
    Ok(page)
}

/// Where the entries lie that are wanted.
fn first_range(
    snapshot: &Transaction<'_>,
    tenant: i64,
    request: &PageRequest,
) -> Result<Range, StoreError> {
    let after = match request.after {
        Some(Position { timestamp, nth }) => {
            Some((timestamp, spans::seq_of(snapshot, tenant, nth)?))
        }
        None => None,
    };
    Ok(bounds(request, after))
}

/// What is left of a range behind a place.
fn behind((lower, upper): Range, place: Bound, order: Order) -> Range {
    match order {
        Order::Ascending => (lower.max(place), upper),
        Order::Descending => (lower, upper.min(place)),
    }
}

/// The positions of a page's entries, and one more where there is one.
#[derive(Default)]
struct Positions {
    /// Their times and numbers in the store.
    good: Vec<(Timestamp, i64)>,
    damaged: u64,
    /// The place of the last, be it damaged.
    last: Option<Bound>,
    /// Whether there is more than the page may have.
    more: bool,
}

impl Positions {
    fn new(places: impl IntoIterator<Item = Bound>, limit: usize) -> Self {
        let mut positions = Self::default();
        for (number, place) in places.into_iter().enumerate() {
            let (seconds, nanoseconds, seq) = place;
            let nanoseconds = u32::try_from(nanoseconds).unwrap_or(u32::MAX);
            match Timestamp::from_unix(seconds, nanoseconds) {
                Ok(timestamp) => positions.good.push((timestamp, seq)),
                Err(_) => positions.damaged += 1,
            }
            positions.last = Some(place);
            positions.more = number >= limit;
        }
        positions
    }
}

fn positions(
    snapshot: &Transaction<'_>,
    tenant: i64,
    request: &PageRequest,
    range: Range,
    damaged: Tell<'_>,
) -> Result<Positions, StoreError> {
    match indexed(snapshot, tenant, request, range) {
        Err(error) if error.is_damage() => {
            damaged(error);
            scanned(snapshot, tenant, request, range, damaged)
        }
        positions => positions,
    }
}

/// Finds positions in an index.
fn indexed(
    snapshot: &Transaction<'_>,
    tenant: i64,
    request: &PageRequest,
    (lower, upper): Range,
) -> Result<Positions, StoreError> {
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut statement = snapshot.prepare_cached(&positions_sql(request))?;
    let node = request.node.as_ref().map(|node| node.as_str());
    let places = statement.query_map(
        named_params! {
            ":tenant": tenant, ":node": node, ":limit": limit,
            ":s0": lower.0, ":n0": lower.1, ":q0": lower.2,
            ":s1": upper.0, ":n1": upper.1, ":q1": upper.2,
        },
        |row| Ok((row.get(1)?, row.get(2)?, row.get(0)?)),
    )?;
    Ok(Positions::new(places.collect::<Result<Vec<Bound>, _>>()?, request.limit))
}

/// Finds positions among all of the tenant's entries. Those that cannot be read count as damaged,
/// since nobody knows where they belong.
fn scanned(
    snapshot: &Transaction<'_>,
    tenant: i64,
    request: &PageRequest,
    range: Range,
    damaged: Tell<'_>,
) -> Result<Positions, StoreError> {
    let mut places = BTreeSet::new();
    let lost = scan::entries(snapshot, tenant, damaged, |listed| {
        let place = (listed.seconds, listed.nanoseconds, listed.seq);
        let most = i64::from(request.level.map_or(8, Level::number));
        let of_node = |node: &Node| node.as_str() == listed.node;
        if range.0 < place
            && place < range.1
            && listed.level <= most
            && request.node.as_ref().is_none_or(of_node)
        {
            places.insert(place);
        }
        // Those that come first, one more than the page may have.
        if places.len() > request.limit + 1 {
            match request.order {
                Order::Ascending => places.pop_last(),
                Order::Descending => places.pop_first(),
            };
        }
    })?;
    let places: Box<dyn Iterator<Item = Bound>> = match request.order {
        Order::Ascending => Box::new(places.into_iter()),
        Order::Descending => Box::new(places.into_iter().rev()),
    };
    let mut positions = Positions::new(places, request.limit);
    positions.damaged += lost;
    Ok(positions)
}

/// A place in the order: seconds, nanoseconds, and the number in the store.
type Bound = (i64, i64, i64);
type Range = (Bound, Bound);

/// Between which places the entries lie, neither end included. No entry has a
/// seq of 0, so that 0 stands before all entries of its time.
fn bounds(request: &PageRequest, after: Option<(Timestamp, i64)>) -> Range {
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
