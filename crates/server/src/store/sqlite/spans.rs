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

    /// What is left of it without the entries up to `seq`.
    fn after(self, seq: i64) -> Option<Self> {
        let gone = (seq - self.first + 1).clamp(0, self.len());
        (gone < self.len()).then(|| Self {
            nth: self.nth + gone,
            first: self.first + gone,
            last: self.last,
            bytes: self.bytes / self.len() * (self.len() - gone),
        })
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

/// The oldest span of a tenant.
pub(super) fn oldest(connection: &Connection, tenant: i64) -> Result<Option<Span>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT nth, first, last, bytes FROM spans WHERE tenant = ?1 ORDER BY nth LIMIT 1",
        )?
        .query_row([tenant], read)
        .optional()?)
}

/// The number in the store of the first entry of all that are in a span.
pub(super) fn first(connection: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT min(first) FROM spans")?
        .query_row([], |row| row.get(0))?)
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

/// The number among its tenant's of an entry that is there. One that is in no span, since it could
/// not be deleted with those around it, has that of the one before it.
pub(super) fn nth_of(connection: &Connection, tenant: i64, seq: i64) -> Result<i64, StoreError> {
    let span = connection
        .prepare_cached(
            "SELECT nth, first, last, bytes FROM spans INDEXED BY spans_by_first
             WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
        )
        .and_then(|mut statement| statement.query_row([seq], read).optional())
        .map_err(StoreError::from);
    let nth = |span: Span| span.nth + (seq.min(span.last) - span.first);
    match span {
        Ok(Some(span)) if seq <= span.last => return Ok(nth(span)),
        Err(error) if !error.is_damage() => return Err(error),
        _ => {}
    }
    // The index is damaged: the table knows it as well.
    let span = connection
        .prepare_cached(
            "SELECT nth, first, last, bytes FROM spans NOT INDEXED
             WHERE tenant = ?1 AND first <= ?2 ORDER BY nth DESC LIMIT 1",
        )?
        .query_row([tenant, seq], read)
        .optional()?;
    Ok(span.map_or(1, nth))
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

/// Takes the entries up to `seq` out of the spans, of one tenant or of all; gives what each tenant's
/// took up.
pub(super) fn cut(
    transaction: &Transaction<'_>,
    only: Option<i64>,
    seq: i64,
) -> Result<HashMap<i64, i64>, StoreError> {
    let mut statement = transaction.prepare_cached(match only {
        Some(_) => {
            "SELECT nth, first, last, bytes, tenant FROM spans
             WHERE tenant = ?1 AND first <= ?2 ORDER BY nth LIMIT 1"
        }
        None => {
            "SELECT nth, first, last, bytes, tenant FROM spans INDEXED BY spans_by_first
             WHERE ?1 IS NULL AND first <= ?2"
        }
    })?;
    let rows = statement.query_map((only, seq), |row| Ok((read(row)?, row.get::<_, i64>(4)?)))?;
    let mut freed = HashMap::new();
    for (span, tenant) in rows.collect::<Result<Vec<_>, _>>()? {
        transaction
            .prepare_cached("DELETE FROM spans WHERE tenant = ?1 AND nth = ?2")?
            .execute((tenant, span.nth))?;
        let left = span.after(seq);
        if let Some(left) = left {
            insert(transaction, tenant, left)?;
        }
        *freed.entry(tenant).or_insert(0) += span.bytes - left.map_or(0, |left| left.bytes);
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
