//! JSON of Python's values, in bounded time and size. It never fails because of a value: what cannot
//! be written is replaced by words that say so.

use std::io::Write;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTuple,
};

use crate::escape::{escape, escape_halves};
use crate::kinds;
use crate::text::{Utf8, head, utf8};

/// What stands for a value that cannot be made text.
pub(crate) const UNFORMATTED: &str = "[a value could not be formatted]";
/// What stands for a value that is inside itself.
const CIRCULAR: &str = "[circular]";
/// What stands for what is too deep, or too much.
const MORE: &str = "…";

/// How deep values may be nested.
const DEPTH_MAX: usize = 16;
/// How many values one record may have, all levels together.
const MEMBERS_MAX: usize = 10_000;
/// How many bytes of JSON the fields of one record may take.
pub(crate) const FIELDS_MAX: usize = 192 * 1024;
/// How many bytes of JSON one text among them may take.
const TEXT_MAX: usize = 64 * 1024;
/// How many bytes of JSON a name may take.
const NAME_MAX: usize = 1024;
/// An integer of more bits is written in hexadecimal, as text: no reader has a number for it.
const NUMBER_BITS_MAX: usize = 1_000;
/// An integer of more bits is not written at all.
const DIGITS_BITS_MAX: usize = 4 * TEXT_MAX;

/// A text that grows, and what it may still take.
pub(crate) struct Json<'py> {
    py: Python<'py>,
    pub(crate) out: Vec<u8>,
    limit: usize,
    members: usize,
    /// The containers that are being written, from the outermost on.
    path: Vec<usize>,
}

impl<'py> Json<'py> {
    /// Goes on with `out`, by at most `limit` bytes and a few.
    pub(crate) fn new(py: Python<'py>, out: Vec<u8>, limit: usize) -> Self {
        let limit = out.len() + limit;
        Self { py, out, limit, members: MEMBERS_MAX, path: Vec::new() }
    }

    fn is_full(&self) -> bool {
        self.members == 0 || self.out.len() >= self.limit
    }

    /// Writes an object of names and values.
    pub(crate) fn object(
        &mut self,
        members: &[(Bound<'py, PyAny>, Bound<'py, PyAny>)],
        more: bool,
    ) -> PyResult<()> {
        self.out.push(b'{');
        let mut more = more;
        for (number, (name, value)) in members.iter().enumerate() {
            if self.is_full() {
                more = true;
                break;
            }
            if number > 0 {
                self.out.push(b',');
            }
            self.name(name)?;
            self.out.push(b':');
            self.value(value)?;
        }
        if more {
            if !members.is_empty() && !self.out.ends_with(b"{") {
                self.out.push(b',');
            }
            self.word(MORE);
            self.out.push(b':');
            self.word(MORE);
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Writes any value.
    pub(crate) fn value(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        self.members = self.members.saturating_sub(1);
        if let Ok(text) = value.cast::<PyString>() {
            return self.text(text);
        }
        if value.is_none() {
            self.out.extend_from_slice(b"null");
        } else if let Ok(boolean) = value.cast::<PyBool>() {
            let word: &[u8] = if boolean.is_true() { b"true" } else { b"false" };
            self.out.extend_from_slice(word);
        } else if let Ok(integer) = value.cast::<PyInt>() {
            self.integer(integer)?;
        } else if let Ok(float) = value.cast::<PyFloat>() {
            self.float(float.value());
        } else {
            self.container(value)?;
        }
        Ok(())
    }

    fn container(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let room = self.members;
        let within = value.as_ptr() as usize;
        let parts = match kinds::parts(value, room) {
            Ok(Some(parts)) => parts,
            Ok(None) => return self.other(value),
            Err(error) => return self.failed(error),
        };
        if self.path.contains(&within) {
            self.word(CIRCULAR);
            return Ok(());
        }
        if self.path.len() >= DEPTH_MAX {
            self.word(MORE);
            return Ok(());
        }
        self.path.push(within);
        let written = match parts {
            kinds::Parts::Members { members, more } => self.object(&members, more),
            kinds::Parts::Items { items, more } => self.array(&items, more),
        };
        self.path.pop();
        written
    }

    fn array(&mut self, items: &[Bound<'py, PyAny>], more: bool) -> PyResult<()> {
        self.out.push(b'[');
        let mut more = more;
        let mut first = true;
        for item in items {
            if self.is_full() {
                more = true;
                break;
            }
            if !first {
                self.out.push(b',');
            }
            first = false;
            self.value(item)?;
        }
        if more {
            if !first {
                self.out.push(b',');
            }
            self.word(MORE);
        }
        self.out.push(b']');
        Ok(())
    }

    fn integer(&mut self, integer: &Bound<'py, PyInt>) -> PyResult<()> {
        if let Ok(number) = integer.extract::<i64>() {
            // Writing into memory does not fail.
            let _ = write!(self.out, "{number}");
            return Ok(());
        }
        match digits(integer) {
            Ok((text, true)) => {
                self.out.extend_from_slice(text.encode_utf8()?.as_bytes());
                Ok(())
            }
            Ok((text, false)) => self.text(&text),
            Err(error) => self.failed(error),
        }
    }

    fn float(&mut self, float: f64) {
        if float.is_finite() {
            let _ = write!(self.out, "{float:?}");
        } else if float.is_nan() {
            self.word("nan");
        } else {
            self.word(if float > 0.0 { "inf" } else { "-inf" });
        }
    }

    /// What `str` makes of it.
    fn other(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        match kinds::text_of(value) {
            Ok(text) => self.text(&text),
            Err(error) => self.failed(error),
        }
    }

    /// Writes words in the place of a value, unless the program is to end.
    fn failed(&mut self, error: PyErr) -> PyResult<()> {
        pass_through(self.py, error)?;
        self.word(UNFORMATTED);
        Ok(())
    }

    fn name(&mut self, name: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Ok(text) = name.cast::<PyString>() {
            return self.text_within(text, NAME_MAX);
        }
        match kinds::name_of(name) {
            Ok(text) => self.text_within(&text, NAME_MAX),
            Err(error) => self.failed(error),
        }
    }

    fn text(&mut self, text: &Bound<'py, PyString>) -> PyResult<()> {
        let left = self.limit.saturating_sub(self.out.len());
        self.text_within(text, left.min(TEXT_MAX))
    }

    /// Writes a text of at most so many bytes; what is cut off ends in an ellipsis.
    pub(crate) fn text_within(&mut self, text: &Bound<'py, PyString>, max: usize) -> PyResult<()> {
        self.out.push(b'"');
        let (text, cut) = head(text, max)?;
        let whole = match utf8(&text)? {
            Utf8::Whole(bytes) => escape(&mut self.out, bytes.as_bytes(), max),
            Utf8::Halves(bytes) => escape_halves(&mut self.out, bytes.as_bytes(), max),
        };
        if cut || !whole {
            self.out.extend_from_slice(MORE.as_bytes());
        }
        self.out.push(b'"');
        Ok(())
    }

    /// Writes a text of our own, which needs no escapes.
    fn word(&mut self, word: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'"');
    }
}

/// The text of a long integer, and whether it is a number of JSON's. What takes long to write in
/// decimal is hexadecimal, and what is longer still is told by its length.
pub(crate) fn digits<'py>(integer: &Bound<'py, PyInt>) -> PyResult<(Bound<'py, PyString>, bool)> {
    let py = integer.py();
    let kind = py.get_type::<PyInt>();
    let bits = kind.call_method1("bit_length", (integer,))?.extract::<usize>()?;
    if bits <= NUMBER_BITS_MAX {
        return Ok((kind.call_method1("__repr__", (integer,))?.cast_into()?, true));
    }
    if bits <= DIGITS_BITS_MAX {
        return Ok((kind.call_method1("__format__", (integer, "#x"))?.cast_into()?, false));
    }
    Ok((PyString::new(py, &format!("[an int of {bits} bits]")), false))
}

/// Whether a value is of a kind that takes no time to write.
pub(crate) fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_none() || value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>()
}

/// Whether a value is one of the containers that are built in.
pub(crate) fn is_built_in_container(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyDict>()
        || value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
}

/// What a value's own code raised costs that value alone; what is no `Exception`, such as
/// `KeyboardInterrupt`, is to end something, and passes through.
pub(crate) fn pass_through(py: Python<'_>, error: PyErr) -> PyResult<()> {
    if error.is_instance_of::<PyException>(py) { Ok(()) } else { Err(error) }
}
