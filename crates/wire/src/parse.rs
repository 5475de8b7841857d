//! Reading an entry strictly.
//!
//! `serde_json` reads the JSON; the visitor here sees every key, so that a duplicate, an unknown or
//! a missing one is named, and never goes through a tree of values.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::base64;
use crate::entry::Entry;
use crate::error::{EntryError, Field};
use crate::level::Level;
use crate::limits::PAYLOAD_BASE64_MAX;
use crate::mode::Mode;
use crate::node::Node;
use crate::payload::{Payload, PayloadError};

/// What to do with fields that no entry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// An opener ignores them, so that later versions may add some.
    Ignore,
    /// The ingest API refuses them.
    Reject,
}

/// Reads one entry, and nothing after it but white space.
pub(crate) fn entry(json: &[u8], unknown: UnknownFields) -> Result<Entry, EntryError> {
    let text = std::str::from_utf8(json)
        .map_err(|error| EntryError::NotUtf8 { at: error.valid_up_to() })?;
    // An empty slot with a data error means that the value itself was no object.
    let mut fault = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let raw = reader
        .deserialize_map(EntryVisitor { unknown, fault: &mut fault })
        .and_then(|raw| reader.end().map(|()| raw));
    match raw {
        Ok(raw) => raw.into_entry(),
        Err(error) if error.is_data() => Err(fault.unwrap_or(EntryError::NotAnObject)),
        Err(error) => Err(EntryError::Json { line: error.line(), column: error.column() }),
    }
}

/// The fields as they stand, borrowed from the input where no escape is in the way.
#[derive(Default)]
struct RawEntry<'a> {
    node: Option<Cow<'a, str>>,
    payload: Option<Cow<'a, str>>,
    loglevel: Option<i128>,
    timestamp: Option<Cow<'a, str>>,
    encryption_mode: Option<i128>,
    iv: Option<Cow<'a, str>>,
    salt: Option<Cow<'a, str>>,
}

impl RawEntry<'_> {
    fn into_entry(self) -> Result<Entry, EntryError> {
        let missing = |field| EntryError::MissingField { field };
        let node = self.node.ok_or(missing(Field::Node))?;
        let payload = self.payload.ok_or(missing(Field::Payload))?;
        let level = self.loglevel.ok_or(missing(Field::Loglevel))?;
        let timestamp = self.timestamp.ok_or(missing(Field::Timestamp))?;
        let mode = self.encryption_mode.ok_or(missing(Field::EncryptionMode))?;
        let iv = self.iv.ok_or(missing(Field::Iv))?;
        let salt = self.salt.ok_or(missing(Field::Salt))?;

        // A negative number is out of the range as 0 is, and is no mode as u64::MAX is none.
        let mode = Mode::from_number(u64::try_from(mode).unwrap_or(u64::MAX))?;
        let node = Node::new(node)?;
        let level = Level::from_number(u64::try_from(level).unwrap_or(0))?;
        let timestamp = timestamp.parse()?;
        let iv = array(Field::Iv, &iv)?.into();
        let salt = array(Field::Salt, &salt)?.into();
        if payload.len() > PAYLOAD_BASE64_MAX {
            return Err(PayloadError::TooLong.into());
        }
        let payload = base64::decode(&payload)
            .map_err(|reason| EntryError::Base64 { field: Field::Payload, reason })?;
        Ok(Entry::new(node, Payload::new(payload)?, level, timestamp, mode, iv, salt)?)
    }
}

fn array<const N: usize>(field: Field, text: &str) -> Result<[u8; N], EntryError> {
    base64::decode_array(text)
        .map_err(|reason| EntryError::Base64 { field, reason })?
        .map_err(|got| EntryError::Length { field, expected: N, got })
}

/// Collects the fields; a fault that is not JSON's own goes to `fault`, since `serde_json`'s error
/// is text only.
struct EntryVisitor<'f> {
    unknown: UnknownFields,
    fault: &'f mut Option<EntryError>,
}

impl<'de> Visitor<'de> for EntryVisitor<'_> {
    type Value = RawEntry<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawEntry<'de>, A::Error> {
        let mut raw = RawEntry::default();
        let mut unknown_keys = HashSet::new();
        while let Some(key) = map.next_key_seed(Text)? {
            let fresh = match key.as_ref() {
                "node" => text(&mut map, Field::Node, &mut raw.node, self.fault)?,
                "payload" => text(&mut map, Field::Payload, &mut raw.payload, self.fault)?,
                "loglevel" => integer(&mut map, Field::Loglevel, &mut raw.loglevel, self.fault)?,
                "timestamp" => text(&mut map, Field::Timestamp, &mut raw.timestamp, self.fault)?,
                "encryption_mode" => {
                    integer(&mut map, Field::EncryptionMode, &mut raw.encryption_mode, self.fault)?
                }
                "iv" => text(&mut map, Field::Iv, &mut raw.iv, self.fault)?,
                "salt" => text(&mut map, Field::Salt, &mut raw.salt, self.fault)?,
                name => {
                    if self.unknown == UnknownFields::Reject {
                        *self.fault = Some(EntryError::UnknownField { name: cut(name) });
                        return Err(A::Error::custom(""));
                    }
                    map.next_value::<IgnoredAny>()?;
                    unknown_keys.insert(key.clone())
                }
            };
            if !fresh {
                *self.fault = Some(EntryError::DuplicateField { name: cut(&key) });
                return Err(A::Error::custom(""));
            }
        }
        Ok(raw)
    }
}

/// Reads a value that must be a string; false if the field already had one.
fn text<'de, A: MapAccess<'de>>(
    map: &mut A,
    field: Field,
    slot: &mut Option<Cow<'de, str>>,
    fault: &mut Option<EntryError>,
) -> Result<bool, A::Error> {
    *fault = Some(EntryError::WrongType { field, expected: "a string" });
    let value = map.next_value_seed(Text)?;
    *fault = None;
    Ok(slot.replace(value).is_none())
}

/// Reads a value that must be an integer, without fraction or exponent; false if the field already
/// had one.
fn integer<'de, A: MapAccess<'de>>(
    map: &mut A,
    field: Field,
    slot: &mut Option<i128>,
    fault: &mut Option<EntryError>,
) -> Result<bool, A::Error> {
    *fault = Some(EntryError::WrongType { field, expected: "an integer" });
    let value = map.next_value_seed(Integer)?;
    *fault = None;
    Ok(slot.replace(value).is_none())
}

/// The first 64 characters of a key.
fn cut(name: &str) -> String {
    name.chars().take(64).collect()
}

struct Text;

/// Longer than any string of an entry may be.
const TEXT_MAX: usize = PAYLOAD_BASE64_MAX + 4;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        // Of a string with escapes no more is kept than shows that it is too long.
        let end = text.floor_char_boundary(TEXT_MAX.min(text.len()));
        Ok(Cow::Owned(text.get(..end).unwrap_or_default().to_owned()))
    }
}

struct Integer;

impl<'de> DeserializeSeed<'de> for Integer {
    type Value = i128;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<i128, D::Error> {
        reader.deserialize_any(self)
    }
}

impl Visitor<'_> for Integer {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_u64<E>(self, value: u64) -> Result<i128, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<i128, E> {
        Ok(value.into())
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
