//! `GET /v1/counts`: how many entries there are, by time, level and node.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::node::Node;
use crate::pairs;
use crate::query::QueryError;
use crate::response::Status;
use crate::timestamp::Timestamp;

/// The most steps from `from` to `to`.
pub const STEPS_MAX: u64 = 11_000;

/// The most buckets of an answer.
pub const BUCKETS_MAX: usize = 100_000;

/// What is counted, and how finely. The default is all entries, by the minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountsQuery {
    /// The earliest timestamp, itself included.
    pub from: Option<Timestamp>,
    /// The latest timestamp, itself not included.
    pub to: Option<Timestamp>,
    /// How long a bucket lasts.
    pub step: Step,
    /// What is counted apart.
    pub by: By,
    /// The least severe level: `error` counts emergency, alert, critical and error.
    pub level: Option<Level>,
    /// The sender, exactly.
    pub node: Option<Node>,
}

impl Default for CountsQuery {
    fn default() -> Self {
        let (step, by) = (Step::MINUTE, By::default());
        Self { from: None, to: None, step, by, level: None, node: None }
    }
}

/// How long a bucket lasts: whole seconds, 1 to [`Step::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(i64);

impl Step {
    /// A minute, the default.
    pub const MINUTE: Self = Self(60);
    /// The longest: 366 days.
    pub const MAX: Self = Self(366 * 86_400);

    /// A step of so many seconds.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        (1..=Self::MAX.0).contains(&seconds).then_some(Self(seconds))
    }

    /// Its seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }
}

/// In the longest unit that is exact.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
        let exact = units.into_iter().find(|(unit, _)| self.0 % unit == 0);
        let (unit, name) = exact.unwrap_or((1, "s"));
        write!(f, "{}{name}", self.0 / unit)
    }
}

/// The most digits of a step as text.
const DIGITS: usize = 8;

impl FromStr for Step {
    type Err = StepError;

    fn from_str(text: &str) -> Result<Self, StepError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let seconds = match unit {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(StepError),
        };
        if !(1..=DIGITS).contains(&digits) || number.starts_with('0') {
            return Err(StepError);
        }
        let number: i64 = number.parse().map_err(|_| StepError)?;
        Self::from_seconds(number * seconds).ok_or(StepError)
    }
}

/// The text is not a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be a whole number and s, m, h or d, 1s to 366d, such as 60s, 5m, 1h or 1d")]
pub struct StepError;

/// What is counted apart beside the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct By {
    /// Each level.
    pub level: bool,
    /// Each node.
    pub node: bool,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.level, self.node) {
            (true, true) => "level,node",
            (true, false) => "level",
            (false, true) => "node",
            (false, false) => "",
        })
    }
}

impl FromStr for By {
    type Err = ByError;

    fn from_str(text: &str) -> Result<Self, ByError> {
        match text {
            "level" => Ok(Self { level: true, node: false }),
            "node" => Ok(Self { level: false, node: true }),
            "level,node" | "node,level" => Ok(Self { level: true, node: true }),
            _ => Err(ByError),
        }
    }
}

/// The text does not say what is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be level, node, or level,node")]
pub struct ByError;

impl CountsQuery {
    /// Reads the decoded pairs of a query string.
    ///
    /// # Errors
    /// [`QueryError`] for an unknown or repeated parameter, or a value that breaks its rule.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let names = &["from", "to", "step", "by", "level", "node"];
        pairs::read(pairs, names, |name, value| {
            match name {
                "from" => query.from = Some(pairs::value(name, value)?),
                "to" => query.to = Some(pairs::value(name, value)?),
                "step" => query.step = pairs::value(name, value)?,
                "by" => query.by = pairs::value(name, value)?,
                "level" => query.level = Some(pairs::value(name, value)?),
                _ => query.node = Some(pairs::value(name, value)?),
            }
            Ok(())
        })?;
        Ok(query)
    }

    /// The pairs of the query string; what is at its default is left out, but for the step.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("step", self.step.to_string())];
        pairs.extend(self.from.map(|from| ("from", from.to_string())));
        pairs.extend(self.to.map(|to| ("to", to.to_string())));
        pairs.extend((self.by != By::default()).then(|| ("by", self.by.to_string())));
        pairs.extend(self.level.map(|level| ("level", level.number().to_string())));
        pairs.extend(self.node.as_ref().map(|node| ("node", node.to_string())));
        pairs
    }
}

/// The answer.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Serialize, Deserialize)]
pub struct CountsResponse {
    /// `success`.
    pub status: Status,
    /// The request's own name, `req_…`.
    pub request_id: String,
    /// The counts.
    pub data: Counts,
}

/// Counts by time.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// By start, then node, then level; at most 100,000. Those without an entry are left out.
    pub buckets: Vec<Bucket>,
}

/// The entries of one step, or of one level or node in it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// When it begins: a multiple of the step since 1970-01-01T00:00:00Z. The first and the last
    /// hold only what is between `from` and `to`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "date-time"))]
    pub start: Timestamp,
    /// Whose it is, where nodes are counted apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its level, 1 (emergency) to 8 (debug), where levels are counted apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 8))]
    pub level: Option<u8>,
    /// How many entries.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub entries: u64,
    /// The bytes of their sealed payloads, decoded.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let query = CountsQuery {
            from: Some("2024-01-17T10:30:45.120Z".parse().unwrap()),
            to: Some("2024-01-18T00:00:00Z".parse().unwrap()),
            step: Step::from_seconds(3_600).unwrap(),
            by: By { level: true, node: true },
            level: Some(Level::Error),
            node: Some("bär 01".parse().unwrap()),
        };
        let odd = CountsQuery { step: Step::from_seconds(31_622_399).unwrap(), ..query.clone() };
        for query in [query, odd, CountsQuery::default()] {
            let pairs = query.to_pairs();
            let borrowed = pairs.iter().map(|(name, value)| (*name, value.as_str()));
            assert_eq!(CountsQuery::from_pairs(borrowed), Ok(query));
        }
        for (name, value) in [
            ("limit", "1"),
            ("step", "0"),
            ("step", "1.5s"),
            ("step", "500ms"),
            ("step", "367d"),
            ("step", "8785h"),
            ("step", "31622401"),
            ("step", "100000000"),
            ("step", "060s"),
            ("step", "60000ms"),
            ("step", "d"),
            ("step", "-60"),
            ("step", "60s "),
            ("by", ""),
            ("by", "level,level"),
            ("by", "time"),
            ("level", "9"),
            ("node", ""),
            ("to", "now"),
        ] {
            assert!(CountsQuery::from_pairs([(name, value)]).is_err(), "{name}={value}");
        }
        assert!(CountsQuery::from_pairs([("step", "60"), ("step", "60")]).is_err());
    }
}
