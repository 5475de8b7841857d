//! What a store holds, counted in steps, so that its log can be brought in meanwhile.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::tools::open;
use super::{appending, retention, schema};
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

/// How many entries are counted at a time.
const STEP: i64 = 50_000;

/// Counts what the store of a data folder holds. A server may run meanwhile: what comes or goes while
/// it is counted may be counted or not.
///
/// # Errors
/// [`StoreError`].
pub fn stats(data: &Path) -> Result<Stats, StoreError> {
    let connection = open(data)?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let received = |order: &str| {
        let sql = format!("SELECT received FROM entries ORDER BY seq {order} LIMIT 1");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).optional()
    };
    let mut tenants: Vec<TenantStats> = Vec::new();
    let named: Vec<(i64, String)> = connection
        .prepare("SELECT id, name FROM tenants ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, name) in named {
        let mut levels = [0; 8];
        for (count, level) in levels.iter_mut().zip(1..) {
            *count = count_level(&connection, id, level)?;
        }
        let tenant = TenantStats { name, levels };
        if tenant.entries() > 0 {
            tenants.push(tenant);
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
        used: retention::size(&connection)?,
        free: number("PRAGMA freelist_count")? * page,
        log: fs::metadata(log).map_or(0, |log| log.len()),
        tenants,
    })
}

/// Counts a tenant's entries of a level, in steps of the index.
fn count_level(connection: &Connection, tenant: i64, level: i64) -> Result<i64, StoreError> {
    let (mut count, mut after) = (0, (i64::MIN, 0, 0));
    let of = "FROM entries INDEXED BY entries_by_level WHERE tenant = :tenant AND level = :level
              AND (seconds, nanoseconds, seq) > (:s, :n, :q)";
    loop {
        let values = named_params! {
            ":tenant": tenant, ":level": level, ":s": after.0, ":n": after.1, ":q": after.2,
        };
        let end = connection
            .prepare_cached(&format!(
                "SELECT seconds, nanoseconds, seq {of}
                 ORDER BY seconds, nanoseconds, seq LIMIT 1 OFFSET {}",
                STEP - 1
            ))?
            .query_row(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        match end {
            Some(end) => (count, after) = (count + STEP, end),
            None => {
                let rest: i64 = connection
                    .prepare_cached(&format!("SELECT count(*) {of}"))?
                    .query_row(values, |row| row.get(0))?;
                return Ok(count + rest);
            }
        }
    }
}

/// Whether entries are deleted for their age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionState {
    /// Since when nothing is deleted for its age, since the clock has jumped: milliseconds since 1970.
    pub paused: Option<i64>,
    /// The last time of the clock that was believed.
    pub believed: Option<i64>,
    /// The number of the newest entry.
    pub newest: i64,
}

/// Says whether deletion by age is paused. A server may run meanwhile.
///
/// # Errors
/// [`StoreError`].
pub fn retention_state(data: &Path) -> Result<RetentionState, StoreError> {
    let connection = open(data)?;
    let clock = super::state::clock(&connection)?;
    let newest = appending::newest(&connection)?;
    Ok(RetentionState { paused: clock.held, believed: clock.last, newest })
}

/// Confirms the clock of this machine as it is now: a server that has paused deletion goes on with it
/// within seconds, or at its next start.
///
/// # Errors
/// [`StoreError`].
pub fn accept_clock(data: &Path) -> Result<(), StoreError> {
    let path = folder::entries_db(data);
    drop(open(data)?);
    schema::open_plain(&path)?.execute("UPDATE state SET accepted = ?1", [appending::now()])?;
    Ok(())
}
