//! Which of the opened entries are shown.

use clap::Args;
use serde_json::Value;

/// Filters that need the message, and so work here, after opening: the server cannot read it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FilterArgs {
    /// Only messages that contain this text (may be given again: then all of them)
    #[arg(long, value_name = "TEXT", conflicts_with = "sealed", help_heading = "Filter")]
    grep: Vec<String>,
    /// Only messages that are JSON objects with this member, such as user=4711 or http.status=500
    /// (may be given again: then all of them)
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "sealed", value_parser = field, help_heading = "Filter")]
    field: Vec<(String, String)>,
}

fn field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it must be NAME=VALUE, such as user=4711".to_owned()),
    }
}

impl FilterArgs {
    /// Whether there is nothing to filter by.
    pub(crate) fn is_empty(&self) -> bool {
        self.grep.is_empty() && self.field.is_empty()
    }

    /// Whether a message is shown.
    pub(crate) fn matches(&self, message: &[u8]) -> bool {
        self.grep.iter().all(|text| contains(message, text.as_bytes())) && self.has_fields(message)
    }

    fn has_fields(&self, message: &[u8]) -> bool {
        if self.field.is_empty() {
            return true;
        }
        let Ok(value @ Value::Object(_)) = serde_json::from_slice(message) else { return false };
        self.field.iter().all(|(name, wanted)| {
            member(&value, name).is_some_and(|value| match value {
                Value::String(text) => text == wanted,
                other => serde_json::to_string(other).is_ok_and(|text| text == *wanted),
            })
        })
    }
}

fn contains(message: &[u8], text: &[u8]) -> bool {
    text.is_empty() || message.windows(text.len()).any(|window| window == text)
}

/// The member of this name; a name with dots may also lead into objects within.
fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        member(value.get(outer)?, inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(grep: &[&str], fields: &[&str]) -> FilterArgs {
        FilterArgs {
            grep: grep.iter().map(|&text| text.to_owned()).collect(),
            field: fields.iter().map(|text| field(text).unwrap()).collect(),
        }
    }

    #[test]
    fn all_of_the_filters_must_match() {
        let message = br#"{"user":4711,"name":"a=b","ok":true,"http":{"status":500},"x.y":"z"}"#;
        for fields in
            [&["user=4711"][..], &["name=a=b"], &["ok=true", "http.status=500"], &["x.y=z"]]
        {
            assert!(by(&[], fields).matches(message), "{fields:?}");
        }
        for fields in [&["user=471"][..], &["user=4711", "ok=false"], &["http.code=500"], &["y=z"]]
        {
            assert!(!by(&[], fields).matches(message), "{fields:?}");
        }
        assert!(by(&["4711", "ok"], &["user=4711"]).matches(message));
        assert!(!by(&["4712"], &[]).matches(message));
        assert!(by(&["\u{fc}"], &[]).matches("für \u{1b}".as_bytes()));
        assert!(!by(&[], &["a=1"]).matches(b"a=1"));
        assert!(by(&[], &[]).is_empty() && by(&[], &[]).matches(b"\xff"));
    }
}
