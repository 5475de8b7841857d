//! A part of the entries, in the order of their time, and where to go on.

use logflux_wire::query::{Order, Query, QueryError};
use logflux_wire::{Entry, Level, Node, Timestamp};

/// Which entries are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageRequest {
    /// The earliest timestamp, itself included.
    pub from: Option<Timestamp>,
    /// The latest timestamp, itself not included.
    pub to: Option<Timestamp>,
    /// The least severe level.
    pub level: Option<Level>,
    /// The sender, exactly.
    pub node: Option<Node>,
    /// By [`Position`], which end first.
    pub order: Order,
    /// The position of the last entry of the page before.
    pub after: Option<Position>,
    /// How many entries at most.
    pub limit: usize,
    /// The page ends after the entry with which it reaches this many bytes of JSON, about.
    pub bytes: usize,
}

impl PageRequest {
    /// What a query asks, in pages of about `bytes`.
    ///
    /// # Errors
    /// [`QueryError`] for a cursor that this server has not given out.
    pub fn new(query: Query, bytes: usize) -> Result<Self, QueryError> {
        let after = query.cursor.as_deref().map(Position::from_cursor).transpose()?;
        Ok(Self {
            from: query.from,
            to: query.to,
            level: query.level,
            node: query.node,
            order: query.order,
            after,
            limit: query.limit,
            bytes,
        })
    }
}

/// A part of the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The entries, in the order that was asked for.
    pub entries: Vec<Entry>,
    /// The position of the last one, where there are more after it.
    pub next: Option<Position>,
    /// How many entries among them could not be read.
    pub damaged: u64,
}

/// An entry's place: its time, and among equal times the order in which they came. It tells nothing of other
/// tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The entry's timestamp.
    pub timestamp: Timestamp,
    /// The entry's number among its tenant's, which grows from 1.
    pub nth: i64,
}

impl Position {
    /// The position as a cursor: 41 characters that mean nothing to a client.
    #[must_use]
    pub fn to_cursor(self) -> String {
        let seconds = self.timestamp.unix_seconds().cast_unsigned();
        let nanoseconds = self.timestamp.nanoseconds();
        format!("2{seconds:016x}{nanoseconds:08x}{:016x}", self.nth.cast_unsigned())
    }

    /// Reads a cursor.
    ///
    /// # Errors
    /// [`QueryError::Value`] for what [`to_cursor`](Self::to_cursor) does not write.
    pub fn from_cursor(cursor: &str) -> Result<Self, QueryError> {
        let read = || {
            let number = |range| u64::from_str_radix(cursor.get(range)?, 16).ok();
            let seconds = number(1..17)?.cast_signed();
            let nanoseconds = u32::try_from(number(17..25)?).ok()?;
            let timestamp = Timestamp::from_unix(seconds, nanoseconds).ok()?;
            let position = Self { timestamp, nth: number(25..41)?.cast_signed() };
            (position.nth > 0 && position.to_cursor() == cursor).then_some(position)
        };
        read().ok_or_else(|| QueryError::Value {
            name: "cursor",
            reason: "it is none that this server has given out".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_position() {
        for timestamp in [Timestamp::MIN, Timestamp::MAX, "1969-12-31T23:59:59.5Z".parse().unwrap()]
        {
            for nth in [1, 77, i64::MAX] {
                let position = Position { timestamp, nth };
                let cursor = position.to_cursor();
                assert_eq!(cursor.len(), 41);
                assert_eq!(Position::from_cursor(&cursor), Ok(position));
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let good = Position { timestamp: Timestamp::MIN, nth: 1 }.to_cursor();
        let mut bad: Vec<String> =
            ["", "2", "x", "é", "'; DROP TABLE entries"].map(String::from).into();
        bad.extend([format!("{good}0"), good.to_uppercase(), format!("1{}", &good[1..])]);
        bad.push("2".to_owned() + &"f".repeat(40));
        bad.extend(
            [0, -1, i64::MIN].map(|nth| Position { timestamp: Timestamp::MIN, nth }.to_cursor()),
        );
        bad.push("2+".to_owned() + &"0".repeat(39));
        for cursor in bad {
            assert!(Position::from_cursor(&cursor).is_err(), "{cursor}");
        }
    }
}
