//! Answers how many entries there are, by time, node and level, from the table that a
//! [`Tally`](super::tally::Tally) changes.
//!
//! A range is covered by whole days, hours and minutes; what is left at its ends are parts of
//! minutes, whose entries are counted one by one.

use std::collections::{BTreeMap, HashMap};

use logflux_wire::counts::{BUCKETS_MAX, Bucket, Counts, CountsQuery, STEPS_MAX};
use logflux_wire::nodes::{NODES_MAX, NodeSummary};
use logflux_wire::{Level, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};

use super::spans;
use super::tally::{self, UNITS, start_of};
use crate::store::{Nodes, NodesRequest, StoreError};
use crate::tenant::Tenant;

/// How many entries in parts of minutes are counted one by one for an answer.
const COUNTED: i64 = 2_000_000;

/// The most bytes of the names of nodes that are counted apart.
const NAMES: usize = 8 << 20;

/// Seconds since 1970, and nanoseconds past them.
type Moment = (i64, u32);

/// From when, itself included, to when, itself not included.
#[derive(Clone, Copy)]
struct Range {
    from: Moment,
    to: Moment,
}

impl Range {
    fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        let moment = |t: Timestamp| (t.unix_seconds(), t.nanoseconds());
        let end = (Timestamp::MAX.unix_seconds() + 1, 0);
        Self { from: moment(from.unwrap_or(Timestamp::MIN)), to: to.map_or(end, moment) }
    }

    fn is_empty(self) -> bool {
        self.from >= self.to
    }

    /// The whole units in it.
    fn whole(self, unit: i64) -> Self {
        let (seconds, nanoseconds) = self.from;
        let first = start_of(seconds + i64::from(nanoseconds > 0) + unit - 1, unit);
        Self { from: (first, 0), to: (start_of(self.to.0, unit), 0) }
    }

    /// The units that it touches.
    fn touched(self, unit: i64) -> Self {
        let (seconds, nanoseconds) = self.to;
        let end = start_of(seconds + i64::from(nanoseconds > 0) + unit - 1, unit);
        Self { from: (start_of(self.from.0, unit), 0), to: (end, 0) }
    }
}

/// What was counted at a time.
struct Row<'a> {
    seconds: i64,
    node: &'a str,
    level: u8,
    entries: i64,
    bytes: i64,
}

/// Which entries are counted.
struct Scope<'a> {
    snapshot: &'a Transaction<'a>,
    tenant: i64,
    level: u8,
    node: Option<&'a str>,
    /// How many entries may still be counted one by one.
    left: i64,
}

impl Scope<'_> {
    /// Covers a range by the units, the longest of which comes first.
    fn cover(
        &mut self,
        range: Range,
        units: &[i64],
        add: &mut dyn FnMut(Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if range.is_empty() {
            return Ok(());
        }
        let Some((unit, finer)) = units.split_first() else { return self.one_by_one(range, add) };
        let whole = range.whole(*unit);
        if whole.is_empty() {
            return self.cover(range, finer, add);
        }
        self.cover(Range { to: whole.from, ..range }, finer, add)?;
        self.in_table(whole, *unit, add)?;
        self.cover(Range { from: whole.to, ..range }, finer, add)
    }

    fn in_table(
        &self,
        range: Range,
        unit: i64,
        add: &mut dyn FnMut(Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.snapshot.prepare_cached(&format!(
            "SELECT start, node, {} FROM counts
             WHERE tenant = :tenant AND unit = :unit AND start >= :from AND start < :to
               AND (:node IS NULL OR node = :node)",
            tally::columns_upto(self.level)
        ))?;
        let mut rows = statement.query(named_params! {
            ":tenant": self.tenant, ":unit": unit, ":from": range.from.0, ":to": range.to.0,
            ":node": self.node,
        })?;
        while let Some(row) = rows.next()? {
            let node = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let seconds = row.get(0)?;
            for (level, column) in (1..=self.level).zip((2..).step_by(2)) {
                let entries = row.get(column)?;
                if entries > 0 {
                    add(Row { seconds, node, level, entries, bytes: row.get(column + 1)? })?;
                }
            }
        }
        Ok(())
    }

    fn one_by_one(
        &mut self,
        range: Range,
        add: &mut dyn FnMut(Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let [.., minute] = UNITS;
        let mut around = 0;
        self.in_table(range.touched(minute), minute, &mut |row| {
            around += row.entries;
            Ok(())
        })?;
        self.left -= around;
        if self.left < 0 {
            return Err(StoreError::TooWide(format!(
                "parts of minutes that hold more than {COUNTED} entries are to be counted: \
                 let from, to and step be whole minutes"
            )));
        }
        let index = self.node.map_or("entries_by_level", |_| "entries_by_source");
        let mut statement = self.snapshot.prepare_cached(&format!(
            "SELECT seconds, node, length(payload) FROM entries INDEXED BY {index}
             WHERE tenant = :tenant AND level = :level
               AND (seconds, nanoseconds) >= (:s0, :n0) AND (seconds, nanoseconds) < (:s1, :n1)
               AND {}",
            self.node.map_or(":node IS NULL", |_| "node = :node")
        ))?;
        for level in 1..=self.level {
            let mut rows = statement.query(named_params! {
                ":tenant": self.tenant, ":level": level, ":node": self.node,
                ":s0": range.from.0, ":n0": range.from.1, ":s1": range.to.0, ":n1": range.to.1,
            })?;
            while let Some(row) = rows.next()? {
                let node = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
                let (seconds, bytes) = (row.get(0)?, row.get(2)?);
                add(Row { seconds, node, level, entries: 1, bytes })?;
            }
        }
        Ok(())
    }
}

/// Counts the entries of a tenant by time.
pub(super) fn counts(
    connection: &mut Connection,
    tenant: &Tenant,
    query: &CountsQuery,
) -> Result<Counts, StoreError> {
    let snapshot = connection.transaction()?;
    let Some((tenant, _)) = spans::tenant(&snapshot, tenant)? else { return Ok(Counts::default()) };
    let step = query.step.seconds();
    let Some(range) = known(&snapshot, tenant, query)? else { return Ok(Counts::default()) };
    let steps = range.touched(step);
    if !range.is_empty()
        && (steps.to.0 - steps.from.0).unsigned_abs() / step.unsigned_abs() > STEPS_MAX
    {
        return Err(StoreError::TooWide(format!(
            "from and to are more than {STEPS_MAX} steps apart: use a longer step, or less time"
        )));
    }
    let node = query.node.as_ref().map(|node| node.as_str());
    let level = query.level.map_or(8, Level::number);
    let mut scope = Scope { snapshot: &snapshot, tenant, level, node, left: COUNTED };
    let units: Vec<i64> = UNITS.into_iter().filter(|unit| step % unit == 0).collect();
    let mut buckets = Buckets::default();
    scope.cover(range, &units, &mut |row| {
        let start = start_of(row.seconds, step);
        let node = query.by.node.then_some(row.node);
        buckets.add(start, node, if query.by.level { row.level } else { 0 }, &row)
    })?;
    Ok(buckets.finish())
}

/// The time that is asked for; where it has no end, up to the first or last day with an entry. There
/// is none without an entry.
fn known(
    snapshot: &Transaction<'_>,
    tenant: i64,
    query: &CountsQuery,
) -> Result<Option<Range>, StoreError> {
    let [day, ..] = UNITS;
    let days: (Option<i64>, Option<i64>) = snapshot
        .prepare_cached(
            "SELECT (SELECT min(start) FROM counts WHERE tenant = ?1 AND unit = ?2),
                    (SELECT max(start) FROM counts WHERE tenant = ?1 AND unit = ?2)",
        )?
        .query_row((tenant, day), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = days else { return Ok(None) };
    let mut range = Range::new(query.from, query.to);
    if query.from.is_none() {
        range.from = (first, 0);
    }
    if query.to.is_none() {
        range.to = (last + day, 0);
    }
    Ok(Some(range))
}

/// What was counted, by start, node and level.
#[derive(Default)]
struct Buckets {
    sums: HashMap<(i64, Option<usize>, u8), (i64, i64)>,
    nodes: Vec<String>,
    numbers: HashMap<String, usize>,
    bytes_of_names: usize,
}

impl Buckets {
    fn add(
        &mut self,
        start: i64,
        node: Option<&str>,
        level: u8,
        row: &Row<'_>,
    ) -> Result<(), StoreError> {
        let node = node.map(|node| self.number(node));
        let (entries, bytes) = self.sums.entry((start, node, level)).or_default();
        (*entries, *bytes) = (*entries + row.entries, *bytes + row.bytes);
        if self.sums.len() > BUCKETS_MAX || self.bytes_of_names > NAMES {
            return Err(StoreError::TooWide(format!(
                "there are more than {BUCKETS_MAX} counts, or {NAMES} bytes of nodes: use a longer \
                 step, less time, or one node"
            )));
        }
        Ok(())
    }

    fn number(&mut self, node: &str) -> usize {
        if let Some(number) = self.numbers.get(node) {
            return *number;
        }
        let number = self.nodes.len();
        self.bytes_of_names += 2 * node.len();
        self.nodes.push(node.to_owned());
        self.numbers.insert(node.to_owned(), number);
        number
    }

    fn finish(self) -> Counts {
        let node = |number: Option<usize>| number.and_then(|number| self.nodes.get(number));
        let mut sums: Vec<_> = self.sums.into_iter().collect();
        sums.sort_unstable_by_key(|((start, number, level), _)| (*start, node(*number), *level));
        let buckets = sums.into_iter().map(|((start, number, level), (entries, bytes))| Bucket {
            start: Timestamp::from_unix(start, 0).unwrap_or(Timestamp::MIN),
            node: node(number).cloned(),
            level: (level > 0).then_some(level),
            entries: entries.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
        });
        Counts { buckets: buckets.collect() }
    }
}

/// Reads a page of a tenant's nodes. What is damaged is told, and passed over.
pub(super) fn nodes(
    connection: &mut Connection,
    tenant: &Tenant,
    request: &NodesRequest,
    damaged: &mut dyn FnMut(StoreError),
) -> Result<Nodes, StoreError> {
    let snapshot = connection.transaction()?;
    let Some((tenant, _)) = spans::tenant(&snapshot, tenant)? else { return Ok(Nodes::default()) };
    let range = Range::new(request.from, request.to);
    let mut scope = Scope { snapshot: &snapshot, tenant, level: 8, node: None, left: COUNTED };
    // Those of the page, and one more that only says that there is another page.
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    scope.cover(range, &UNITS, &mut |row| {
        let before = request.after.as_deref().is_some_and(|after| row.node <= after);
        let beyond = || sums.last_key_value().is_some_and(|(last, _)| row.node > last.as_str());
        if before || sums.len() > NODES_MAX && beyond() {
            return Ok(());
        }
        match sums.get_mut(row.node) {
            Some((entries, bytes)) => {
                (*entries, *bytes) = (*entries + row.entries, *bytes + row.bytes);
            }
            None => {
                sums.insert(row.node.to_owned(), (row.entries, row.bytes));
                if sums.len() > NODES_MAX + 1 {
                    sums.pop_last();
                }
            }
        }
        Ok(())
    })?;
    let mut page = Nodes::default();
    let more = sums.len() > NODES_MAX;
    for (node, (entries, bytes)) in sums.into_iter().take(NODES_MAX) {
        if more {
            page.next = Some(node.clone());
        }
        match first_and_last(&snapshot, tenant, &node, range)? {
            Some((first, last)) => page.nodes.push(NodeSummary {
                node,
                entries: entries.unsigned_abs(),
                bytes: bytes.unsigned_abs(),
                first,
                last,
            }),
            None => damaged(StoreError::Corrupt("entries of a node are not there".to_owned())),
        }
    }
    Ok(page)
}

/// The timestamps of a node's earliest and latest entry in a range.
fn first_and_last(
    snapshot: &Transaction<'_>,
    tenant: i64,
    node: &str,
    range: Range,
) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let end = |direction: &str| -> Result<Vec<Timestamp>, StoreError> {
        let mut statement = snapshot.prepare_cached(&format!(
            "SELECT seconds, nanoseconds FROM entries INDEXED BY entries_by_source
             WHERE tenant = :tenant AND node = :node AND level = :level
               AND (seconds, nanoseconds) >= (:s0, :n0) AND (seconds, nanoseconds) < (:s1, :n1)
             ORDER BY seconds {direction}, nanoseconds {direction} LIMIT 1"
        ))?;
        let mut found = Vec::new();
        for level in 1..=8 {
            let parameters = named_params! {
                ":tenant": tenant, ":node": node, ":level": level,
                ":s0": range.from.0, ":n0": range.from.1, ":s1": range.to.0, ":n1": range.to.1,
            };
            let moment =
                statement.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            found.extend(moment.and_then(|(s, n)| Timestamp::from_unix(s, n).ok()));
        }
        Ok(found)
    };
    let (first, last) = (end("ASC")?.into_iter().min(), end("DESC")?.into_iter().max());
    Ok(first.zip(last))
}
