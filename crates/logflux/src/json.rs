//! What a structured event becomes: one JSON object.

use std::cell::Cell;
#[cfg(feature = "tracing")]
use std::error::Error;
use std::fmt;
use std::ops::Range;

use serde_json::to_writer;

use crate::text::with_text;

/// Fields with their values, as the members of an object. A name stands once in it, with the value
/// that it was given last.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    json: Vec<u8>,
    members: Vec<Member>,
}

/// Where in the JSON a member stands, and how long its name is there.
#[derive(Clone, Debug)]
struct Member {
    range: Range<usize>,
    name: usize,
}

impl Fields {
    /// Adds a field, or gives it another value.
    pub(crate) fn put(&mut self, name: &str, write_value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.json.len();
        string(&mut self.json, name);
        let name = self.json.len() - start;
        self.json.push(b':');
        write_value(&mut self.json);
        self.insert(Member { range: start..self.json.len(), name });
    }

    /// Adds all fields of `others`, or gives them their values of there.
    #[cfg(feature = "tracing")]
    pub(crate) fn merge(&mut self, others: &Self) {
        for other in &others.members {
            let start = self.json.len();
            self.json.extend_from_slice(others.json.get(other.range.clone()).unwrap_or_default());
            self.insert(Member { range: start..self.json.len(), name: other.name });
        }
    }

    fn insert(&mut self, member: Member) {
        let name = self.name(&member);
        match self.members.iter().position(|earlier| self.name(earlier) == name) {
            Some(at) => {
                if let Some(earlier) = self.members.get_mut(at) {
                    *earlier = member;
                }
            }
            None => self.members.push(member),
        }
    }

    fn name(&self, member: &Member) -> Option<&[u8]> {
        self.json.get(member.range.clone())?.get(..member.name)
    }

    /// Writes `,"fields":{…}`, or nothing where there are none.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        if self.members.is_empty() {
            return;
        }
        out.extend_from_slice(b",\"fields\":{");
        for (at, member) in self.members.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(self.json.get(member.range.clone()).unwrap_or_default());
        }
        out.push(b'}');
    }

    fn clear(&mut self) {
        self.json.clear();
        self.members.clear();
    }
}

/// What an event is gathered in, and written to. A thread uses the same again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) fields: Fields,
    /// The message as a JSON string; empty where there is none.
    pub(crate) message: Vec<u8>,
    /// The object.
    pub(crate) out: Vec<u8>,
}

/// A scratch that has grown beyond this is given back.
const KEPT: usize = 64 << 10;

impl Scratch {
    /// Calls `work` with an empty scratch. A value may itself log while it is written: that call
    /// finds a scratch of its own.
    pub(crate) fn with(work: impl FnOnce(&mut Self)) {
        thread_local! {
            static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
        }
        let mut scratch = SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_default();
        scratch.fields.clear();
        scratch.message.clear();
        scratch.out.clear();
        work(&mut scratch);
        let kept =
            scratch.fields.json.capacity() + scratch.message.capacity() + scratch.out.capacity();
        if kept <= KEPT {
            let _ = SCRATCH.try_with(|cell| cell.set(Some(scratch)));
        }
    }

    /// Writes `{"message":…,"target":…,"fields":{…}`; the caller adds to it, and closes the object.
    pub(crate) fn begin_object(&mut self, target: &str) {
        self.out.push(b'{');
        if !self.message.is_empty() {
            self.out.extend_from_slice(b"\"message\":");
            self.out.extend_from_slice(&self.message);
            self.out.push(b',');
        }
        self.out.extend_from_slice(b"\"target\":");
        string(&mut self.out, target);
        self.fields.append_to(&mut self.out);
    }
}

// Writing to a buffer in memory does not fail.

pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    let _ = to_writer(out, text);
}

/// A string of what is formatted.
pub(crate) fn text(out: &mut Vec<u8>, args: fmt::Arguments<'_>) {
    with_text(args, |text| string(out, text));
}

pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// A number where it has 64 bits, with a sign or without; a string of digits beyond that, since few
/// that read JSON can take it.
pub(crate) fn signed(out: &mut Vec<u8>, value: i128) {
    if let Ok(value) = i64::try_from(value) {
        let _ = to_writer(out, &value);
    } else if let Ok(value) = u64::try_from(value) {
        let _ = to_writer(out, &value);
    } else {
        text(out, format_args!("{value}"));
    }
}

/// As [`signed`].
pub(crate) fn unsigned(out: &mut Vec<u8>, value: u128) {
    match u64::try_from(value) {
        Ok(value) => {
            let _ = to_writer(out, &value);
        }
        Err(_) => text(out, format_args!("{value}")),
    }
}

/// A number; `"NaN"`, `"inf"` and `"-inf"` are strings, since JSON has no such numbers.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        let _ = to_writer(out, &value);
    } else {
        text(out, format_args!("{value}"));
    }
}

/// A string of the error and its sources: `what failed: why: why that`.
#[cfg(feature = "tracing")]
pub(crate) fn error(out: &mut Vec<u8>, error: &(dyn Error + 'static)) {
    /// An error that names itself as its source ends somewhere.
    const DEPTH: usize = 16;
    struct Chain<'a>(&'a (dyn Error + 'static));
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut last = self.0.to_string();
            f.write_str(&last)?;
            let mut source = self.0.source();
            for _ in 0..DEPTH {
                let Some(error) = source else { break };
                let text = error.to_string();
                // Many an error has its source in its own words already.
                if !last.ends_with(&text) {
                    write!(f, ": {text}")?;
                }
                last = text;
                source = error.source();
            }
            Ok(())
        }
    }
    text(out, format_args!("{}", Chain(error)));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_fields_are_it_is_one_object_with_the_last_value_of_each(
            message in any::<Option<String>>(),
            target in any::<String>(),
            puts in proptest::collection::vec(("[a-c\"\\\\\n]{0,2}", any::<f64>(), any::<bool>()), 0..20),
        ) {
            let mut model = BTreeMap::new();
            let mut json = Vec::new();
            Scratch::with(|scratch| {
                if let Some(message) = &message {
                    string(&mut scratch.message, message);
                }
                for (name, number, flag) in &puts {
                    if *flag {
                        scratch.fields.put(name, |out| boolean(out, *flag));
                        model.insert(name.clone(), Value::Bool(true));
                    } else {
                        scratch.fields.put(name, |out| float(out, *number));
                        let value = if number.is_finite() { Value::from(*number) } else { Value::from(number.to_string()) };
                        model.insert(name.clone(), value);
                    }
                }
                scratch.begin_object(&target);
                scratch.out.push(b'}');
                json.extend_from_slice(&scratch.out);
            });
            prop_assert!(!json.contains(&b'\n'));
            let object: Value = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(object["target"].as_str(), Some(target.as_str()));
            prop_assert_eq!(object.get("message").and_then(Value::as_str), message.as_deref());
            let fields = object.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
            prop_assert_eq!(fields.len(), model.len());
            for (name, value) in &model {
                // Text and back may cost a float its last bit.
                match (value.as_f64(), fields[name].as_f64()) {
                    (Some(expected), Some(read)) => prop_assert!((expected - read).abs() <= expected.abs() * 1e-15),
                    _ => prop_assert_eq!(&fields[name], value),
                }
            }
        }
    }

    #[cfg(feature = "tracing")]
    #[test]
    fn a_name_stands_once_and_where_it_stood_first() {
        let (mut fields, mut later) = (Fields::default(), Fields::default());
        for (name, value) in [("a", 1), ("b", 2), ("a", 3)] {
            fields.put(name, |out| signed(out, value));
        }
        later.put("b", |out| string(out, "x"));
        later.put("c", |out| boolean(out, false));
        fields.merge(&later);
        let mut out = Vec::new();
        fields.append_to(&mut out);
        assert_eq!(out, br#","fields":{"a":3,"b":"x","c":false}"#);
    }
}
