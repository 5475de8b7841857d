//! How many entries there are in a time, from the table of a [`Tally`](super::tally::Tally).
//!
//! A range is covered by whole days, hours and minutes; what is left at its ends are parts of
//! minutes, whose entries are counted one by one.

use logflux_wire::Timestamp;
use rusqlite::{Transaction, named_params};

use super::scan::{self, Tell};
use super::tally::{self, UNITS, start_of};
use crate::store::StoreError;

/// How many entries in parts of minutes are counted one by one for an answer.
const COUNTED: i64 = 2_000_000;

/// Seconds since 1970, and nanoseconds past them.
pub(super) type Moment = (i64, u32);

/// From when, itself included, to when, itself not included.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) from: Moment,
    pub(super) to: Moment,
}

impl Range {
    pub(super) fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        let moment = |t: Timestamp| (t.unix_seconds(), t.nanoseconds());
        let end = (Timestamp::MAX.unix_seconds() + 1, 0);
        Self { from: moment(from.unwrap_or(Timestamp::MIN)), to: to.map_or(end, moment) }
    }

    pub(super) fn is_empty(self) -> bool {
        self.from >= self.to
    }

    pub(super) fn has(self, moment: Moment) -> bool {
        self.from <= moment && moment < self.to
    }

    /// The whole units in it.
    fn whole(self, unit: i64) -> Self {
        let (seconds, nanoseconds) = self.from;
        let first = start_of(seconds + i64::from(nanoseconds > 0) + unit - 1, unit);
        Self { from: (first, 0), to: (start_of(self.to.0, unit), 0) }
    }

    /// The units that it touches.
    pub(super) fn touched(self, unit: i64) -> Self {
        let (seconds, nanoseconds) = self.to;
        let end = start_of(seconds + i64::from(nanoseconds > 0) + unit - 1, unit);
        Self { from: (start_of(self.from.0, unit), 0), to: (end, 0) }
    }
}

/// What was counted at a time.
pub(super) struct Row<'a> {
    pub(super) seconds: i64,
    pub(super) node: &'a str,
    pub(super) level: u8,
    pub(super) entries: i64,
    pub(super) bytes: i64,
}

type Add<'a> = &'a mut dyn FnMut(Row<'_>) -> Result<(), StoreError>;

/// An entry that is counted one by one.
struct Counted {
    seconds: i64,
    node: String,
    level: u8,
    bytes: i64,
}

impl Counted {
    fn row(&self) -> Row<'_> {
        let Self { seconds, level, bytes, .. } = *self;
        Row { seconds, node: &self.node, level, entries: 1, bytes }
    }
}

/// Which entries are counted.
pub(super) struct Scope<'a> {
    snapshot: &'a Transaction<'a>,
    tenant: i64,
    level: u8,
    node: Option<&'a str>,
    damaged: Tell<'a>,
    /// How many entries may still be counted one by one.
    left: i64,
}

impl<'a> Scope<'a> {
    /// The entries of a tenant, of a level and those that are more severe, and of one node or of all.
    pub(super) fn new(
        snapshot: &'a Transaction<'a>,
        tenant: i64,
        level: u8,
        node: Option<&'a str>,
        damaged: Tell<'a>,
    ) -> Self {
        Self { snapshot, tenant, level, node, damaged, left: COUNTED }
    }

    /// Covers a range by the units, the longest of which comes first.
    pub(super) fn cover(
        &mut self,
        range: Range,
        units: &[i64],
        add: Add<'_>,
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

    fn in_table(&self, range: Range, unit: i64, add: Add<'_>) -> Result<(), StoreError> {
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

    fn one_by_one(&mut self, range: Range, add: Add<'_>) -> Result<(), StoreError> {
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
        match self.indexed(range) {
            Ok(rows) => rows.iter().try_for_each(|listed| add(listed.row())),
            Err(error) if error.is_damage() => {
                (self.damaged)(error);
                self.scanned(range, add)
            }
            Err(error) => Err(error),
        }
    }

    /// Finds entries in an index.
    fn indexed(&self, range: Range) -> Result<Vec<Counted>, StoreError> {
        let index = self.node.map_or("entries_by_level", |_| "entries_by_source");
        let mut statement = self.snapshot.prepare_cached(&format!(
            "SELECT seconds, node, length(payload) FROM entries INDEXED BY {index}
             WHERE tenant = :tenant AND level = :level
               AND (seconds, nanoseconds) >= (:s0, :n0) AND (seconds, nanoseconds) < (:s1, :n1)
               AND {}",
            self.node.map_or(":node IS NULL", |_| "node = :node")
        ))?;
        let mut found = Vec::new();
        for level in 1..=self.level {
            let mut rows = statement.query(named_params! {
                ":tenant": self.tenant, ":level": level, ":node": self.node,
                ":s0": range.from.0, ":n0": range.from.1, ":s1": range.to.0, ":n1": range.to.1,
            })?;
            while let Some(row) = rows.next()? {
                let (seconds, node, bytes) = (row.get(0)?, row.get(1)?, row.get(2)?);
                found.push(Counted { seconds, node, level, bytes });
            }
        }
        Ok(found)
    }

    /// Finds entries among all of the tenant's.
    fn scanned(&mut self, range: Range, add: Add<'_>) -> Result<(), StoreError> {
        let (level, node, mut added) = (self.level, self.node, Ok(()));
        scan::entries(self.snapshot, self.tenant, self.damaged, |listed| {
            let of_level = u8::try_from(listed.level).ok().filter(|l| (1..=level).contains(l));
            let wanted = range.has(listed.moment()) && node.is_none_or(|node| listed.node == node);
            if let (Some(level), true, true) = (of_level, wanted, added.is_ok()) {
                let (seconds, node) = (listed.seconds, listed.node.as_str());
                added = add(Row { seconds, node, level, entries: 1, bytes: listed.bytes });
            }
        })?;
        added
    }
}
