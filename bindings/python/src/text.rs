//! The text of a message: never refused, never without bounds.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PySlice, PyString, PyTuple};

use crate::escape::whole_characters;
use crate::json::{UNFORMATTED, is_plain, pass_through};
use crate::kinds::replacement;

/// How many bytes a message may have in every mode.
pub(crate) const PLAIN_MAX: usize = 786_384;
/// What stands for what was cut off.
const CUT: &str = "… [cut]";

/// A text of Python's as bytes.
pub(crate) enum Utf8<'py> {
    /// Proper UTF-8.
    Whole(Bound<'py, PyBytes>),
    /// With halves of surrogate pairs, each in three bytes.
    Halves(Bound<'py, PyBytes>),
}

/// The bytes of a text, whatever it holds.
pub(crate) fn utf8<'py>(text: &Bound<'py, PyString>) -> PyResult<Utf8<'py>> {
    if let Ok(bytes) = text.encode_utf8() {
        return Ok(Utf8::Whole(bytes));
    }
    encoded(text, "surrogatepass").map(Utf8::Halves)
}

fn encoded<'py>(text: &Bound<'py, PyString>, errors: &str) -> PyResult<Bound<'py, PyBytes>> {
    // That of `str` itself: a subclass may have another.
    let kind = text.py().get_type::<PyString>();
    Ok(kind.call_method1("encode", (text, "utf-8", errors))?.cast_into()?)
}

/// The first `max` characters of a text, and whether there are more.
pub(crate) fn head<'py>(
    text: &Bound<'py, PyString>,
    max: usize,
) -> PyResult<(Bound<'py, PyString>, bool)> {
    if text.code_point_len()? <= max {
        return Ok((text.clone(), false));
    }
    let py = text.py();
    let end = isize::try_from(max).unwrap_or(isize::MAX);
    let head = py
        .get_type::<PyString>()
        .call_method1("__getitem__", (text, PySlice::new(py, 0, end, 1)))?;
    Ok((head.cast_into()?, true))
}

/// What is logged: text, or bytes as they are.
pub(crate) enum Said<'a, 'py> {
    Text(Bound<'py, PyString>),
    Bytes(Cow<'a, [u8]>),
    /// Its values could not be put in.
    Unformatted(Vec<u8>),
}

impl Said<'_, '_> {
    /// The bytes of a message that is logged by itself; halves of surrogate pairs are written as
    /// `\udc80`.
    pub(crate) fn into_plain(self) -> PyResult<Vec<u8>> {
        match self {
            Self::Text(text) => lossless(&text),
            Self::Bytes(bytes) => Ok(bytes.into_owned()),
            Self::Unformatted(bytes) => Ok(bytes),
        }
    }
}

/// Cuts what is too long for a message.
pub(crate) fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() > PLAIN_MAX {
        let kept = whole_characters(&bytes, PLAIN_MAX - CUT.len()).len();
        bytes.truncate(kept);
        bytes.extend_from_slice(CUT.as_bytes());
    }
    bytes
}

/// UTF-8 of a text; halves of surrogate pairs are written as `\udc80`.
fn lossless(text: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    let bytes = match text.encode_utf8() {
        Ok(bytes) => bytes,
        Err(_) => encoded(text, "backslashreplace")?,
    };
    Ok(bytes.as_bytes().to_vec())
}

/// The text of anything, with `args` (a tuple or a mapping) put in as `%` does it. A value that cannot
/// be formatted is replaced by words that say so; only what is no `Exception` (such as
/// `KeyboardInterrupt`) passes through.
pub(crate) fn said<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
    args: Option<&Bound<'py, PyAny>>,
) -> PyResult<Said<'a, 'py>> {
    if args.is_none() {
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Said::Text(text.clone()));
        }
        if let Some(bytes) = bytes(value) {
            return Ok(Said::Bytes(bytes));
        }
    }
    let formatted = match args {
        None => text_of(value),
        Some(args) => formatted(value, args),
    };
    match formatted {
        Ok(text) => Ok(Said::Text(text)),
        Err(error) => {
            pass_through(value.py(), error)?;
            // The text before its values were to be put in says more than nothing.
            let mut text = match value.cast::<PyString>() {
                Ok(format) => lossless(&head(format, PLAIN_MAX)?.0)?,
                Err(_) => Vec::new(),
            };
            text.extend_from_slice(if text.is_empty() { b"" } else { b" " });
            text.extend_from_slice(UNFORMATTED.as_bytes());
            Ok(Said::Unformatted(text))
        }
    }
}

/// The bytes of `bytes` or `bytearray`, which are a message as they are.
fn bytes<'a>(value: &'a Bound<'_, PyAny>) -> Option<Cow<'a, [u8]>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some(Cow::Borrowed(bytes.as_bytes()));
    }
    value.cast::<PyByteArray>().ok().map(|bytes| Cow::Owned(bytes.to_vec()))
}

/// Whether a value is `bytes` or `bytearray`.
pub(crate) fn is_bytes(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>()
}

/// What `str` makes of a value, unless that would take long.
fn text_of<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    match replacement(value)? {
        Some(text) => Ok(text),
        None => value.str(),
    }
}

fn formatted<'py>(
    value: &Bound<'py, PyAny>,
    args: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyString>> {
    let format = match value.cast::<PyString>() {
        Ok(format) => format.clone(),
        Err(_) => text_of(value)?,
    };
    let safe = match args.cast::<PyTuple>() {
        Ok(several) => safe_tuple(several)?,
        Err(_) => safe_mapping(&format, args)?,
    };
    let first = match format.rem(&safe) {
        Ok(text) => return text.str(),
        Err(error) => error,
    };
    pass_through(value.py(), first)?;
    // An integer may be too long for `%s`.
    let Ok(several) = safe.cast::<PyTuple>() else { return format.rem(safe)?.str() };
    format.rem(with_long_integers_as_text(several)?)?.str()
}

/// The values, with others in place of those whose text would take long.
fn safe_tuple<'py>(args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let mut changed: Option<Vec<Bound<'py, PyAny>>> = None;
    for (index, value) in args.iter().enumerate() {
        if is_integer(&value) {
            continue;
        }
        if let Some(text) = replacement(&value)? {
            let all = changed.get_or_insert_with(|| args.iter().collect());
            if let Some(place) = all.get_mut(index) {
                *place = text.into_any();
            }
        }
    }
    match changed {
        Some(values) => Ok(PyTuple::new(args.py(), values)?.into_any()),
        None => Ok(args.clone().into_any()),
    }
}

fn is_integer(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<pyo3::types::PyInt>()
}

fn with_long_integers_as_text<'py>(args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let mut values = Vec::new();
    for value in args {
        values.push(replacement(&value)?.map_or(value, Bound::into_any));
    }
    Ok(PyTuple::new(args.py(), values)?.into_any())
}

/// As `safe_tuple`, of a mapping that gives values by their names.
fn safe_mapping<'py>(
    format: &Bound<'py, PyString>,
    args: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    const LOOKED_AT: usize = 1_000;
    if !format.contains("%(")? {
        // All of it is one value.
        let text = replacement(args)?;
        return Ok(text.map_or_else(|| args.clone(), Bound::into_any));
    }
    let Ok(dict) = args.cast::<PyDict>() else { return Ok(args.clone()) };
    if dict.len() > LOOKED_AT {
        return Ok(args.clone());
    }
    let items: Vec<_> = dict.iter().collect();
    let mut changed: Option<Bound<'py, PyDict>> = None;
    for (name, value) in items {
        if let Some(text) = replacement(&value)?
            && !is_integer(&value)
        {
            let copy = match changed.take() {
                Some(copy) => copy,
                None => dict.copy()?,
            };
            copy.set_item(name, text)?;
            changed = Some(copy);
        }
    }
    Ok(changed.map_or_else(|| args.clone(), Bound::into_any))
}

/// What `%` is given by the values behind a message: as `logging` has it, one mapping gives its values
/// by their names.
pub(crate) fn values<'py>(args: &Bound<'py, PyTuple>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if args.is_empty() {
        return Ok(None);
    }
    if args.len() == 1 {
        let only = args.get_item(0)?;
        // Most values are of a kind that has none.
        let simple = is_plain(&only) || only.is_instance_of::<PyString>();
        let by_name = !simple
            && match only.hasattr("keys") {
                Ok(has) => has,
                Err(error) => pass_through(args.py(), error).map(|()| false)?,
            };
        if by_name {
            return Ok(Some(only));
        }
    }
    Ok(Some(args.clone().into_any()))
}
