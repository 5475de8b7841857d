//! Which entries are whose, in the order in which they came.
//!
//! The entries of a tenant that a transaction stores have numbers one after another, so that a row of
//! `spans` stands for many of them: a tail reads its tenant's entries alone, and what a tenant takes
//! up is known without counting. Every entry has a second number, its `nth` among its tenant's, which
//! is all that a client sees.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Transaction};

use crate::store::StoreError;
use crate::tenant::Tenant;

/// A span that has so many entries is followed by another.
const LONG: i64 = 1_000;

/// What an entry takes up beside its payload and its node, about.
pub(super) const AROUND: i64 = 300;

/// Entries of a tenant whose numbers follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The first one's number among the tenant's.
    pub(super) nth: i64,
    /// The first one's number in the store, and the last one's.
    pub(super) first: i64,
    pub(super) last: i64,
    bytes: i64,
}

impl Span {
    fn len(self) -> i64 {
        self.last - self.first + 1
    }

    /// What is left of it without the entries of a range: those before it, and those after it.
    fn without(self, (from, upto): (i64, i64)) -> [Option<Self>; 2] {
        let part = |first: i64, last: i64| {
            (first <= last).then(|| Self {
                nth: self.nth + (first - self.first),
                first,
                last,
                bytes: self.bytes / self.len() * (last - first + 1),
            })
        };
        let before = part(self.first, self.last.min(from.saturating_sub(1)));
        let after = part(self.first.max(upto.saturating_add(1)), self.last);
        [before, after]
    }
}

/// A tenant that has entries, or had some.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) id: i64,
    /// How many entries it ever had.
    taken: i64,
    /// About what its entries take up.
    pub(super) bytes: i64,
    /// Its last span, which may grow.
    open: Option<Span>,
}

impl Owner {
    /// Reads all tenants.
    pub(super) fn load(connection: &Connection) -> Result<HashMap<Tenant, Self>, StoreError> {
        let mut statement = connection.prepare(
            "SELECT id, name, taken, (SELECT coalesce(sum(bytes), 0) FROM spans WHERE tenant = id)
             FROM tenants",
        )?;
        let rows = statement.query_map([], |row| {
            let owner =
                Self { id: row.get(0)?, taken: row.get(2)?, bytes: row.get(3)?, open: None };
            Ok((row.get::<_, String>(1)?, owner))
        })?;
        let mut owners = HashMap::new();
        for row in rows {
            let (name, mut owner) = row?;
            let name =
                name.parse().map_err(|_| StoreError::Corrupt("a tenant's name".to_owned()))?;
            owner.open = last(connection, owner.id)?;
            owners.insert(name, owner);
        }
        Ok(owners)
    }

    /// Makes a tenant, with an id that no entry has.
    pub(super) fn new(transaction: &Transaction<'_>, tenant: &Tenant) -> Result<Self, StoreError> {
        transaction.execute(
            "INSERT INTO tenants (id, name) SELECT 1 + max(
                 (SELECT coalesce(max(id), 0) FROM tenants),
                 (SELECT coalesce(max(tenant), 0) FROM spans),
                 (SELECT coalesce(max(tenant), 0) FROM entries)), ?1",
            [tenant.as_str()],
        )?;
        Ok(Self { id: transaction.last_insert_rowid(), taken: 0, bytes: 0, open: None })
    }

    /// Notes entries that were stored, the first with this number.
    pub(super) fn add(
        &mut self,
        transaction: &Transaction<'_>,
        first: i64,
        count: i64,
        bytes: i64,
    ) -> Result<(), StoreError> {
        let grown = match &mut self.open {
            Some(span) if span.last + 1 == first && span.len() < LONG => {
                (span.last, span.bytes) = (span.last + count, span.bytes + bytes);
                let changed = transaction
                    .prepare_cached(
                        "UPDATE spans SET last = ?3, bytes = ?4 WHERE tenant = ?1 AND nth = ?2",
                    )?
                    .execute((self.id, span.nth, span.last, span.bytes))?;
                changed > 0
            }
            _ => false,
        };
        if !grown {
            let span = Span { nth: self.taken + 1, first, last: first + count - 1, bytes };
            insert(transaction, self.id, span)?;
            self.open = Some(span);
        }
        self.taken += count;
        self.bytes += bytes;
        transaction
            .prepare_cached("UPDATE tenants SET taken = ?2 WHERE id = ?1")?
            .execute((self.id, self.taken))?;
        Ok(())
    }

    /// Its entries up to this number were deleted.
    pub(super) fn forget(&mut self, connection: &Connection, freed: i64) -> Result<(), StoreError> {
        self.bytes = (self.bytes - freed).max(0);
        self.open = last(connection, self.id)?;
        Ok(())
    }
}

/// The ids of tenants that have entries, or have spans, and no name.
pub(super) fn nameless(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut ids = Vec::new();
    for table in ["spans", "entries"] {
        // One step of an index for each tenant.
        let mut statement = connection.prepare(&format!(
            "WITH RECURSIVE owners (id) AS (
                 SELECT min(tenant) FROM {table}
                 UNION ALL
                 SELECT (SELECT min(tenant) FROM {table} WHERE tenant > id) FROM owners
                 WHERE id IS NOT NULL)
             SELECT id FROM owners WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM tenants)"
        ))?;
        let rows = statement.query_map([], |row| row.get(0))?;
        ids.extend(rows.collect::<Result<Vec<i64>, _>>()?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn insert(transaction: &Transaction<'_>, tenant: i64, span: Span) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO spans (tenant, nth, first, last, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((tenant, span.nth, span.first, span.last, span.bytes))?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Span> {
    Ok(Span { nth: row.get(0)?, first: row.get(1)?, last: row.get(2)?, bytes: row.get(3)? })
}

fn last(connection: &Connection, tenant: i64) -> Result<Option<Span>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT nth, first, last, bytes FROM spans WHERE tenant = ?1 ORDER BY nth DESC LIMIT 1",
        )?
        .query_row([tenant], read)
        .optional()?)
}

/// The oldest span of a tenant that has an entry after this number.
pub(super) fn oldest(
    connection: &Connection,
    tenant: i64,
    after: i64,
) -> Result<Option<Span>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT nth, first, last, bytes FROM spans WHERE tenant = ?1 AND last > ?2
             ORDER BY nth LIMIT 1",
        )?
        .query_row([tenant, after], read)
        .optional()?)
}

/// The number in the store of the first entry after another one, as the spans know it.
pub(super) fn first(connection: &Connection, after: i64) -> Result<Option<i64>, StoreError> {
    let first = connection
        .prepare_cached(
            "SELECT first FROM spans INDEXED BY spans_by_first WHERE last > ?1
             ORDER BY first LIMIT 1",
        )?
        .query_row([after], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(first.map(|first| first.max(after + 1)))
}

/// The spans of a tenant from its `nth` entry on, at most so many.
pub(super) fn from(
    connection: &Connection,
    tenant: i64,
    nth: i64,
    most: usize,
) -> Result<Vec<Span>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT nth, first, last, bytes FROM spans WHERE tenant = ?1 AND nth >= coalesce(
             (SELECT max(nth) FROM spans WHERE tenant = ?1 AND nth <= ?2), 0)
         ORDER BY nth LIMIT ?3",
    )?;
    let rows = statement.query_map((tenant, nth, i64::try_from(most).unwrap_or(1)), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The number among its tenant's of an entry that is there.
pub(super) fn nth_of(connection: &Connection, tenant: i64, seq: i64) -> Result<i64, StoreError> {
    let find = |sql: &str| -> Result<Option<i64>, StoreError> {
        let span = connection.prepare_cached(sql)?.query_row([tenant, seq], read).optional()?;
        let span = span.filter(|span| seq <= span.last);
        Ok(span.map(|span| span.nth + (seq - span.first)))
    };
    let found = match find(
        "SELECT nth, first, last, bytes FROM spans INDEXED BY spans_by_first
         WHERE ?1 > 0 AND first <= ?2 ORDER BY first DESC LIMIT 1",
    ) {
        // The index is damaged: the table knows it as well.
        Err(error) if error.is_damage() => find(
            "SELECT nth, first, last, bytes FROM spans NOT INDEXED
             WHERE tenant = ?1 AND first <= ?2 ORDER BY nth DESC LIMIT 1",
        )?,
        found => found?,
    };
    found.ok_or_else(|| StoreError::Corrupt("an entry is in no span".to_owned()))
}

/// The number in the store of a tenant's `nth` entry; where that was deleted, with all before it, one below
/// those that are left.
pub(super) fn seq_of(connection: &Connection, tenant: i64, nth: i64) -> Result<i64, StoreError> {
    let span = from(connection, tenant, nth, 1)?.pop();
    Ok(span.map_or(0, |span| {
        span.first.saturating_add(nth - span.nth).clamp(span.first - 1, span.last)
    }))
}

/// A tenant's row: its id, and how many entries it ever had.
pub(super) fn tenant(
    connection: &Connection,
    tenant: &Tenant,
) -> Result<Option<(i64, i64)>, StoreError> {
    let find = |places: &str| -> Result<Option<(i64, i64)>, StoreError> {
        Ok(connection
            .prepare_cached(&format!("SELECT id, taken FROM tenants {places} WHERE name = ?1"))?
            .query_row([tenant.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    };
    match find("INDEXED BY sqlite_autoindex_tenants_1") {
        // The index is damaged: the table knows it as well.
        Err(error) if error.is_damage() => find("NOT INDEXED"),
        found => found,
    }
}

/// Takes the entries of a range out of the spans, of one tenant or of all; gives what each tenant's
/// took up.
pub(super) fn cut(
    transaction: &Transaction<'_>,
    only: Option<i64>,
    range: (i64, i64),
) -> Result<HashMap<i64, i64>, StoreError> {
    let mut statement = transaction.prepare_cached(match only {
        Some(_) => {
            "SELECT nth, first, last, bytes, tenant FROM spans WHERE tenant = ?1 ORDER BY nth"
        }
        None => {
            "SELECT nth, first, last, bytes, tenant FROM spans INDEXED BY spans_by_first
             WHERE ?1 IS NULL ORDER BY first"
        }
    })?;
    // Those before the range are few: only what could not be deleted stays behind.
    let mut rows = statement.query([only])?;
    let mut met: Vec<(Span, i64)> = Vec::new();
    while let Some(row) = rows.next()? {
        let span = read(row)?;
        if span.first > range.1 {
            break;
        }
        if span.last >= range.0 {
            met.push((span, row.get(4)?));
        }
    }
    drop(rows);
    let mut freed = HashMap::new();
    for (span, tenant) in met {
        transaction
            .prepare_cached("DELETE FROM spans WHERE tenant = ?1 AND nth = ?2")?
            .execute((tenant, span.nth))?;
        let mut left = 0;
        for part in span.without(range).into_iter().flatten() {
            insert(transaction, tenant, part)?;
            left += part.bytes;
        }
        *freed.entry(tenant).or_insert(0) += span.bytes - left;
    }
    Ok(freed)
}

/// Makes the spans of entries that have none: of those of an older version, and of a copy.
pub(super) fn fill(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let mut owners: HashMap<i64, Owner> =
        Owner::load(transaction)?.into_values().map(|owner| (owner.id, owner)).collect();
    let mut statement = transaction.prepare(
        "SELECT seq, tenant, length(payload) + 2 * octet_length(node)
             FROM entries NOT INDEXED ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    let mut run: Option<(i64, Span)> = None;
    loop {
        let next = match rows.next()? {
            Some(row) => {
                Some((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            }
            None => None,
        };
        if let (Some((tenant, span)), Some((seq, of, bytes))) = (&mut run, next)
            && *tenant == of
            && span.last + 1 == seq
            && span.len() < LONG
        {
            (span.last, span.bytes) = (seq, span.bytes + bytes + AROUND);
            continue;
        }
        if let Some((tenant, span)) = run.take()
            && let Some(owner) = owners.get_mut(&tenant)
        {
            owner.add(transaction, span.first, span.len(), span.bytes)?;
        }
        let Some((seq, tenant, bytes)) = next else { return Ok(()) };
        run = Some((tenant, Span { nth: 0, first: seq, last: seq, bytes: bytes + AROUND }));
    }
}
