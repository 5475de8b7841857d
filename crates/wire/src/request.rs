//! What is sent to the ingest API: one entry, an array of them, or `{"entries":[…]}`.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::entry::Entry;
use crate::error::EntryError;
use crate::limits::BATCH_MAX;
use crate::response::ErrorCode;

/// The entries of a request body, each good or bad by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// One entry.
    Single(Result<Entry, EntryError>),
    /// 1 to 100 of them.
    Batch(Vec<Result<Entry, EntryError>>),
}

/// Which forms of a batch a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `POST /v1/ingest`: an entry or an array.
    Ingest,
    /// `POST /v1/batch`: also `{"entries":[…]}`.
    Batch,
}

/// Why a body as a whole is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It is not JSON.
    #[error(transparent)]
    Json(EntryError),
    /// It is neither an entry nor a batch of them.
    #[error("the body must be an entry or an array of entries")]
    Form,
    /// The batch is empty.
    #[error("the batch is empty: send 1 to {0} entries", BATCH_MAX)]
    Empty,
    /// The batch has too many entries.
    #[error("the batch has more than {max} entries: split it")]
    TooLarge {
        /// The limit in force.
        max: usize,
    },
    /// `{"entries":[…]}` has another field.
    #[error("unknown field beside `entries`")]
    UnknownField,
}

impl BodyError {
    /// The error code that the API answers.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Json(_) => ErrorCode::InvalidJson,
            Self::Form | Self::Empty => ErrorCode::InvalidEntry,
            Self::TooLarge { .. } => ErrorCode::BatchTooLarge,
            Self::UnknownField => ErrorCode::UnknownField,
        }
    }
}

impl Body {
    /// Reads a request body of at most `max` entries, each as strictly as the API must.
    ///
    /// # Errors
    /// [`BodyError`] where the body as a whole is refused. An entry that is bad by itself stands in
    /// the result, so that the others can be stored.
    pub fn parse(json: &[u8], form: Form, max: usize) -> Result<Self, BodyError> {
        let text = std::str::from_utf8(json)
            .map_err(|error| BodyError::Json(EntryError::NotUtf8 { at: error.valid_up_to() }))?;
        match text.trim_start_matches([' ', '\t', '\r', '\n']).as_bytes().first() {
            Some(b'[') => Self::batch(&read_batch(text, max, false)?),
            Some(b'{') if form == Form::Batch => match read_batch(text, max, true) {
                Ok(entries) => Self::batch(&entries),
                // Either a single entry, or a wrapper with a fault: only the first has no `entries`.
                Err(BodyError::Form) if !has_entries(text)? => Ok(Self::single(json)),
                Err(BodyError::Form) => Err(BodyError::UnknownField),
                Err(error) => Err(error),
            },
            Some(b'{') => match Entry::parse_strict(json) {
                Err(error @ (EntryError::Json { .. } | EntryError::NotUtf8 { .. })) => {
                    Err(BodyError::Json(error))
                }
                result => Ok(Self::Single(result)),
            },
            _ => {
                from_str::<&RawValue>(text)?;
                Err(BodyError::Form)
            }
        }
    }

    fn single(json: &[u8]) -> Self {
        Self::Single(Entry::parse_strict(json))
    }

    fn batch(entries: &[&RawValue]) -> Result<Self, BodyError> {
        match entries {
            [] => Err(BodyError::Empty),
            entries => Ok(Self::Batch(
                entries.iter().map(|raw| Entry::parse_strict(raw.get().as_bytes())).collect(),
            )),
        }
    }
}

/// The entries of an array, or of `{"entries":[…]}`, each as it stands in the text. Reading stops at
/// the one after `max`, so that a long array takes no memory.
fn read_batch(text: &str, max: usize, wrapped: bool) -> Result<Vec<&RawValue>, BodyError> {
    let mut too_large = false;
    let mut reader = serde_json::Deserializer::from_str(text);
    let entries = Entries { max, too_large: &mut too_large };
    let read = if wrapped {
        reader.deserialize_map(Wrapped(entries))
    } else {
        entries.deserialize(&mut reader)
    };
    read.and_then(|read| reader.end().map(|()| read)).map_err(|error| match too_large {
        true => BodyError::TooLarge { max },
        false => fault(&error),
    })
}

/// Reads an array of at most `max` values.
struct Entries<'f> {
    max: usize,
    too_large: &'f mut bool,
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = array.next_element()? {
            if entries.len() == self.max {
                *self.too_large = true;
                return Err(A::Error::custom(""));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// Reads an object whose one field is `entries`.
struct Wrapped<'f>(Entries<'f>);

impl<'de> Visitor<'de> for Wrapped<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with entries")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if map.next_key::<FieldName>()? != Some(FieldName(true)) {
            return Err(A::Error::custom(""));
        }
        let entries = map.next_value_seed(self.0)?;
        match map.next_key::<FieldName>()? {
            None => Ok(entries),
            Some(_) => Err(A::Error::custom("")),
        }
    }
}

/// Whether a field's name is `entries`; the name itself is not kept.
#[derive(PartialEq, Eq)]
struct FieldName(bool);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = FieldName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_str<E>(self, name: &str) -> Result<FieldName, E> {
                Ok(FieldName(name == "entries"))
            }
        }
        reader.deserialize_str(Name)
    }
}

/// Whether a JSON object has a key `entries`.
fn has_entries(text: &str) -> Result<bool, BodyError> {
    #[derive(Deserialize)]
    struct Probe {
        entries: Option<serde::de::IgnoredAny>,
    }
    match from_str::<Probe>(text) {
        Ok(probe) => Ok(probe.entries.is_some()),
        // A duplicate key is an error of form, and a wrapper's fault too.
        Err(BodyError::Form) => Ok(true),
        Err(error) => Err(error),
    }
}

fn from_str<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, BodyError> {
    serde_json::from_str(text).map_err(|error| fault(&error))
}

fn fault(error: &serde_json::Error) -> BodyError {
    match error.is_data() {
        true => BodyError::Form,
        false => BodyError::Json(EntryError::Json { line: error.line(), column: error.column() }),
    }
}

/// Appends a batch of entries, each in canonical JSON, as an array.
pub fn append_batch<'a>(entries: impl IntoIterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, entry) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(entry);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = concat!(
        r#"{"node":"n","payload":"AAAAAAAAAAAAAAAAAAAAAA==","loglevel":7,"#,
        r#""timestamp":"2024-01-17T10:30:45Z","encryption_mode":1,"iv":"ZGVmZ2hpamtsbW5v","#,
        r#""salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#
    );

    fn parse(text: &str, form: Form) -> Result<Body, BodyError> {
        Body::parse(text.as_bytes(), form, BATCH_MAX)
    }

    fn good() -> Result<Entry, EntryError> {
        Ok(Entry::parse(GOOD.as_bytes()).unwrap())
    }

    #[test]
    fn an_entry_an_array_and_a_wrapper_are_read() {
        for form in [Form::Ingest, Form::Batch] {
            assert_eq!(parse(GOOD, form), Ok(Body::Single(good())));
            let two = format!(" [{GOOD} , {GOOD}]\n");
            assert_eq!(parse(&two, form), Ok(Body::Batch(vec![good(), good()])));
        }
        let wrapped = format!("{{\"entries\":[{GOOD}]}}");
        assert_eq!(parse(&wrapped, Form::Batch), Ok(Body::Batch(vec![good()])));
        let name = "entries".to_owned();
        assert_eq!(
            parse(&wrapped, Form::Ingest),
            Ok(Body::Single(Err(EntryError::UnknownField { name })))
        );
    }

    #[test]
    fn a_bad_entry_stands_beside_the_good_ones() {
        let Ok(Body::Batch(entries)) = parse(&format!("[{GOOD},{{}},{GOOD},7]"), Form::Ingest)
        else {
            panic!("no batch")
        };
        assert_eq!(
            entries.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [true, false, true, false]
        );
    }

    #[test]
    fn a_body_that_is_none_of_them_is_refused_as_a_whole() {
        for form in [Form::Ingest, Form::Batch] {
            for text in [
                "",
                "nonsense",
                "[",
                &format!("[{GOOD}"),
                &format!("[{GOOD}]]"),
                "{",
                "\"x",
                &format!("{GOOD}{{}}"),
            ] {
                let error = parse(text, form).unwrap_err();
                assert_eq!(error.code(), ErrorCode::InvalidJson, "{text}: {error:?}");
            }
            for text in ["7", "null", "\"x\""] {
                assert_eq!(parse(text, form), Err(BodyError::Form));
            }
            assert_eq!(parse("[]", form), Err(BodyError::Empty));
            let many = format!("[{}]", [GOOD; 101].join(","));
            assert_eq!(parse(&many, form), Err(BodyError::TooLarge { max: 100 }));
            // Reading stops there, whatever comes after.
            for more in ["0,0", "[[[[", "{\"a\":\"\\u0041"] {
                let many = format!("[{},{more}", ["0"; 101].join(","));
                assert_eq!(parse(&many, form), Err(BodyError::TooLarge { max: 100 }));
            }
        }
        let many = format!("{{\"entries\":[{}", "0,".repeat(200));
        assert_eq!(parse(&many, Form::Batch), Err(BodyError::TooLarge { max: 100 }));
        for text in [
            format!("{{\"message\":\"plain\",\"entries\":[{GOOD}]}}"),
            format!("{{\"entries\":[{GOOD}],\"message\":\"plain\"}}"),
            format!("{{\"entries\":[{GOOD}],\"entries\":[{GOOD}]}}"),
            "{\"entries\":7}".to_owned(),
        ] {
            assert_eq!(parse(&text, Form::Batch), Err(BodyError::UnknownField), "{text}");
        }
    }

    #[test]
    fn a_written_batch_is_read() {
        let mut out = Vec::new();
        append_batch([GOOD.as_bytes(), GOOD.as_bytes()], &mut out);
        assert_eq!(Body::parse(&out, Form::Ingest, 2), Ok(Body::Batch(vec![good(), good()])));
    }
}
