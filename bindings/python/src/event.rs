//! The JSON object that a structured record becomes.
//!
//! ```json
//! {"message":"logged in","target":"app.auth","fields":{"user":4711},"source":{"file":"app.py","line":7}}
//! ```

use std::io::Write;

use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::escape::{escape, whole_characters};
use crate::json::{FIELDS_MAX, Json, UNFORMATTED, pass_through};
use crate::kinds;
use crate::surroundings::{self, Source};
use crate::text::Said;

/// How many bytes of JSON the message of a record may take. With all other bounds this is less than a
/// message may have in any mode.
const MESSAGE_MAX: usize = 384 * 1024;
/// How many bytes of JSON a traceback may take, and a stack.
const TRACEBACK_MAX: usize = 64 * 1024;
/// How many bytes of JSON a name may take: the logger's, a file's.
const NAME_MAX: usize = 4 * 1024;

/// The parts of a record; what there is none of is left out.
#[derive(Default)]
pub(crate) struct Event<'py> {
    pub(crate) target: Option<Bound<'py, PyAny>>,
    pub(crate) fields: Option<Bound<'py, PyDict>>,
    pub(crate) exception: Option<Bound<'py, PyAny>>,
    pub(crate) stack: Option<Bound<'py, PyAny>>,
    /// Values that could not be put into the message.
    pub(crate) args: Option<Bound<'py, PyAny>>,
    pub(crate) source: Source<'py>,
}

impl<'py> Event<'py> {
    /// The object, with what the context adds.
    pub(crate) fn write(&self, py: Python<'py>, message: &Said<'_, 'py>) -> PyResult<Vec<u8>> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"{\"message\":");
        let mut json = Json::new(py, out, FIELDS_MAX);
        match message {
            Said::Text(text) => json.text_within(text, MESSAGE_MAX)?,
            Said::Bytes(bytes) => raw(&mut json.out, bytes, MESSAGE_MAX),
            Said::Unformatted(bytes) => raw(&mut json.out, bytes, MESSAGE_MAX),
        }
        if let Some(target) = &self.target {
            json.out.extend_from_slice(b",\"target\":");
            name(&mut json, target)?;
        }
        let mut json = self.write_fields(py, json.out)?;
        if let Some(exception) = &self.exception {
            json.out.extend_from_slice(b",\"exception\":");
            long(&mut json, exception)?;
        }
        if let Some(stack) = &self.stack {
            json.out.extend_from_slice(b",\"stack\":");
            long(&mut json, stack)?;
        }
        if let Some(span) = surroundings::active_span(py) {
            let surroundings::Span { trace, span } = span;
            // Writing into memory does not fail.
            let _ = write!(json.out, ",\"trace_id\":\"{trace:032x}\",\"span_id\":\"{span:016x}\"");
        }
        self.write_source(&mut json)?;
        json.out.push(b'}');
        Ok(json.out)
    }

    fn write_fields(&self, py: Python<'py>, out: Vec<u8>) -> PyResult<Json<'py>> {
        let mut json = Json::new(py, out, FIELDS_MAX);
        let mut own = self.fields.clone().filter(|fields| !fields.is_empty());
        if let Some(bound) = surroundings::bound_fields(py) {
            let all = bound.copy()?;
            if let Some(own) = &own {
                all.update(own.as_mapping())?;
            }
            own = Some(all);
        }
        if let Some(fields) = &own {
            json.out.extend_from_slice(b",\"fields\":");
            json.value(fields)?;
        }
        if let Some(args) = &self.args {
            json.out.extend_from_slice(b",\"args\":");
            json.value(args)?;
        }
        Ok(json)
    }

    fn write_source(&self, json: &mut Json<'py>) -> PyResult<()> {
        let Source { file, line, function, thread, process } = &self.source;
        let parts = [
            ("file", file),
            ("line", line),
            ("function", function),
            ("thread", thread),
            ("process", process),
        ];
        let mut opened = false;
        for (part, value) in parts {
            let Some(value) = value.as_ref().filter(|value| !value.is_none()) else { continue };
            json.out.extend_from_slice(if opened { b"," } else { b",\"source\":{" });
            opened = true;
            json.out.push(b'"');
            json.out.extend_from_slice(part.as_bytes());
            json.out.extend_from_slice(b"\":");
            name(json, value)?;
        }
        if opened {
            json.out.push(b'}');
        }
        Ok(())
    }
}

/// A text of which nothing is known but its bytes.
fn raw(out: &mut Vec<u8>, bytes: &[u8], max: usize) {
    let text = String::from_utf8_lossy(bytes);
    out.push(b'"');
    if !escape(out, text.as_bytes(), max) {
        out.extend_from_slice("…".as_bytes());
    }
    out.push(b'"');
}

/// A short value: a text, or a number as it is.
fn name<'py>(json: &mut Json<'py>, value: &Bound<'py, PyAny>) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        return json.text_within(text, NAME_MAX);
    }
    if let Ok(number) = value.extract::<i64>() {
        let _ = write!(json.out, "{number}");
        return Ok(());
    }
    match kinds::name_of(value) {
        Ok(text) => json.text_within(&text, NAME_MAX),
        Err(error) => {
            pass_through(value.py(), error)?;
            raw(&mut json.out, UNFORMATTED.as_bytes(), NAME_MAX);
            Ok(())
        }
    }
}

/// A traceback, whose end says the most: a long one is cut in its midst.
fn long<'py>(json: &mut Json<'py>, value: &Bound<'py, PyAny>) -> PyResult<()> {
    const RAW_MAX: usize = TRACEBACK_MAX * 3 / 4;
    let py = value.py();
    let Ok(text) = value.cast::<PyString>() else {
        // Some libraries give it in parts.
        let mut part = Json::new(py, std::mem::take(&mut json.out), TRACEBACK_MAX);
        part.value(value)?;
        json.out = part.out;
        return Ok(());
    };
    let bytes = text.encode_utf8();
    if let Ok(bytes) = bytes
        && bytes.as_bytes().len() > RAW_MAX
    {
        let bytes = bytes.as_bytes();
        let head = whole_characters(bytes, RAW_MAX / 4);
        let mut tail = bytes.len() - RAW_MAX / 4 * 3;
        while bytes.get(tail).is_some_and(|byte| byte & 0xC0 == 0x80) {
            tail += 1;
        }
        json.out.push(b'"');
        escape(&mut json.out, head, TRACEBACK_MAX);
        json.out.extend_from_slice("\\n…\\n".as_bytes());
        escape(&mut json.out, bytes.get(tail..).unwrap_or_default(), TRACEBACK_MAX);
        json.out.push(b'"');
        return Ok(());
    }
    json.text_within(text, TRACEBACK_MAX)
}

/// The text of an exception with its traceback. `info` is what `exc_info` may be: an exception, the
/// three that `sys.exc_info` gives, or anything true for the one that is handled now.
pub(crate) fn exception_text<'py>(info: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    static FORMAT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = info.py();
    let exception = if info.is_none() {
        return Ok(None);
    } else if info.is_instance_of::<PyBaseException>() {
        info.clone()
    } else if let Ok(three) = info.cast::<PyTuple>()
        && three.len() == 3
    {
        three.get_item(1)?
    } else if info.is_truthy().unwrap_or(false) {
        py.import("sys")?.call_method0(intern!(py, "exc_info"))?.get_item(1)?
    } else {
        return Ok(None);
    };
    if !exception.is_instance_of::<PyBaseException>() {
        return Ok(None);
    }
    let format = FORMAT.import(py, "logflux._traceback", "format_exception")?;
    format.call1((exception,)).map(Some)
}
