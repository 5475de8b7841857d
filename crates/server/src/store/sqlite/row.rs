//! From an entry to a row and back.

use logflux_wire::{Entry, Level, Mode, Node, Payload, Timestamp};
use rusqlite::Row;

use crate::store::StoreError;

/// The columns that make an entry, in the order in which [`read_entry`] reads them.
pub(super) const COLUMNS: &str = "seq, node, level, seconds, nanoseconds, mode, iv, salt, payload";

/// Reads an entry. Its types check every column again, so that a damaged row is an error and never
/// an entry.
pub(super) fn read_entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    let seq = row.get(0)?;
    let damaged = |column| StoreError::Damaged { seq, column };
    let node = Node::new(row.get::<_, String>(1)?).map_err(|_| damaged("node"))?;
    let level = Level::from_number(number(row, 2)?).map_err(|_| damaged("level"))?;
    let nanoseconds = u32::try_from(number(row, 4)?).map_err(|_| damaged("nanoseconds"))?;
    let timestamp =
        Timestamp::from_unix(row.get(3)?, nanoseconds).map_err(|_| damaged("seconds"))?;
    let mode = Mode::from_number(number(row, 5)?).map_err(|_| damaged("mode"))?;
    let iv: [u8; 12] =
        row.get_ref(6)?.as_blob().ok().and_then(|b| b.try_into().ok()).ok_or(damaged("iv"))?;
    let salt: [u8; 32] =
        row.get_ref(7)?.as_blob().ok().and_then(|b| b.try_into().ok()).ok_or(damaged("salt"))?;
    let payload = Payload::new(row.get(8)?).map_err(|_| damaged("payload"))?;
    Entry::new(node, payload, level, timestamp, mode, iv.into(), salt.into())
        .map_err(|_| damaged("payload"))
}

/// A number that is not negative; a negative one becomes one that no column may have.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(u64::MAX))
}
