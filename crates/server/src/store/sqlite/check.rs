//! Reads the whole store, and says what is wrong with it.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::identities::Identities;
use super::row::{COLUMNS, read_entry};
use super::tally::{self, UNITS};
use super::tools::open;
use super::{appending, lock, spans};
use crate::store::StoreError;
use crate::tenant::Tenant;

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many entries were read.
    pub entries: u64,
    /// What is wrong, at most 100 sentences; nothing, where the store is good.
    pub faults: Vec<String>,
}

impl Report {
    const MOST: usize = 100;

    fn fault(&mut self, fault: impl fmt::Display) {
        if self.faults.len() < Self::MOST {
            self.faults.push(fault.to_string());
        }
    }
}

/// How many numbers are looked at in one snapshot.
const STEP: i64 = 5_000;

/// The indexes, each with the columns before the time.
const INDEXES: [(&str, &str); 2] =
    [("entries_by_level", "tenant, level"), ("entries_by_source", "tenant, node, level")];

/// Reads the whole store of a data folder: every entry, whether each is in the indexes and known by its
/// identity, and where no server runs the structure of the file as well. It reads in steps, so that a
/// server that runs can bring in its log meanwhile. `progress` is told how many entries were read.
///
/// # Errors
/// [`StoreError`] where the store cannot be read at all; what is damaged is in the report.
pub fn check(data: &Path, mut progress: impl FnMut(u64)) -> Result<Report, StoreError> {
    let mut connection = open(data)?;
    let mut report = Report::default();
    // Only where nobody writes may a look at the whole file hold a snapshot of it.
    if let Ok(_lock) = lock(data)
        && let Err(error) = structure(&connection, &mut report)
    {
        report.fault(format!("the structure of the file: {error}"));
    }
    let identities = match Identities::load(&mut connection) {
        Ok(identities) => Some(identities),
        Err(error) => {
            report.fault(format!("the identities cannot be read: {error}"));
            None
        }
    };
    numbers(&connection, &mut report)?;
    let newest = appending::newest(&connection)?;
    let oldest: Option<i64> = connection
        .query_row("SELECT seq FROM entries ORDER BY seq LIMIT 1", [], |row| row.get(0))
        .optional()
        .or_else(|error| match StoreError::from(error) {
            error if error.is_damage() => Ok(Some(1)),
            error => Err(error),
        })?;
    let before = writes(&connection)?;
    let mut taken = Taken::new();
    let mut from = oldest.unwrap_or(newest + 1);
    while from <= newest {
        let upto = (from + STEP - 1).min(newest);
        let snapshot = connection.transaction()?;
        let before = (report.entries, report.faults.len(), taken.clone());
        match rows(&snapshot, (from, upto), identities.as_ref(), &mut report, &mut taken) {
            Err(error) if error.is_damage() => {
                report.entries = before.0;
                report.faults.truncate(before.1);
                taken = before.2;
                alone(&snapshot, (from, upto), identities.as_ref(), &mut report, &mut taken)?;
            }
            read => read?,
        }
        drop(snapshot);
        progress(report.entries);
        from = upto + 1;
    }
    counted(&mut connection, before, &taken, &mut report)?;
    for (index, columns) in INDEXES {
        if let Err(error) = walk(&connection, index, columns, &mut report) {
            report.fault(format!("the index {index}: {error}"));
        }
    }
    Ok(report)
}

/// How many entries of a tenant there are, and the bytes of their payloads.
type Taken = HashMap<i64, (i64, i64)>;

/// A number that changes when another connection writes.
fn writes(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
}

/// Compares the counts of minutes, hours and days with the entries, where nobody has written meanwhile.
fn counted(
    connection: &mut Connection,
    before: i64,
    taken: &Taken,
    report: &mut Report,
) -> Result<(), StoreError> {
    let snapshot = connection.transaction()?;
    let sums = |unit: i64| -> Result<Taken, StoreError> {
        let mut statement = snapshot.prepare_cached(&format!(
            "SELECT tenant, sum({}), sum({}) FROM counts WHERE unit = ?1 GROUP BY tenant",
            tally::sum("entries"),
            tally::sum("bytes")
        ))?;
        let rows =
            statement.query_map([unit], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    let sums = UNITS.map(|unit| (unit, sums(unit)));
    if writes(&snapshot)? != before {
        return Ok(());
    }
    for (unit, sums) in sums {
        match sums {
            Ok(sums) if sums == *taken => {}
            Ok(_) => {
                report.fault(format!("the counts by {unit} seconds are not those of the entries"));
            }
            Err(error) if error.is_damage() => {
                report.fault(format!("the counts by {unit} seconds: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What SQLite finds in the pages of the file.
fn structure(connection: &Connection, report: &mut Report) -> Result<(), StoreError> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({})", Report::MOST))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            report.fault(line);
        }
    }
    Ok(())
}

/// Reads a range of entries.
fn rows(
    snapshot: &Transaction<'_>,
    (from, upto): (i64, i64),
    identities: Option<&Identities>,
    report: &mut Report,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    let mut statement = snapshot.prepare_cached(&format!(
        "SELECT {COLUMNS}, tenant FROM entries NOT INDEXED WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq"
    ))?;
    let mut rows = statement.query([from, upto])?;
    while let Some(row) = rows.next()? {
        report.entries += 1;
        let seq: i64 = row.get(0)?;
        let entry = match read_entry(row) {
            Ok(entry) => entry,
            Err(error) => {
                report.fault(error);
                continue;
            }
        };
        let tenant: i64 = row.get(9)?;
        let (entries, bytes) = taken.entry(tenant).or_default();
        *entries += 1;
        *bytes += i64::try_from(entry.payload().as_bytes().len()).unwrap_or(i64::MAX);
        let time = (entry.timestamp().unix_seconds(), entry.timestamp().nanoseconds());
        let (level, node) = (entry.level().number(), entry.node().as_str());
        for (index, _) in INDEXES {
            let found = snapshot
                .prepare_cached(&format!(
                    "SELECT 1 FROM entries INDEXED BY {index} WHERE tenant = ?1 AND node = ?2
                     AND level = ?3 AND seconds = ?4 AND nanoseconds = ?5 AND seq = ?6"
                ))?
                .exists((tenant, node, level, time.0, time.1, seq))?;
            if !found {
                report.fault(format!("entry {seq} is missing in the index {index}"));
            }
        }
        let Some(identities) = identities else { continue };
        let identity = identities.identity(tenant, entry.salt(), entry.iv());
        if !identities.find(snapshot, identity)?.contains(&seq) && !identities.is_newer(seq) {
            report.fault(format!("entry {seq} is not known by its identity"));
        }
    }
    Ok(())
}

/// As [`rows`], row by row, so that one that cannot be read hides no other.
fn alone(
    snapshot: &Transaction<'_>,
    (from, upto): (i64, i64),
    identities: Option<&Identities>,
    report: &mut Report,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    for seq in from..=upto {
        match rows(snapshot, (seq, seq), identities, report, taken) {
            Err(error) if error.is_damage() => report.fault(format!("entry {seq}: {error}")),
            read => read?,
        }
    }
    Ok(())
}

/// Looks whether the number of the newest entry and the list of tenants fit the entries.
fn numbers(connection: &Connection, report: &mut Report) -> Result<(), StoreError> {
    let numbers = appending::highest(connection)
        .and_then(|highest| Ok((appending::noted(connection)?, highest)));
    match numbers {
        Ok((noted, highest)) if highest > noted => report.fault(format!(
            "the newest entry has the number {highest}, and the store has noted {noted}"
        )),
        Err(error) if !error.is_damage() => return Err(error),
        Err(error) => report.fault(format!("the number of the newest entry: {error}")),
        Ok(_) => {}
    }
    match spans::nameless(connection) {
        Ok(ids) => ids.iter().for_each(|id| {
            report.fault(format!("there are entries of tenant {id}, whose name is lost"));
        }),
        Err(error) if !error.is_damage() => return Err(error),
        Err(error) => report.fault(format!("the list of tenants: {error}")),
    }
    let names = connection.prepare("SELECT id, name FROM tenants").and_then(|mut statement| {
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<Vec<(i64, String)>, _>>()
    });
    match names {
        Ok(names) => names
            .iter()
            .filter(|(_, name)| name.parse::<Tenant>().is_err())
            .for_each(|(id, _)| report.fault(format!("the name of tenant {id} is not valid"))),
        Err(error) => report.fault(format!("the list of tenants: {}", StoreError::from(error))),
    }
    Ok(())
}

/// Looks whether every place of an index leads to an entry.
fn walk(
    connection: &Connection,
    index: &str,
    columns: &str,
    report: &mut Report,
) -> Result<(), StoreError> {
    let columns = format!("{columns}, seconds, nanoseconds, seq");
    let places = columns.split(", ").count();
    let marks = vec!["?"; places].join(", ");
    let mut after: Option<Vec<Value>> = None;
    loop {
        let bound =
            after.as_ref().map_or(String::new(), |_| format!("WHERE ({columns}) > ({marks})"));
        let mut statement = connection.prepare(&format!(
            "SELECT {columns} FROM entries INDEXED BY {index} {bound} ORDER BY {columns} LIMIT {STEP}"
        ))?;
        let mut rows = statement.query(rusqlite::params_from_iter(after.iter().flatten()))?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(places - 1)?;
            let place = (0..places).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>()?;
            let there = connection
                .prepare_cached("SELECT 1 FROM entries NOT INDEXED WHERE seq = ?1")?
                .exists([seq]);
            // What was deleted since the step began is in the index no more.
            let still = || -> Result<bool, StoreError> {
                let place = rusqlite::params_from_iter(place.iter());
                let sql = format!(
                    "SELECT 1 FROM entries INDEXED BY {index} WHERE ({columns}) = ({marks})"
                );
                Ok(connection.prepare(&sql)?.exists(place)?)
            };
            if there.is_ok_and(|there| !there) && still()? {
                report.fault(format!("the index {index} leads to entry {seq}, which is not there"));
            }
            last = Some(place);
        }
        let Some(last) = last else { return Ok(()) };
        after = Some(last);
    }
}
