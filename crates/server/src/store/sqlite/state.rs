//! What the store knows of itself: which one it is, and what the time was.

use rusqlite::Connection;

use crate::store::StoreError;

/// What is known of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ClockState {
    /// The last time that was believed: milliseconds since 1970.
    pub(super) last: Option<i64>,
    /// Since when deletion by age is paused.
    pub(super) held: Option<i64>,
    /// The time at which an operator has confirmed the clock.
    pub(super) accepted: Option<i64>,
}

pub(super) fn clock(connection: &Connection) -> Result<ClockState, StoreError> {
    Ok(connection
        .prepare_cached("SELECT clock, held, accepted FROM state")?
        .query_row([], |row| {
            Ok(ClockState { last: row.get(0)?, held: row.get(1)?, accepted: row.get(2)? })
        })?)
}

/// Writes what is known; the operator's word is used up.
pub(super) fn set_clock(
    connection: &Connection,
    last: Option<i64>,
    held: Option<i64>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE state SET clock = ?1, held = ?2, accepted = NULL")?
        .execute((last, held))?;
    Ok(())
}

/// The incarnation that was drawn last, where one was.
pub(super) fn drawn(connection: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(connection.query_row("SELECT incarnation FROM state", [], |row| row.get(0))?)
}
