//! What `GET /v1/entries` is asked (PROTOCOL 7).

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::level::Level;
use crate::limits::{QUERY_DEFAULT, QUERY_MAX};
use crate::node::Node;
use crate::pairs;
use crate::response::Status;
use crate::timestamp::Timestamp;

/// Which entries are wanted, and how many at a time. The default is the newest 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The earliest timestamp, itself included.
    pub from: Option<Timestamp>,
    /// The latest timestamp, itself not included.
    pub to: Option<Timestamp>,
    /// The least severe level: `error` gives emergency, alert, critical and error.
    pub level: Option<Level>,
    /// The sender, exactly.
    pub node: Option<Node>,
    /// How many entries at most, 1 to 1,000.
    pub limit: usize,
    /// By timestamp, which end first.
    pub order: Order,
    /// Where the page before this one ended, as that answer said.
    pub cursor: Option<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            from: None,
            to: None,
            level: None,
            node: None,
            limit: QUERY_DEFAULT,
            order: Order::default(),
            cursor: None,
        }
    }
}

/// Which end of the time comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Order {
    /// `asc`: the oldest first.
    #[cfg_attr(feature = "openapi", schema(rename = "asc"))]
    Ascending,
    /// `desc`: the newest first, the default.
    #[cfg_attr(feature = "openapi", schema(rename = "desc"))]
    #[default]
    Descending,
}

impl Order {
    /// `asc` or `desc`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

impl FromStr for Order {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        match text {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(QueryError::Value { name: "order", reason: "it must be asc or desc".into() }),
        }
    }
}

impl Query {
    /// Reads the decoded pairs of a query string.
    ///
    /// # Errors
    /// [`QueryError`] for an unknown or repeated parameter, or a value that breaks its rule.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let names = &["from", "to", "level", "node", "limit", "order", "cursor"];
        pairs::read(pairs, names, |name, value| {
            match name {
                "from" => query.from = Some(pairs::value(name, value)?),
                "to" => query.to = Some(pairs::value(name, value)?),
                "level" => query.level = Some(pairs::value(name, value)?),
                "node" => query.node = Some(pairs::value(name, value)?),
                "order" => query.order = value.parse()?,
                "limit" => query.limit = pairs::within(name, value, 1..=QUERY_MAX)?,
                _ => query.cursor = Some(value.to_owned()),
            }
            Ok(())
        })?;
        Ok(query)
    }

    /// The pairs of the query string; what is at its default is left out, but for the limit.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("limit", self.limit.to_string())];
        pairs.extend(self.from.map(|from| ("from", from.to_string())));
        pairs.extend(self.to.map(|to| ("to", to.to_string())));
        pairs.extend(self.level.map(|level| ("level", level.number().to_string())));
        pairs.extend(self.node.as_ref().map(|node| ("node", node.to_string())));
        if self.order != Order::default() {
            pairs.push(("order", self.order.name().to_owned()));
        }
        pairs.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs
    }
}

/// Why a query is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A parameter that this call does not have.
    #[error("unknown query parameter {name:?}: there are {}", .names.join(", "))]
    Unknown {
        /// Its name, cut to 64 characters.
        name: String,
        /// The names that there are.
        names: &'static [&'static str],
    },
    /// A value that breaks its rule, or stands twice.
    #[error("query parameter {name}: {reason}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// The answer to a query in JSON. (As NDJSON it is an entry a line, and the cursor is in the header
/// `X-Next-Cursor`.)
#[derive(Debug, Serialize, Deserialize)]
pub struct QueryResponse<'a> {
    /// `success`.
    pub status: Status,
    /// The request's own name, `req_…`.
    pub request_id: String,
    /// The entries.
    #[serde(borrow)]
    pub data: QueryPage<'a>,
}

/// One page of entries, each the seven fields that were sent.
#[derive(Debug, Serialize, Deserialize)]
pub struct QueryPage<'a> {
    /// The entries in the order that was asked for.
    #[serde(borrow)]
    pub entries: Vec<&'a RawValue>,
    /// Where to go on; `null` where this is the last page.
    pub cursor: Option<String>,
}

/// The header of an NDJSON answer that says where to go on.
pub const NEXT_CURSOR_HEADER: &str = "x-next-cursor";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let query = Query {
            from: Some("2024-01-17T10:30:45.120Z".parse().unwrap()),
            to: Some("2024-01-18T00:00:00Z".parse().unwrap()),
            level: Some(Level::Error),
            node: Some("bär 01".parse().unwrap()),
            limit: 7,
            order: Order::Ascending,
            cursor: Some("c".to_owned()),
        };
        for query in [query, Query::default()] {
            let pairs = query.to_pairs();
            let borrowed = pairs.iter().map(|(name, value)| (*name, value.as_str()));
            assert_eq!(Query::from_pairs(borrowed), Ok(query));
        }
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        for (pairs, name) in [
            (vec![("limit", "0")], "limit"),
            (vec![("limit", "1001")], "limit"),
            (vec![("order", "up")], "order"),
            (vec![("from", "yesterday")], "from"),
            (vec![("level", "9")], "level"),
            (vec![("node", "")], "node"),
            (vec![("limit", "1"), ("limit", "1")], "limit"),
            (vec![("nodes", "x")], "nodes"),
        ] {
            let error = Query::from_pairs(pairs).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
