//! The connection that writes, and what must be known to write.

use std::collections::HashMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use logflux_wire::Entry;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::identities::Identities;
use super::row::{COLUMNS, read_entry};
use super::schema;
use super::writer::Job;
use crate::store::{Appended, StoreError};
use crate::tenant::Tenant;

/// How many buckets of a run of identities a transaction writes.
const PIECE: i64 = 256;

#[derive(Debug)]
pub(super) struct Appending {
    connection: Connection,
    identities: Identities,
    /// The rows of `tenants` that are known to be durable.
    tenants: HashMap<Tenant, i64>,
    /// The seq of the newest entry there ever was.
    newest: i64,
}

impl Appending {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = schema::open_writer(path)?;
        let identities = Identities::load(&mut connection)?;
        let newest = connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'entries'", [], |row| {
                row.get(0)
            })
            .optional()?
            .unwrap_or(0);
        Ok(Self { connection, identities, tenants: HashMap::new(), newest })
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

    /// Writes a group as one transaction.
    pub(super) fn write(&mut self, group: &[Job]) -> Result<Vec<Vec<Appended>>, StoreError> {
        let result = write_group(self, group);
        match result {
            Ok((outcomes, newest)) => {
                self.identities.commit();
                self.newest = newest;
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

    /// Deletes the entries up to this seq, and what is known of them.
    pub(super) fn delete_upto(&mut self, seq: i64) -> Result<u64, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let deleted =
            transaction.prepare_cached("DELETE FROM entries WHERE seq <= ?1")?.execute([seq])?;
        transaction.prepare_cached("DELETE FROM arrivals WHERE seq <= ?1")?.execute([seq])?;
        self.identities.delete_before(&transaction, seq + 1)?;
        transaction.commit()?;
        self.identities.forget_before(seq + 1);
        Ok(deleted as u64)
    }
}

fn write_group(
    appending: &mut Appending,
    group: &[Job],
) -> Result<(Vec<Vec<Appended>>, i64), StoreError> {
    let Appending { connection, identities, tenants, newest } = appending;
    identities.turn(*newest + 1);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    identities.write_piece(&transaction, PIECE)?;
    let mut insertion =
        Insertion { transaction: &transaction, identities, received: now(), seq: *newest };
    let mut fresh = HashMap::new();
    let mut outcomes = Vec::with_capacity(group.len());
    for job in group {
        let tenant = match tenants.get(&job.tenant).or_else(|| fresh.get(&job.tenant)) {
            Some(id) => *id,
            None => {
                let id = tenant_id(&transaction, &job.tenant)?;
                fresh.insert(job.tenant.clone(), id);
                id
            }
        };
        let outcome = job.entries.iter().map(|entry| insertion.insert(tenant, entry));
        outcomes.push(outcome.collect::<Result<Vec<_>, _>>()?);
    }
    let newest = insertion.seq;
    transaction.commit()?;
    tenants.extend(fresh);
    Ok((outcomes, newest))
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(now).unwrap_or(i64::MAX)
}

fn tenant_id(transaction: &Transaction<'_>, tenant: &Tenant) -> Result<i64, StoreError> {
    let name = tenant.as_str();
    transaction.execute("INSERT INTO tenants (name) VALUES (?1) ON CONFLICT DO NOTHING", [name])?;
    let id =
        transaction.query_row("SELECT id FROM tenants WHERE name = ?1", [name], |row| row.get(0));
    Ok(id?)
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
        self.transaction
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
                self.received,
                entry.payload().as_bytes(),
            ))?;
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
    entries: Vec<Entry>,
) -> Result<Vec<Appended>, StoreError> {
    let mut outcomes = appending.write(&[super::writer::job(tenant, entries)])?;
    Ok(outcomes.remove(0))
}
