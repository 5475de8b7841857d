//! The connection that writes, and what must be known to write.

use std::collections::HashMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use logflux_wire::Entry;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::identities::{self, Identities};
use super::row::{COLUMNS, read_entry};
use super::schema;
use super::spans::{self, Owner};
use super::tally::Tally;
use crate::store::{Appended, StoreError};
use crate::tenant::Tenant;

/// How many buckets of a run of identities a transaction writes.
const PIECE: i64 = 256;

#[derive(Debug)]
pub(super) struct Appending {
    pub(super) connection: Connection,
    pub(super) identities: Identities,
    /// The tenants as they are durable.
    pub(super) tenants: HashMap<Tenant, Owner>,
    /// Up to which number the entries of a tenant are gone, or damaged so that they cannot be deleted.
    pub(super) stuck: HashMap<i64, i64>,
    /// The seq of the newest entry there ever was.
    newest: i64,
}

/// Entries of one request, or some of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) entries: &'a [Entry],
}

impl Appending {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = schema::open_writer(path)?;
        let identities = Identities::load(&mut connection)?;
        let newest = newest(&connection)?;
        let tenants = tenants(&connection)?;
        Ok(Self { connection, identities, tenants, stuck: HashMap::new(), newest })
    }

    /// Whether [`open`](Self::open) could read what it must. Nothing is changed.
    pub(super) fn check(connection: &mut Connection) -> Result<(), StoreError> {
        identities::check(connection)?;
        newest(connection)?;
        tenants(connection)?;
        Ok(())
    }

    pub(super) fn newest(&self) -> i64 {
        self.newest
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    #[cfg(test)]
    pub(super) fn identities(&mut self) -> &mut Identities {
        &mut self.identities
    }

    /// Writes a group as one transaction. The parts of a tenant stand together.
    pub(super) fn write(&mut self, group: &[Part<'_>]) -> Result<Vec<Vec<Appended>>, StoreError> {
        let result = write_group(self, group);
        match result {
            Ok((outcomes, newest, tenants)) => {
                self.identities.commit();
                self.newest = newest;
                self.tenants.extend(tenants);
                Ok(outcomes)
            }
            Err(error) => {
                self.identities.rollback();
                Err(error)
            }
        }
    }

    /// Writes a piece of a run of identities, where there is one to be written; whether there is more.
    pub(super) fn write_piece(&mut self) -> Result<bool, StoreError> {
        self.identities.turn(self.newest + 1);
        if !self.identities.is_writing() {
            return Ok(false);
        }
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = self.identities.write_piece(&transaction, PIECE);
        match written.and_then(|()| Ok(transaction.commit()?)) {
            Ok(()) => self.identities.commit(),
            Err(error) => {
                self.identities.rollback();
                return Err(error);
            }
        }
        Ok(self.identities.is_writing())
    }
}

/// The tenants, all of which must have their names.
fn tenants(connection: &Connection) -> Result<HashMap<Tenant, Owner>, StoreError> {
    let tenants = Owner::load(connection)?;
    match spans::nameless(connection) {
        Ok(ids) if ids.is_empty() => Ok(tenants),
        Ok(ids) => {
            let what = format!("the names of the tenants {ids:?} are lost");
            Err(StoreError::Corrupt(what))
        }
        // An index that is damaged stops nobody else.
        Err(error) if error.is_damage() => Ok(tenants),
        Err(error) => Err(error),
    }
}

/// The seq of the newest entry there ever was: what the store has noted, or an entry's where that is
/// higher.
pub(super) fn newest(connection: &Connection) -> Result<i64, StoreError> {
    match (noted(connection), highest(connection)) {
        (Ok(noted), Ok(highest)) => Ok(noted.max(highest)),
        // Where one of the two is damaged, the other is known.
        (Ok(known @ 1..), Err(error)) | (Err(error), Ok(known @ 1..)) if error.is_damage() => {
            Ok(known)
        }
        (noted, highest) => noted.and(highest),
    }
}

/// The seq that was given out last, as it is noted; 0 where none is.
pub(super) fn noted(connection: &Connection) -> Result<i64, StoreError> {
    let noted = connection
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'entries'", [], |row| row.get(0))
        .optional()?;
    Ok(noted.unwrap_or(0))
}

/// The highest seq of an entry; 0 where there is none.
pub(super) fn highest(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("SELECT coalesce(max(seq), 0) FROM entries", [], |row| row.get(0))?)
}

type Written = (Vec<Vec<Appended>>, i64, Vec<(Tenant, Owner)>);

fn write_group(appending: &mut Appending, group: &[Part<'_>]) -> Result<Written, StoreError> {
    let Appending { connection, identities, tenants, newest, .. } = appending;
    identities.turn(*newest + 1);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    identities.write_piece(&transaction, PIECE)?;
    let mut insertion =
        Insertion { transaction: &transaction, identities, received: now(), seq: *newest };
    let mut tally = Tally::default();
    let mut changed = Vec::new();
    let mut outcomes = Vec::with_capacity(group.len());
    for parts in group.chunk_by(|a, b| a.tenant == b.tenant) {
        let Some(Part { tenant, .. }) = parts.first() else { continue };
        let mut owner = match tenants.get(*tenant) {
            Some(owner) => owner.clone(),
            None => Owner::new(&transaction, tenant)?,
        };
        let (before, mut bytes) = (insertion.seq, 0);
        for Part { entries, .. } in parts {
            let mut of_part = Vec::with_capacity(entries.len());
            for entry in *entries {
                let outcome = insertion.insert(owner.id, entry)?;
                if outcome == Appended::Stored {
                    bytes += spans::AROUND + length(entry);
                    tally.add(owner.id, entry);
                }
                of_part.push(outcome);
            }
            outcomes.push(of_part);
        }
        if insertion.seq > before {
            owner.add(&transaction, before + 1, insertion.seq - before, bytes)?;
        }
        changed.push(((*tenant).clone(), owner));
    }
    let newest = insertion.seq;
    tally.write(&transaction)?;
    transaction.commit()?;
    Ok((outcomes, newest, changed))
}

/// The bytes of an entry that differ from one to the next. The node is in an index as well.
fn length(entry: &Entry) -> i64 {
    let bytes = entry.payload().as_bytes().len() + 2 * entry.node().as_str().len();
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// Writes a row.
pub(super) fn insert(
    connection: &Connection,
    seq: i64,
    tenant: i64,
    received: i64,
    entry: &Entry,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO entries
             (seq, tenant, node, level, seconds, nanoseconds, mode, iv, salt, received, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute((
            seq,
            tenant,
            entry.node().as_str(),
            entry.level().number(),
            entry.timestamp().unix_seconds(),
            entry.timestamp().nanoseconds(),
            entry.mode().number(),
            entry.iv().as_bytes(),
            entry.salt().as_bytes(),
            received,
            entry.payload().as_bytes(),
        ))?;
    Ok(())
}

struct Insertion<'a> {
    transaction: &'a Transaction<'a>,
    identities: &'a mut Identities,
    received: i64,
    seq: i64,
}

impl Insertion<'_> {
    fn insert(&mut self, tenant: i64, entry: &Entry) -> Result<Appended, StoreError> {
        let identity = self.identities.identity(tenant, entry.salt(), entry.iv());
        for seq in self.identities.find(self.transaction, identity)? {
            if let Some(appended) = self.compare(seq, tenant, entry)? {
                return Ok(appended);
            }
        }
        let seq = self.seq + 1;
        insert(self.transaction, seq, tenant, self.received, entry)?;
        self.identities.add(identity, seq);
        self.seq = seq;
        Ok(Appended::Stored)
    }

    /// What an entry is to the one in this row; nothing, where that has another identity or is
    /// deleted.
    fn compare(
        &self,
        seq: i64,
        tenant: i64,
        entry: &Entry,
    ) -> Result<Option<Appended>, StoreError> {
        let stored = self
            .transaction
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM entries WHERE seq = ?1 AND tenant = ?2 AND salt = ?3 AND iv = ?4"
            ))?
            .query_row((seq, tenant, entry.salt().as_bytes(), entry.iv().as_bytes()), |row| {
                Ok(read_entry(row))
            })
            .optional()?
            .transpose()?;
        Ok(stored.map(|stored| match stored == *entry {
            true => Appended::Duplicate,
            false => Appended::NonceReused,
        }))
    }
}

/// Writes one request's entries.
#[cfg(test)]
pub(super) fn write_alone(
    appending: &mut Appending,
    tenant: &Tenant,
    entries: &[Entry],
) -> Result<Vec<Appended>, StoreError> {
    let mut outcomes = appending.write(&[Part { tenant, entries }])?;
    Ok(outcomes.remove(0))
}
