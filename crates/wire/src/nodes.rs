//! `GET /v1/nodes`: who has sent entries, how many, and from when to when.

use serde::{Deserialize, Serialize};

use crate::pairs;
use crate::query::QueryError;
use crate::response::Status;
use crate::timestamp::Timestamp;

/// The most nodes of an answer.
pub const NODES_MAX: usize = 1_000;

/// Which entries are looked at. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodesQuery {
    /// The earliest timestamp, itself included.
    pub from: Option<Timestamp>,
    /// The latest timestamp, itself not included.
    pub to: Option<Timestamp>,
    /// Where the page before this one ended, as that answer said.
    pub cursor: Option<String>,
}

impl NodesQuery {
    /// Reads the decoded pairs of a query string.
    ///
    /// # Errors
    /// [`QueryError`] for an unknown or repeated parameter, or a value that breaks its rule.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, QueryError> {
        let mut query = Self::default();
        pairs::read(pairs, &["from", "to", "cursor"], |name, value| {
            match name {
                "from" => query.from = Some(pairs::value(name, value)?),
                "to" => query.to = Some(pairs::value(name, value)?),
                _ => query.cursor = Some(value.to_owned()),
            }
            Ok(())
        })?;
        Ok(query)
    }

    /// The pairs of the query string; what is at its default is left out.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let from = self.from.map(|from| ("from", from.to_string()));
        let to = self.to.map(|to| ("to", to.to_string()));
        let cursor = self.cursor.clone().map(|cursor| ("cursor", cursor));
        [from, to, cursor].into_iter().flatten().collect()
    }
}

/// The answer.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Serialize, Deserialize)]
pub struct NodesResponse {
    /// `success`.
    pub status: Status,
    /// The request's own name, `req_…`.
    pub request_id: String,
    /// The nodes.
    pub data: NodesPage,
}

/// One page of nodes.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodesPage {
    /// By name, in the order of their bytes; at most 1,000.
    pub nodes: Vec<NodeSummary>,
    /// Where to go on; `null` where this is the last page.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub cursor: Option<String>,
}

/// What one node has sent, of the entries that are stored and were asked for.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSummary {
    /// Its name.
    pub node: String,
    /// How many entries.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub entries: u64,
    /// The bytes of their sealed payloads, decoded.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub bytes: u64,
    /// The earliest timestamp.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "date-time"))]
    pub first: Timestamp,
    /// The latest.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "date-time"))]
    pub last: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let query = NodesQuery {
            from: Some("2024-01-17T10:30:45.120Z".parse().unwrap()),
            to: Some("2024-01-18T00:00:00Z".parse().unwrap()),
            cursor: Some("c".to_owned()),
        };
        for query in [query, NodesQuery::default()] {
            let pairs = query.to_pairs();
            let borrowed = pairs.iter().map(|(name, value)| (*name, value.as_str()));
            assert_eq!(NodesQuery::from_pairs(borrowed), Ok(query));
        }
        let error = NodesQuery::from_pairs([("node", "a")]).unwrap_err().to_string();
        assert!(error.contains("\"node\"") && error.ends_with("from, to, cursor"), "{error}");
        assert!(NodesQuery::from_pairs([("from", "x")]).is_err());
        assert!(NodesQuery::from_pairs([("cursor", "x"), ("cursor", "x")]).is_err());
    }
}
