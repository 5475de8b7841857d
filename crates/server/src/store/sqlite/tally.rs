//! How many entries there are, by time, node and level: the table `counts`.
//!
//! It has a row for every minute, hour and day in which a node has sent entries of a level, and
//! changes in the transaction that stores or deletes the entries. What is asked of it is read in
//! [`counting`](super::counting).

use std::collections::HashMap;

use logflux_wire::Entry;
use rusqlite::Transaction;

use crate::store::StoreError;

/// How long the times last that are counted, in seconds: a day, an hour, a minute.
pub(super) const UNITS: [i64; 3] = [86_400, 3_600, MINUTE];
const MINUTE: i64 = 60;

/// While a table is filled, so many entries are added at once.
const FILLED: usize = 100_000;

/// What is to be added to the table, or taken from it.
#[derive(Debug, Default)]
pub(super) struct Tally(HashMap<Place, HashMap<String, Sum>>);

/// A level of a tenant at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    tenant: i64,
    /// The first of its seconds since 1970.
    start: i64,
    level: i64,
}

/// How many entries, and the bytes of their payloads.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    entries: i64,
    bytes: i64,
}

impl Tally {
    /// Counts an entry.
    pub(super) fn add(&mut self, tenant: i64, entry: &Entry) {
        let level = i64::from(entry.level().number());
        let bytes = i64::try_from(entry.payload().as_bytes().len()).unwrap_or(i64::MAX);
        let seconds = entry.timestamp().unix_seconds();
        self.count((tenant, seconds, level), entry.node().as_str(), Sum { entries: 1, bytes });
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
    fn count_row(&mut self, row: &rusqlite::Row<'_>) -> Result<(), StoreError> {
        let place = (row.get(0)?, row.get(1)?, row.get(2)?);
        let node = String::from_utf8_lossy(row.get_ref(4)?.as_bytes().unwrap_or_default());
        self.count(place, &node, Sum { entries: 1, bytes: row.get(3)? });
        Ok(())
    }

    fn count(&mut self, (tenant, seconds, level): (i64, i64, i64), node: &str, sum: Sum) {
        let place = Place { tenant, start: start_of(seconds, MINUTE), level };
        let nodes = self.0.entry(place).or_default();
        match nodes.get_mut(node) {
            Some(there) => there.grow(sum),
            None => {
                nodes.insert(node.to_owned(), sum);
            }
        }
    }

    /// Adds what was counted to the table.
    pub(super) fn write(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO counts (tenant, unit, start, node, level, entries, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET
                 entries = entries + excluded.entries, bytes = bytes + excluded.bytes",
        )?;
        self.each_unit(|unit, Place { tenant, start, level }, node, Sum { entries, bytes }| {
            statement.execute((tenant, unit, start, node, level, entries, bytes))?;
            Ok(())
        })
    }

    /// Takes what was counted from the table.
    pub(super) fn delete(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        const ROW: &str =
            "WHERE tenant = ?1 AND unit = ?2 AND start = ?3 AND node = ?4 AND level = ?5";
        let mut change = transaction.prepare_cached(&format!(
            "UPDATE counts SET entries = entries - ?6, bytes = max(0, bytes - ?7) {ROW}
             AND entries > ?6"
        ))?;
        let mut remove = transaction.prepare_cached(&format!("DELETE FROM counts {ROW}"))?;
        self.each_unit(|unit, Place { tenant, start, level }, node, Sum { entries, bytes }| {
            if change.execute((tenant, unit, start, node, level, entries, bytes))? == 0 {
                remove.execute((tenant, unit, start, node, level))?;
            }
            Ok(())
        })
    }

    /// Hands on each row that changes, of every unit.
    fn each_unit(
        self,
        mut each: impl FnMut(i64, Place, &str, Sum) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut of_unit = self.0;
        for unit in UNITS.into_iter().rev() {
            let mut wider: HashMap<Place, HashMap<String, Sum>> = HashMap::new();
            for (place, nodes) in of_unit {
                let place = Place { start: start_of(place.start, unit), ..place };
                let of_place = wider.entry(place).or_default();
                for (node, sum) in nodes {
                    of_place.entry(node).or_default().grow(sum);
                }
            }
            for (place, nodes) in &wider {
                for (node, sum) in nodes {
                    each(unit, *place, node, *sum)?;
                }
            }
            of_unit = wider;
        }
        Ok(())
    }
}

impl Sum {
    fn grow(&mut self, by: Self) {
        self.entries += by.entries;
        self.bytes += by.bytes;
    }
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
