//! How many entries there are, by time, node and level: the table `counts`.
//!
//! It has a row for every minute, hour and day in which a node has sent entries, with two columns for
//! each level, and changes in the transaction that stores or deletes the entries. What is asked of it is read in
//! [`cover`](super::cover).

use std::collections::HashMap;
use std::sync::LazyLock;

use logflux_wire::Entry;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, Transaction, params_from_iter};

use crate::store::StoreError;

/// How long the times last that are counted, in seconds: a day, an hour, a minute.
pub(super) const UNITS: [i64; 3] = [86_400, 3_600, MINUTE];
const MINUTE: i64 = 60;

/// While a table is filled, so many entries are added at once.
const FILLED: usize = 100_000;

/// The levels, 1 to 8.
const LEVELS: usize = 8;

/// What is to be added to the table, or taken from it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lines: Vec<Line>,
    /// Where in `lines` each is, by tenant, time and node.
    places: HashMap<(i64, i64), HashMap<String, usize>>,
    /// The line that was counted in last: most of a request is of one node and one minute.
    recent: usize,
}

/// A row of the table: what a node of a tenant has sent at a time.
#[derive(Debug)]
struct Line {
    tenant: i64,
    /// The first second of the time, since 1970.
    start: i64,
    node: String,
    entries: [i64; LEVELS],
    /// Of their payloads.
    bytes: [i64; LEVELS],
}

impl Tally {
    /// Counts an entry.
    pub(super) fn add(&mut self, tenant: i64, entry: &Entry) {
        let level = i64::from(entry.level().number());
        let bytes = i64::try_from(entry.payload().as_bytes().len()).unwrap_or(i64::MAX);
        let start = start_of(entry.timestamp().unix_seconds(), MINUTE);
        self.line(tenant, start, entry.node().as_str()).count(level, bytes);
    }

    /// Counts the entries with these numbers.
    pub(super) fn of_rows(
        transaction: &Transaction<'_>,
        (from, upto): (i64, i64),
    ) -> Result<Self, StoreError> {
        let mut tally = Self::default();
        let mut statement = transaction.prepare_cached(
            "SELECT tenant, seconds, level, length(payload), node FROM entries NOT INDEXED
             WHERE seq BETWEEN ?1 AND ?2",
        )?;
        let mut rows = statement.query([from, upto])?;
        while let Some(row) = rows.next()? {
            tally.count_row(row)?;
        }
        Ok(tally)
    }

    /// Counts a row of tenant, seconds, level, bytes and node. A name that is damaged hinders nobody.
    fn count_row(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let node = String::from_utf8_lossy(row.get_ref(4)?.as_bytes().unwrap_or_default());
        let start = start_of(row.get(1)?, MINUTE);
        self.line(row.get(0)?, start, &node).count(row.get(2)?, row.get(3)?);
        Ok(())
    }

    #[expect(clippy::indexing_slicing, reason = "the line at `recent` was just found or added")]
    fn line(&mut self, tenant: i64, start: i64, node: &str) -> &mut Line {
        let is_it = |line: &Line| (line.tenant, line.start) == (tenant, start) && line.node == node;
        if !self.lines.get(self.recent).is_some_and(is_it) {
            let nodes = self.places.entry((tenant, start)).or_default();
            self.recent = nodes.get(node).copied().unwrap_or_else(|| {
                nodes.insert(node.to_owned(), self.lines.len());
                self.lines.len()
            });
        }
        if self.recent == self.lines.len() {
            let (entries, bytes) = ([0; LEVELS], [0; LEVELS]);
            self.lines.push(Line { tenant, start, node: node.to_owned(), entries, bytes });
        }
        &mut self.lines[self.recent]
    }

    /// Adds what was counted to the table.
    pub(super) fn write(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let mut statement = transaction.prepare_cached(&ADD)?;
        self.each_unit(|unit, line| {
            statement.execute(params_from_iter(line.values(unit)))?;
            Ok(())
        })
    }

    /// Takes what was counted from the table.
    pub(super) fn delete(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let mut take = transaction.prepare_cached(&TAKE)?;
        let mut remove = transaction.prepare_cached(
            "DELETE FROM counts WHERE tenant = ?1 AND unit = ?2 AND start = ?3 AND node = ?4",
        )?;
        self.each_unit(|unit, line| {
            let values = params_from_iter(line.values(unit));
            let left = take.query_row(values, |row| row.get::<_, i64>(0)).optional()?;
            if left == Some(0) {
                remove.execute((line.tenant, unit, line.start, &line.node))?;
            }
            Ok(())
        })
    }

    /// Hands on each row that changes, of every unit.
    fn each_unit(
        self,
        mut each: impl FnMut(i64, &Line) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut of_unit = self;
        for unit in UNITS.into_iter().rev() {
            let mut wider = Self::default();
            for line in &of_unit.lines {
                wider.line(line.tenant, start_of(line.start, unit), &line.node).grow(line);
            }
            for line in &wider.lines {
                each(unit, line)?;
            }
            of_unit = wider;
        }
        Ok(())
    }
}

impl Line {
    /// Counts an entry of a level. One that there is not, in a damaged row, is counted nowhere.
    fn count(&mut self, level: i64, bytes: i64) {
        let at = usize::try_from(level - 1).unwrap_or(usize::MAX);
        if let (Some(sum), Some(all)) = (self.entries.get_mut(at), self.bytes.get_mut(at)) {
            (*sum, *all) = (*sum + 1, *all + bytes);
        }
    }

    fn grow(&mut self, by: &Self) {
        let entries = self.entries.iter_mut().zip(by.entries);
        let bytes = self.bytes.iter_mut().zip(by.bytes);
        entries.chain(bytes).for_each(|(sum, by)| *sum += by);
    }

    /// The row's values, in the order of its columns.
    fn values(&self, unit: i64) -> impl Iterator<Item = Value> {
        let place = [self.tenant.into(), unit.into(), self.start.into()];
        let sums = self.entries.into_iter().chain(self.bytes).map(Value::Integer);
        place.into_iter().chain([Value::Text(self.node.clone())]).chain(sums)
    }
}

/// The columns of entries, those of bytes, and where each stands among the values of a line.
fn columns() -> impl Iterator<Item = (String, usize)> {
    let of = |name: &'static str| (1..=LEVELS).map(move |level| format!("{name}_{level}"));
    of("entries").chain(of("bytes")).zip(5..)
}

/// Makes a list of something for each column.
fn list(each: impl Fn(&str, usize) -> String) -> String {
    columns().map(|(name, at)| each(&name, at)).collect::<Vec<_>>().join(", ")
}

static ADD: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO counts (tenant, unit, start, node, {}) VALUES (?1, ?2, ?3, ?4, {})
         ON CONFLICT DO UPDATE SET {}",
        list(|name, _| name.to_owned()),
        list(|_, at| format!("?{at}")),
        list(|name, _| format!("{name} = {name} + excluded.{name}"))
    )
});

static TAKE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE counts SET {} WHERE tenant = ?1 AND unit = ?2 AND start = ?3 AND node = ?4
         RETURNING {}",
        list(|name, at| format!("{name} = max(0, {name} - ?{at})")),
        sum("entries")
    )
});

/// The sum of the columns of all levels.
pub(super) fn sum(name: &str) -> String {
    (1..=LEVELS).map(|level| format!("{name}_{level}")).collect::<Vec<_>>().join(" + ")
}

/// The columns of the levels up to one: of each its entries and its bytes.
pub(super) fn columns_upto(level: u8) -> String {
    (1..=level)
        .map(|level| format!("entries_{level}, bytes_{level}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// When the minute, hour or day begins that a second is in.
pub(super) fn start_of(seconds: i64, unit: i64) -> i64 {
    seconds.div_euclid(unit) * unit
}

/// Counts the entries of a store of an older version, and of a copy. A large one takes a while, and
/// the log says how far it is.
pub(super) fn fill(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let mut statement = transaction
        .prepare("SELECT tenant, seconds, level, length(payload), node FROM entries NOT INDEXED")?;
    let mut rows = statement.query([])?;
    let (mut tally, mut entries) = (Tally::default(), 0_usize);
    while let Some(row) = rows.next()? {
        tally.count_row(row)?;
        entries += 1;
        if entries.is_multiple_of(FILLED) {
            std::mem::take(&mut tally).write(transaction)?;
        }
        if entries.is_multiple_of(10 * FILLED) {
            tracing::info!(entries, "counting the entries by time, node and level");
        }
    }
    tally.write(transaction)
}
