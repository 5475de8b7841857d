//! Who has sent entries, and where to go on.

use logflux_wire::Timestamp;
use logflux_wire::limits::NODE_MAX_CHARS;
use logflux_wire::nodes::{NodeSummary, NodesQuery};
use logflux_wire::query::QueryError;

/// Which nodes are wanted: those with entries in a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodesRequest {
    /// The earliest timestamp, itself included.
    pub from: Option<Timestamp>,
    /// The latest timestamp, itself not included.
    pub to: Option<Timestamp>,
    /// What the last node of the page before is in bytes: it need not be there any more.
    pub after: Option<Vec<u8>>,
}

impl NodesRequest {
    /// What a query asks.
    ///
    /// # Errors
    /// [`QueryError`] for a cursor that this server has not given out.
    pub fn new(query: &NodesQuery) -> Result<Self, QueryError> {
        let after = query.cursor.as_deref().map(from_cursor).transpose()?;
        Ok(Self { from: query.from, to: query.to, after })
    }
}

/// A part of the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nodes {
    /// By name.
    pub nodes: Vec<NodeSummary>,
    /// The name of the last one, where there are more after it.
    pub next: Option<String>,
}

impl Nodes {
    /// Where to go on.
    #[must_use]
    pub fn cursor(&self) -> Option<String> {
        self.next.as_deref().map(|node| to_cursor(node.as_bytes()))
    }
}

/// The most bytes of a name.
const LONGEST: usize = 4 * NODE_MAX_CHARS;

/// A name as a cursor: its bytes in hexadecimal, which mean nothing to a client.
fn to_cursor(node: &[u8]) -> String {
    node.iter().fold("1".to_owned(), |cursor, byte| cursor + &format!("{byte:02x}"))
}

/// Any bytes are a place among the names, so that every cursor of this form is good.
fn from_cursor(cursor: &str) -> Result<Vec<u8>, QueryError> {
    let read = || {
        let digits = cursor.strip_prefix('1').filter(|digits| digits.is_ascii())?;
        let bytes = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
            .collect::<Option<Vec<u8>>>()?;
        ((1..=LONGEST).contains(&bytes.len()) && to_cursor(&bytes) == cursor).then_some(bytes)
    };
    read().ok_or_else(|| QueryError::Value {
        name: "cursor",
        reason: "this server has not given it out".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_node() {
        for node in ["a", "bär 01", "\u{10ffff}"] {
            assert_eq!(from_cursor(&to_cursor(node.as_bytes())).unwrap(), node.as_bytes());
        }
        for cursor in ["", "1", "2", "2ff", "x", "1f", "1é", "1+1", "161 ", "1C3A4"] {
            assert!(from_cursor(cursor).is_err(), "{cursor}");
        }
    }
}
