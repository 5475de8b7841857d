//! What has come after an entry, in the order in which it came.

use logflux_wire::Level;
use rusqlite::{Connection, Transaction, named_params};

use super::reader::json_len;
use super::row::{COLUMNS, read_entry};
use super::spans;
use crate::store::{Since, SinceRequest, StoreError};
use crate::tenant::Tenant;

/// How many spans are read at once.
const SPANS: usize = 100;

/// How much of the store one look walks over at most, and about how many bytes of JSON it gives.
const SINCE_WALKED: i64 = 5_000;
const SINCE_BYTES: usize = 128 << 10;

/// Reads what has come after an entry, over a bounded part of the tenant's. What is damaged is told,
/// and passed over.
pub(super) fn read_since(
    connection: &mut Connection,
    tenant: &Tenant,
    request: &SinceRequest,
    damaged: &mut dyn FnMut(StoreError),
) -> Result<Since, StoreError> {
    let snapshot = connection.transaction()?;
    let Some((id, taken)) = spans::tenant(&snapshot, tenant)? else { return Ok(Since::default()) };
    let after = request.after.clamp(0, taken);
    let mut since = Since { upto: taken, ..Since::default() };
    let mut walk = Walk {
        sql: format!(
            "SELECT {COLUMNS} FROM entries NOT INDEXED
             WHERE seq BETWEEN :from AND :upto AND tenant = :tenant AND level <= :level
               AND (:node IS NULL OR node = :node) ORDER BY seq LIMIT :upto - :from + 1"
        ),
        tenant: id,
        request,
        bytes: 0,
    };
    let mut left = SINCE_WALKED;
    let spans = spans::from(&snapshot, id, after + 1, SPANS)?;
    let all = spans.len() < SPANS;
    let mut reached = after;
    for span in spans {
        let first = span.nth.max(after + 1);
        let from = span.first + (first - span.nth);
        let upto = span.last.min(from + left - 1);
        if from > upto {
            reached = reached.max(span.nth + (span.last - span.first));
            continue;
        }
        let number = |seq: i64| span.nth + (seq - span.first);
        if let Some(seq) = walk.range(&snapshot, (from, upto), number, &mut since, damaged)? {
            since.upto = number(seq);
            return Ok(since);
        }
        reached = number(upto);
        left -= upto - from + 1;
        if left == 0 {
            since.upto = reached;
            return Ok(since);
        }
    }
    if !all {
        since.upto = reached;
    }
    Ok(since)
}

/// A walk over rows.
struct Walk<'a> {
    sql: String,
    tenant: i64,
    request: &'a SinceRequest,
    bytes: usize,
}

impl Walk<'_> {
    /// Walks over a range; gives where it stopped, if before its end.
    fn range(
        &mut self,
        snapshot: &Transaction<'_>,
        (from, upto): (i64, i64),
        number: impl Fn(i64) -> i64,
        since: &mut Since,
        damaged: &mut dyn FnMut(StoreError),
    ) -> Result<Option<i64>, StoreError> {
        let next = match self.rows(snapshot, (from, upto), &number, since, damaged) {
            Ok(stopped) => return Ok(stopped),
            Err((next, error)) if error.is_damage() => next,
            Err((_, error)) => return Err(error),
        };
        // A page is damaged: each row by itself, so that the others are given.
        for seq in next..=upto {
            match self.rows(snapshot, (seq, seq), &number, since, damaged) {
                Ok(None) => {}
                Ok(stopped) => return Ok(stopped),
                Err((_, error)) if error.is_damage() => {
                    since.damaged += 1;
                    damaged(error);
                }
                Err((_, error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// As [`range`](Self::range), up to the first row that cannot be read: with the error comes its
    /// number.
    fn rows(
        &mut self,
        snapshot: &Transaction<'_>,
        (from, upto): (i64, i64),
        number: &impl Fn(i64) -> i64,
        since: &mut Since,
        damaged: &mut dyn FnMut(StoreError),
    ) -> Result<Option<i64>, (i64, StoreError)> {
        let mut reached = from;
        let fail = |at: i64| move |error: rusqlite::Error| (at, StoreError::from(error));
        let mut statement = snapshot.prepare_cached(&self.sql).map_err(fail(from))?;
        let mut rows = statement
            .query(named_params! {
                ":from": from, ":upto": upto, ":tenant": self.tenant,
                ":level": self.request.level.map_or(8, Level::number),
                ":node": self.request.node.as_ref().map(|node| node.as_str()),
            })
            .map_err(fail(from))?;
        while let Some(row) = rows.next().map_err(fail(reached))? {
            let seq: i64 = row.get(0).map_err(fail(reached))?;
            reached = seq + 1;
            match read_entry(row) {
                Ok(entry) => {
                    self.bytes += json_len(&entry);
                    since.entries.push((number(seq), entry));
                }
                Err(error) if error.is_damage() => {
                    since.damaged += 1;
                    damaged(error);
                }
                Err(error) => return Err((seq, error)),
            }
            if self.bytes >= SINCE_BYTES {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }
}
