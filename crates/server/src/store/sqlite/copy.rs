//! A copy of what can be read of a store, in a new file.

use std::fs;
use std::path::Path;

use logflux_wire::Entry;
use rusqlite::{Connection, Transaction};

use super::row::{COLUMNS, read_entry};
use super::{schema, spans, tally};
use crate::folder;
use crate::store::StoreError;
use crate::tenant::Tenant;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// How many entries.
    pub entries: u64,
    /// How many could not be read, and are not in the copy.
    pub lost: u64,
    /// What could not be read, at most 100 sentences.
    pub faults: Vec<String>,
    /// The bytes of the new file.
    pub bytes: u64,
}

/// How many numbers are read in one snapshot, and about how many bytes of payload.
const STEP: i64 = 2_000;
const STEP_BYTES: usize = 8 << 20;

/// Writes the entries up to a number to a new file. It reads in steps, row by row where something is
/// damaged; the indexes are built anew, and the copy is a store of its own.
pub(super) fn copy(source: &Connection, file: &Path, upto: i64) -> Result<Copied, StoreError> {
    let failed = |error: std::io::Error| StoreError::Engine(format!("{}: {error}", file.display()));
    folder::touch(file).map_err(failed)?;
    let mut target = schema::create(file)?;
    let transaction = target.transaction()?;
    let version = schema::version(source)?;
    let mut copied = Copied::default();
    let mut each = |what: &str, sql: &str, insert: &str| -> Result<(), StoreError> {
        let copy = || -> Result<(), StoreError> {
            let mut statement = source.prepare(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let values = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at));
                let values = values.collect::<Result<Vec<_>, _>>()?;
                transaction.execute(insert, rusqlite::params_from_iter(values))?;
            }
            Ok(())
        };
        match copy() {
            // Everything here can be made anew, or done without.
            Err(error) if error.is_damage() => {
                tell(&mut copied, format!("{what} cannot all be read"));
                Ok(())
            }
            copied => copied,
        }
    };
    // From the table and from its index, so that one of them is enough.
    for places in ["tenants NOT INDEXED", "tenants INDEXED BY sqlite_autoindex_tenants_1"] {
        each(
            "the names of tenants",
            &format!("SELECT id, CAST(name AS BLOB) FROM {places}"),
            "INSERT OR IGNORE INTO tenants (id, name) VALUES (?1, CAST(?2 AS TEXT))",
        )?;
    }
    if version >= 2 {
        each(
            "the key of identities",
            "SELECT key FROM identity_key",
            "UPDATE identity_key SET key = ?1",
        )?;
        each(
            "the notes of arrivals",
            &format!("SELECT seq, received FROM arrivals WHERE seq <= {upto}"),
            "INSERT OR IGNORE INTO arrivals (seq, received) VALUES (?1, ?2)",
        )?;
    }
    if version >= 3 {
        each(
            "the state of the clock",
            "SELECT clock, held FROM state",
            "UPDATE state SET clock = ?1, held = ?2",
        )?;
    }
    transaction.commit()?;

    let mut from = source
        .query_row("SELECT seq FROM entries ORDER BY seq LIMIT 1", [], |row| row.get(0))
        .unwrap_or(1);
    while from <= upto {
        let end = (from + STEP - 1).min(upto);
        let (rows, end) = match read(source, (from, end), &mut copied) {
            Err(error) if error.is_damage() => alone(source, (from, end), &mut copied)?,
            read => read?,
        };
        let transaction = target.transaction()?;
        for row in rows {
            write(&transaction, &row)?;
            copied.entries += 1;
        }
        transaction.commit()?;
        from = end + 1;
    }
    let transaction = target.transaction()?;
    transaction.execute("DELETE FROM sqlite_sequence WHERE name = 'entries'", [])?;
    transaction
        .execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('entries', ?1)", [upto])?;
    schema::take_over(&transaction, version)?;
    name_tenants(&transaction, &mut copied)?;
    spans::fill(&transaction)?;
    tally::fill(&transaction)?;
    transaction.commit()?;
    drop(target);
    let written = fs::File::open(file).map_err(failed)?;
    written.sync_all().map_err(failed)?;
    copied.bytes = written.metadata().map_err(failed)?.len();
    Ok(copied)
}

struct Row {
    seq: i64,
    tenant: i64,
    received: i64,
    entry: Entry,
}

/// Reads a range, or its beginning where that is much; rows that are no entries are left out and counted.
/// Gives the rows, and up to which number it has read.
fn read(
    source: &Connection,
    (from, upto): (i64, i64),
    copied: &mut Copied,
) -> Result<(Vec<Row>, i64), StoreError> {
    let mut statement = source.prepare_cached(&format!(
        "SELECT {COLUMNS}, tenant, received FROM entries NOT INDEXED
         WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?2 - ?1 + 1"
    ))?;
    let mut rows = statement.query([from, upto])?;
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let (mut bytes, mut reached) = (0, upto);
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        match read_entry(row) {
            Ok(entry) => {
                bytes += entry.payload().as_bytes().len();
                let (tenant, received) = (row.get(9)?, row.get(10)?);
                good.push(Row { seq, tenant, received, entry });
            }
            Err(error) if error.is_damage() => bad.push(error.to_string()),
            Err(error) => return Err(error),
        }
        if bytes >= STEP_BYTES {
            reached = seq;
            break;
        }
    }
    bad.into_iter().for_each(|fault| lose(copied, fault));
    Ok((good, reached))
}

/// As [`read`], row by row, so that one that cannot be read costs no other.
fn alone(
    source: &Connection,
    (from, upto): (i64, i64),
    copied: &mut Copied,
) -> Result<(Vec<Row>, i64), StoreError> {
    let (mut good, mut bytes) = (Vec::new(), 0);
    for seq in from..=upto {
        match read(source, (seq, seq), copied) {
            Ok((rows, _)) => {
                bytes += rows.iter().map(|row| row.entry.payload().as_bytes().len()).sum::<usize>();
                good.extend(rows);
            }
            Err(error) if error.is_damage() => lose(copied, format!("entry {seq}: {error}")),
            Err(error) => return Err(error),
        }
        if bytes >= STEP_BYTES {
            return Ok((good, seq));
        }
    }
    Ok((good, upto))
}

/// Gives tenants whose name is lost, or is none, another.
fn name_tenants(transaction: &Transaction<'_>, copied: &mut Copied) -> Result<(), StoreError> {
    let named: Vec<(i64, String)> = transaction
        .prepare("SELECT id, name FROM tenants")?
        .query_map([], |row| {
            let name = row.get_ref(1)?.as_bytes()?;
            Ok((row.get(0)?, String::from_utf8_lossy(name).into_owned()))
        })?
        .collect::<Result<_, _>>()?;
    let invalid = named.iter().filter(|(_, name)| name.parse::<Tenant>().is_err());
    let lost: Vec<i64> = invalid.map(|(id, _)| *id).chain(spans::nameless(transaction)?).collect();
    for id in lost {
        let taken = |name: &str| named.iter().any(|(_, other)| other == name);
        let name = (1_u64..)
            .map(|nth| if nth == 1 { format!("lost-{id}") } else { format!("lost-{id}-{nth}") })
            .find(|name| !taken(name))
            .unwrap_or_default();
        transaction.execute(
            "INSERT INTO tenants (id, name) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            (id, &name),
        )?;
        tell(copied, format!("the name of tenant {id} is lost: its entries are those of {name}"));
    }
    Ok(())
}

fn lose(copied: &mut Copied, fault: String) {
    copied.lost += 1;
    tell(copied, fault);
}

fn tell(copied: &mut Copied, fault: String) {
    if copied.faults.len() < 100 {
        copied.faults.push(fault);
    }
}

fn write(target: &Connection, row: &Row) -> Result<(), StoreError> {
    super::appending::insert(target, row.seq, row.tenant, row.received, &row.entry)
}
