//! Counts entries by time, level and node.

use std::collections::HashMap;

use logflux_wire::counts::{BUCKETS_MAX, Bucket, Counts, CountsQuery, STEPS_MAX};
use logflux_wire::{Level, Timestamp};
use rusqlite::{Connection, Transaction};

use super::cover::{Range, Row, Scope};
use super::scan::Tell;
use super::spans;
use super::tally::{UNITS, start_of};
use crate::store::StoreError;
use crate::tenant::Tenant;

/// The most bytes of the names of nodes that are counted apart.
const NAMES: usize = 8 << 20;

/// Counts the entries of a tenant by time.
pub(super) fn counts(
    connection: &mut Connection,
    tenant: &Tenant,
    query: &CountsQuery,
    damaged: Tell<'_>,
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
    let mut scope = Scope::new(&snapshot, tenant, level, node, damaged);
    let units: Vec<i64> = UNITS.into_iter().filter(|unit| step % unit == 0).collect();
    let mut buckets = Buckets::default();
    scope.cover(range, &units, &mut |row| {
        let start = start_of(row.seconds, step);
        let node = query.by.node.then_some(row.node);
        buckets.add(start, node, if query.by.level { row.level } else { 0 }, &row)
    })?;
    Ok(buckets.finish())
}

/// The time that is asked for; where it has no end, up to the first or last day with an entry.
/// Without an entry there is no such time.
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
