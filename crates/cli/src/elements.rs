//! The elements of a JSON array, one after the other as they come, in bounded memory.
//!
//! An element is found by its brackets and quotation marks alone: whether it is JSON is for its
//! reader to say, so that one that is not costs no other.

use std::io::{self, BufRead};

use crate::failure::Failure;

/// An element, as the reader has it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// Its bytes, without the white space around it.
    Whole(Vec<u8>),
    /// It was longer than it may be, and was not kept.
    TooLong,
}

/// Why there is no next element.
#[derive(Debug)]
pub(crate) enum Broken {
    Read(io::Error),
    /// The array is not valid JSON.
    Array(&'static str),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Read(error) => error.into(),
            Broken::Array(fault) => Self::new(format!("the array is not valid JSON: {fault}")),
        }
    }
}

/// Reads an array whose opening bracket comes next.
#[derive(Debug)]
pub(crate) struct Elements<R> {
    reader: R,
    max: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    Within,
    Behind,
}

/// Where a byte stands within an element.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Whether the element ends before this byte. A closing bracket without its opening one is left
    /// to the reader of the element.
    fn ends(&mut self, byte: u8) -> bool {
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'[' | b'{' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

impl<R: BufRead> Elements<R> {
    /// An element of more than `max` bytes is too long.
    pub(crate) fn new(reader: R, max: usize) -> Self {
        Self { reader, max, place: Place::Before }
    }

    /// The next element; `None` behind the last, when the input has ended as well.
    pub(crate) fn next(&mut self) -> Result<Option<Element>, Broken> {
        if self.place == Place::Before {
            self.skip_white_space()?;
            self.reader.consume(1);
            self.place = Place::Within;
            if self.skip_white_space()? == Some(b']') {
                self.reader.consume(1);
                self.place = Place::Behind;
            }
        }
        if self.place == Place::Behind {
            return match self.skip_white_space()? {
                None => Ok(None),
                Some(_) => Err(Broken::Array("there is something behind its end")),
            };
        }
        self.skip_white_space()?;
        self.element().map(Some)
    }

    fn element(&mut self) -> Result<Element, Broken> {
        let (mut scan, mut bytes, mut too_long) = (Scan::default(), Vec::new(), false);
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Err(Broken::Array("it ends before its closing bracket"));
            }
            let end = buffer.iter().position(|byte| scan.ends(*byte));
            let read = end.and_then(|end| buffer.get(..end)).unwrap_or(buffer);
            let (kept, beyond) = read.split_at(read.len().min(self.max - bytes.len()));
            bytes.extend_from_slice(kept);
            // White space at the end of an element is not a part of it.
            too_long |= !beyond.trim_ascii().is_empty();
            let last = end.and_then(|end| buffer.get(end)) == Some(&b']');
            let read = read.len();
            self.reader.consume(end.map_or(read, |end| end + 1));
            if end.is_none() {
                continue;
            }
            if last {
                self.place = Place::Behind;
            }
            if too_long {
                return Ok(Element::TooLong);
            }
            bytes.truncate(bytes.trim_ascii_end().len());
            if bytes.is_empty() {
                return Err(Broken::Array("an element is missing"));
            }
            return Ok(Element::Whole(bytes));
        }
    }

    /// Gives the byte that comes then.
    fn skip_white_space(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let Some(first) = buffer.first().copied() else { return Ok(None) };
            if !first.is_ascii_whitespace() {
                return Ok(Some(first));
            }
            self.reader.consume(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Reads in pieces of so many bytes.
    fn read(text: &str, piece: usize, max: usize) -> Result<Vec<Element>, Broken> {
        let mut elements = Elements::new(BufReader::with_capacity(piece, text.as_bytes()), max);
        let mut all = Vec::new();
        while let Some(element) = elements.next()? {
            all.push(element);
        }
        Ok(all)
    }

    fn whole(text: &str) -> Element {
        Element::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn an_element_ends_where_its_brackets_and_quotation_marks_say() {
        for piece in 1..9 {
            for (text, wanted) in [
                ("[]", &[][..]),
                (" \n[ ] \n", &[]),
                ("[1]", &["1"]),
                (
                    r#"[{"a":"],[\"\\"} , [ 1 , 2 ] ,"\\"]"#,
                    &[r#"{"a":"],[\"\\"}"#, "[ 1 , 2 ]", r#""\\""#],
                ),
                // What is in them is not looked at.
                ("[{]}, }, x y]", &["{]}", "}", "x y"]),
            ] {
                let text = text.trim_start();
                let wanted: Vec<_> = wanted.iter().map(|element| whole(element)).collect();
                assert_eq!(read(text, piece, 100).unwrap(), wanted, "{text}");
            }
        }
    }

    #[test]
    fn a_broken_array_is_named() {
        for (text, fault) in [
            ("[1,]", "an element is missing"),
            ("[,1]", "an element is missing"),
            ("[1", "it ends before its closing bracket"),
            ("[\"]", "it ends before its closing bracket"),
            ("[", "it ends before its closing bracket"),
            ("[1]]", "there is something behind its end"),
        ] {
            let broken = read(text, 3, 100).unwrap_err();
            assert!(matches!(broken, Broken::Array(said) if said == fault), "{text}: {broken:?}");
        }
    }

    #[test]
    fn a_long_element_is_not_kept_and_costs_no_other() {
        let long = format!("[1,\"{}\" , 2  ]", "x".repeat(10));
        assert_eq!(read(&long, 4, 11).unwrap(), [whole("1"), Element::TooLong, whole("2")]);
        let element = format!("\"{}\"", "x".repeat(10));
        assert_eq!(read(&long, 4, 12).unwrap(), [whole("1"), whole(&element), whole("2")]);
    }

    #[test]
    fn white_space_before_a_comma_is_not_kept_and_does_not_count() {
        let spaces = " ".repeat(100);
        let text = format!("[12{spaces},{spaces}34{spaces}]");
        assert_eq!(read(&text, 7, 2).unwrap(), [whole("12"), whole("34")]);
        let within = format!("[1{spaces}2,3]");
        assert_eq!(read(&within, 7, 50).unwrap(), [Element::TooLong, whole("3")]);
        assert_eq!(read(&within, 7, 102).unwrap(), [whole(&format!("1{spaces}2")), whole("3")]);
    }

    proptest! {
        #[test]
        fn every_array_has_the_elements_that_were_written(
            texts in proptest::collection::vec(".{0,12}", 0..8),
            piece in 1_usize..20,
            pretty: bool,
        ) {
            let values: Vec<Value> = texts.iter().map(|text| {
                serde_json::json!({ text.as_str(): [text, 1.5, null, { "x": text }] })
            }).collect();
            let array = if pretty {
                serde_json::to_string_pretty(&values).unwrap()
            } else {
                serde_json::to_string(&values).unwrap()
            };
            let found: Vec<Value> = read(&array, piece, 1 << 20).unwrap().into_iter().map(|element| {
                let Element::Whole(bytes) = element else { panic!("too long") };
                serde_json::from_slice(&bytes).unwrap()
            }).collect();
            prop_assert_eq!(found, values);
        }
    }
}
