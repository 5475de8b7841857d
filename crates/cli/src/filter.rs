//! Which of the opened entries are shown.

use std::collections::HashMap;

use clap::Args;
use serde_json::Value;
use serde_json::value::RawValue;

/// Filters that need the message, and so work here, after opening: the server cannot read it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FilterArgs {
    /// Only messages that contain this text (may be given again: then all of them)
    #[arg(long, value_name = "TEXT", conflicts_with = "sealed", help_heading = "Filter")]
    grep: Vec<String>,
    /// Only messages that are JSON objects with this member, such as user=4711 or http.status=500; a
    /// number is compared as it is written there (may be given again: then all of them)
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
        let Ok(object) = serde_json::from_slice::<Object<'_>>(message) else { return false };
        self.field
            .iter()
            .all(|(name, wanted)| member(&object, name).is_some_and(|value| is(value, wanted)))
    }
}

/// A JSON object whose values are as they are written: numbers of any size.
type Object<'m> = HashMap<String, &'m RawValue>;

fn is(value: &RawValue, wanted: &str) -> bool {
    let written = value.get();
    match serde_json::from_str(written) {
        Ok(Value::String(text)) => text == wanted,
        // Without the white space in it.
        Ok(value @ (Value::Array(_) | Value::Object(_))) => {
            serde_json::to_string(&value).is_ok_and(|text| text == wanted)
        }
        _ => written == wanted,
    }
}

fn contains(message: &[u8], text: &[u8]) -> bool {
    text.is_empty() || message.windows(text.len()).any(|window| window == text)
}

/// The member of this name; a name with dots may also lead into objects within.
fn member<'m>(object: &Object<'m>, name: &str) -> Option<&'m RawValue> {
    object.get(name).copied().or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        member(&serde_json::from_str(object.get(outer)?.get()).ok()?, inner)
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
        // As they are written, whatever a number of this machine could hold.
        let message = br#"{"id":123456789012345678901234567890,"big":1e400,"zero":-0,"one":1.0,"list":[1, 2]}"#;
        for field in
            ["id=123456789012345678901234567890", "big=1e400", "zero=-0", "one=1.0", "list=[1,2]"]
        {
            assert!(by(&[], &[field]).matches(message), "{field}");
        }
        for field in ["id=123456789012345678901234567891", "zero=0", "one=1", "big=null"] {
            assert!(!by(&[], &[field]).matches(message), "{field}");
        }
        let message = br#"{"user":4711,"ok":true}"#;
        assert!(by(&["4711", "ok"], &["user=4711"]).matches(message));
        assert!(!by(&["4712"], &[]).matches(message));
        assert!(by(&["\u{fc}"], &[]).matches("für \u{1b}".as_bytes()));
        assert!(!by(&[], &["a=1"]).matches(b"a=1"));
        assert!(by(&[], &[]).is_empty() && by(&[], &[]).matches(b"\xff"));
    }
}
