//! Reads all entries of a tenant without an index, for where one is damaged. It takes long.

use rusqlite::Transaction;

use super::spans;
use crate::store::StoreError;

/// How many spans are read at once.
const SPANS: usize = 100;

/// Is told what is damaged.
pub(super) type Tell<'a> = &'a mut dyn FnMut(StoreError);

/// What the indexes know of an entry.
pub(super) struct Listed {
    pub(super) seq: i64,
    pub(super) seconds: i64,
    pub(super) nanoseconds: i64,
    pub(super) level: i64,
    pub(super) node: String,
    /// Of its payload.
    pub(super) bytes: i64,
}

impl Listed {
    /// Its time; nanoseconds that are damaged are at the end of the second.
    pub(super) fn moment(&self) -> (i64, u32) {
        (self.seconds, u32::try_from(self.nanoseconds).unwrap_or(u32::MAX))
    }
}

/// Hands on every entry. Those that cannot be read are told, and counted.
pub(super) fn entries(
    snapshot: &Transaction<'_>,
    tenant: i64,
    damaged: Tell<'_>,
    mut each: impl FnMut(Listed),
) -> Result<u64, StoreError> {
    let (mut lost, mut next) = (0, 1);
    loop {
        let spans = spans::from(snapshot, tenant, next, SPANS)?;
        for span in &spans {
            match rows(snapshot, tenant, (span.first, span.last)) {
                Err(error) if error.is_damage() => {}
                listed => {
                    listed?.into_iter().for_each(&mut each);
                    continue;
                }
            }
            // Each row by itself, so that one that cannot be read hides no other.
            for seq in span.first..=span.last {
                match rows(snapshot, tenant, (seq, seq)) {
                    Err(error) if error.is_damage() => {
                        lost += 1;
                        damaged(error);
                    }
                    listed => listed?.into_iter().for_each(&mut each),
                }
            }
        }
        match spans.last() {
            Some(last) if spans.len() == SPANS => next = last.nth + (last.last - last.first) + 1,
            _ => return Ok(lost),
        }
    }
}

fn rows(
    snapshot: &Transaction<'_>,
    tenant: i64,
    (from, upto): (i64, i64),
) -> Result<Vec<Listed>, StoreError> {
    let mut statement = snapshot.prepare_cached(
        "SELECT seq, seconds, nanoseconds, level, CAST(node AS BLOB), length(payload)
         FROM entries NOT INDEXED WHERE seq BETWEEN ?1 AND ?2 AND tenant = ?3",
    )?;
    let rows = statement.query_map((from, upto, tenant), |row| {
        Ok(Listed {
            seq: row.get(0)?,
            seconds: row.get(1)?,
            nanoseconds: row.get(2)?,
            level: row.get(3)?,
            node: String::from_utf8_lossy(row.get_ref(4)?.as_blob()?).into_owned(),
            bytes: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
