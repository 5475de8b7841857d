//! How entries are deleted: in steps, each a transaction.
//!
//! Where a step meets damage, it is halved until what cannot be deleted stands alone. That stays, is
//! told, and holds back nothing else.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::appending::Appending;
use super::spans;
use super::tally::Tally;
use crate::store::StoreError;

/// What a step has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deleted {
    /// How many entries are gone.
    pub(super) entries: u64,
    /// How many are damaged, and stay.
    pub(super) stuck: u64,
    /// Up to which number all are gone or damaged, of those that were to be deleted.
    pub(super) upto: i64,
}

/// How much a step deletes at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub(super) entries: usize,
    /// Of payloads, about.
    pub(super) bytes: i64,
}

type Tell<'a> = &'a mut dyn FnMut(StoreError);

impl Appending {
    /// Deletes the oldest entries of a range, and what is known of them.
    pub(super) fn delete_oldest(
        &mut self,
        (from, upto): (i64, i64),
        most: Most,
        damaged: Tell<'_>,
    ) -> Result<Deleted, StoreError> {
        self.delete_beginning(None, (from, upto), most, damaged)
    }

    /// Deletes the oldest entries of the tenant that has most.
    pub(super) fn delete_of_largest(
        &mut self,
        most: Most,
        damaged: Tell<'_>,
    ) -> Result<Deleted, StoreError> {
        let largest = self.tenants.values().max_by_key(|owner| (owner.bytes, owner.id));
        let Some(tenant) = largest.map(|owner| owner.id) else { return Ok(Deleted::default()) };
        let passed = self.stuck.get(&tenant).copied().unwrap_or(0);
        let Some(span) = spans::oldest(&self.connection, tenant, passed)? else {
            return Ok(Deleted::default());
        };
        let range = (span.first.max(passed + 1), span.last);
        let deleted = self.delete_beginning(Some(tenant), range, most, damaged)?;
        if deleted.stuck > 0 {
            self.stuck.insert(tenant, deleted.upto);
        }
        Ok(deleted)
    }

    fn delete_beginning(
        &mut self,
        tenant: Option<i64>,
        (from, upto): (i64, i64),
        most: Most,
        damaged: Tell<'_>,
    ) -> Result<Deleted, StoreError> {
        let range = match step_end(&self.connection, (from, upto), most) {
            // Where nothing of it is left, the range as a whole is gone.
            Ok(end) => (from, end.unwrap_or(upto)),
            // Where the entries begin is known all the same.
            Err(error) if error.is_damage() => {
                let from = spans::first(&self.connection, from - 1)?.unwrap_or(from);
                let entries = i64::try_from(most.entries).unwrap_or(1);
                (from, upto.min(from.saturating_add(entries - 1)))
            }
            Err(error) => return Err(error),
        };
        self.delete(tenant, range, damaged)
    }

    /// Deletes a range; where it meets damage its halves, each in a transaction of its own, since
    /// SQLite does nothing more in one that has met damage.
    fn delete(
        &mut self,
        tenant: Option<i64>,
        (from, end): (i64, i64),
        damaged: Tell<'_>,
    ) -> Result<Deleted, StoreError> {
        match self.transact(tenant, (from, end)) {
            Ok(entries) => Ok(Deleted { entries, stuck: 0, upto: end }),
            Err(error) if error.is_damage() && from < end => {
                let middle = from.midpoint(end);
                let first = self.delete(tenant, (from, middle), damaged)?;
                let second = self.delete(tenant, (middle + 1, end), damaged)?;
                Ok(Deleted {
                    entries: first.entries + second.entries,
                    stuck: first.stuck + second.stuck,
                    upto: end,
                })
            }
            Err(error) if error.is_damage() => {
                damaged(error);
                Ok(Deleted { entries: 0, stuck: 1, upto: end })
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes the entries of a range, and what is known of them, in one transaction.
    fn transact(
        &mut self,
        tenant: Option<i64>,
        (from, end): (i64, i64),
    ) -> Result<u64, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let deleted = delete_rows(&transaction, (from, end))?;
        let freed = spans::cut(&transaction, tenant, (from, end))?;
        let gone = self.identities.delete_runs(&transaction, (tenant.map_or(0, |_| from), end))?;
        transaction.commit()?;
        self.identities.forget_runs(&gone);
        self.forget(&freed)?;
        forget_notes(&self.connection)?;
        Ok(deleted)
    }

    /// So many bytes of tenants were deleted.
    fn forget(&mut self, freed: &HashMap<i64, i64>) -> Result<(), StoreError> {
        for owner in self.tenants.values_mut() {
            if let Some(freed) = freed.get(&owner.id) {
                owner.forget(&self.connection, *freed)?;
            }
        }
        Ok(())
    }
}

fn delete_rows(transaction: &Transaction<'_>, range: (i64, i64)) -> Result<u64, StoreError> {
    Tally::of_rows(transaction, range)?.delete(transaction)?;
    let deleted = transaction
        .prepare_cached("DELETE FROM entries WHERE seq BETWEEN ?1 AND ?2")?
        .execute(range)?;
    Ok(deleted as u64)
}

/// Deletes the notes of arrivals before the oldest entry.
fn forget_notes(connection: &Connection) -> Result<(), StoreError> {
    let forgotten = connection
        .prepare_cached(
            "DELETE FROM arrivals WHERE seq < coalesce(
                 (SELECT seq FROM entries ORDER BY seq LIMIT 1),
                 (SELECT max(seq) FROM arrivals))",
        )
        .and_then(|mut statement| statement.execute([]));
    match forgotten.map_err(StoreError::from) {
        // Nobody knows the oldest entry: the notes stay, and cost little.
        Err(error) if error.is_damage() => Ok(()),
        forgotten => forgotten.map(drop),
    }
}

/// The last of at most so many entries of a range, with about so many bytes.
fn step_end(
    connection: &Connection,
    (from, upto): (i64, i64),
    most: Most,
) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, length(payload) FROM entries WHERE seq BETWEEN ?1 AND ?2
         ORDER BY seq LIMIT ?3",
    )?;
    let mut rows = statement.query((from, upto, i64::try_from(most.entries).unwrap_or(1)))?;
    let (mut end, mut bytes) = (None, 0);
    while let Some(row) = rows.next()?
        && bytes < most.bytes
    {
        end = Some(row.get(0)?);
        bytes += row.get::<_, i64>(1)?;
    }
    Ok(end)
}
