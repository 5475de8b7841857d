//! What whoever runs a server does with its store: look, check, compact, back up.

use std::fmt;
use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::identities::Identities;
use super::row::{COLUMNS, read_entry};
use super::{lock, retention, schema};
use crate::folder;
use crate::store::StoreError;

/// What a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The version of its tables.
    pub version: i64,
    /// How many entries there are.
    pub entries: i64,
    /// The lowest and the highest number of an entry; 0 where there is none.
    pub numbers: (i64, i64),
    /// When the oldest and the newest came: milliseconds since 1970.
    pub received: Option<(i64, i64)>,
    /// Bytes of entries and indexes in use.
    pub used: i64,
    /// Bytes in the file that are free for entries to come; `compact` gives them back.
    pub free: i64,
    /// Bytes of the write-ahead log.
    pub log: u64,
    /// By tenant.
    pub tenants: Vec<TenantStats>,
}

/// What a store holds of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantStats {
    /// Its name.
    pub name: String,
    /// How many entries of each level, from emergency to debug.
    pub levels: [i64; 8],
}

impl TenantStats {
    /// How many entries it has.
    #[must_use]
    pub fn entries(&self) -> i64 {
        self.levels.iter().sum()
    }
}

/// Counts what the store of a data folder holds. A server may run meanwhile.
///
/// # Errors
/// [`StoreError`].
pub fn stats(data: &Path) -> Result<Stats, StoreError> {
    let mut connection = open(data)?;
    let snapshot = connection.transaction()?;
    let number = |sql: &str| snapshot.query_row(sql, [], |row| row.get::<_, i64>(0));
    let received = |order: &str| {
        let sql = format!("SELECT received FROM entries ORDER BY seq {order} LIMIT 1");
        snapshot.query_row(&sql, [], |row| row.get::<_, i64>(0)).optional()
    };
    let mut tenants: Vec<TenantStats> = Vec::new();
    let mut statement = snapshot.prepare(
        "SELECT tenants.name, counts.level, counts.count FROM (
             SELECT tenant, level, count(*) AS count FROM entries INDEXED BY entries_by_level
             GROUP BY tenant, level) AS counts
         JOIN tenants ON tenants.id = counts.tenant ORDER BY tenants.name, counts.level",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if tenants.last().is_none_or(|last| last.name != name) {
            tenants.push(TenantStats { name, levels: [0; 8] });
        }
        let level = row.get::<_, i64>(1)?;
        let level = usize::try_from(level - 1).ok();
        if let Some(tenant) = tenants.last_mut()
            && let Some(count) = level.and_then(|level| tenant.levels.get_mut(level))
        {
            *count = row.get(2)?;
        }
    }
    let page = number("PRAGMA page_size")?;
    let log = folder::entries_db(data).with_extension("db-wal");
    Ok(Stats {
        version: schema::VERSION,
        entries: tenants.iter().map(TenantStats::entries).sum(),
        numbers: (
            number("SELECT coalesce(min(seq), 0) FROM entries")?,
            number("SELECT coalesce(max(seq), 0) FROM entries")?,
        ),
        received: received("ASC")?.zip(received("DESC")?),
        used: retention::size(&snapshot)?,
        free: number("PRAGMA freelist_count")? * page,
        log: fs::metadata(log).map_or(0, |log| log.len()),
        tenants,
    })
}

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

/// Reads the whole store of a data folder: its pages and indexes, every entry, and whether each is
/// known by its identity. A server may run meanwhile. `progress` is told how many entries were read.
///
/// # Errors
/// [`StoreError`] where the store cannot be read at all; what is damaged is in the report.
pub fn check(data: &Path, mut progress: impl FnMut(u64)) -> Result<Report, StoreError> {
    let mut connection = open(data)?;
    let mut report = Report::default();
    let identities = match Identities::load(&mut connection) {
        Ok(identities) => Some(identities),
        Err(error) => {
            report.fault(format!("the identities cannot be read: {error}"));
            None
        }
    };
    let snapshot = connection.transaction()?;
    let mut statement = snapshot.prepare(&format!("PRAGMA integrity_check({})", Report::MOST))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            report.fault(line);
        }
    }
    let mut statement =
        snapshot.prepare(&format!("SELECT {COLUMNS}, tenant FROM entries ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.entries += 1;
        if report.entries % 10_000 == 0 {
            progress(report.entries);
        }
        let seq: i64 = row.get(0)?;
        match read_entry(row) {
            Err(error) => report.fault(error),
            Ok(entry) => {
                let Some(identities) = &identities else { continue };
                let identity = identities.identity(row.get(9)?, entry.salt(), entry.iv());
                if !identities.find(&snapshot, identity)?.contains(&seq)
                    && !identities.is_newer(seq)
                {
                    report.fault(format!("entry {seq} is not known by its identity"));
                }
            }
        }
    }
    Ok(report)
}

/// Gives the free space of a store's file back to the disk, and orders what is left. No server may
/// run meanwhile; as much space as the store uses must be free. Gives the file's size before and
/// after.
///
/// # Errors
/// [`StoreError`], among others where a server runs.
pub fn compact(data: &Path) -> Result<(u64, u64), StoreError> {
    let path = folder::entries_db(data);
    exists(&path)?;
    let _lock = lock(data)?;
    let size = || fs::metadata(&path).map_or(0, |file| file.len());
    let connection = schema::open_writer(&path)?;
    let truncate = || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    truncate()?;
    let before = size();
    connection.execute_batch("VACUUM")?;
    truncate()?;
    Ok((before, size()))
}

/// Writes the store as it is at this moment to a new file, for its owner alone. A server may run
/// meanwhile. Gives the file's size.
///
/// # Errors
/// [`StoreError`], among others where the file exists.
pub fn backup(data: &Path, file: &Path) -> Result<u64, StoreError> {
    let failed = |error: std::io::Error| StoreError::Engine(format!("{}: {error}", file.display()));
    if fs::symlink_metadata(file).is_ok() {
        return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
    }
    let connection = open(data)?;
    // Reading a snapshot is no writing; the new file is another database.
    connection.pragma_update(None, "query_only", false)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    fs::remove_file(&part).ok();
    let write = || {
        folder::touch(&part).map_err(failed)?;
        let target = part
            .to_str()
            .ok_or_else(|| StoreError::Engine("a backup's path must be UTF-8".to_owned()))?;
        connection.execute("VACUUM INTO ?1", [target])?;
        let written = fs::File::open(&part).map_err(failed)?;
        written.sync_all().map_err(failed)?;
        fs::rename(&part, file).map_err(failed)?;
        Ok(written.metadata().map_err(failed)?.len())
    };
    let written = write();
    if written.is_err() {
        fs::remove_file(&part).ok();
    }
    written
}

fn open(data: &Path) -> Result<Connection, StoreError> {
    let path = folder::entries_db(data);
    exists(&path)?;
    schema::open_reader(&path)
}

fn exists(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(StoreError::Engine(format!("{}: {error}", path.display()))),
    }
}
