//! A call such as `info("%d of %d", 3, 4, user=7)`: its values, its fields, and what the context adds.

use logflux_envelope::{Level, Timestamp};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::args;
use crate::client::Handle;
use crate::event::{Event, exception_text};
use crate::surroundings::{self, Source};
use crate::text::{self, Said, is_bytes, said, values};

/// Logs what a call says, as text where it is nothing else, and as one JSON object where it has fields
/// or an exception, where fields are bound, or a span is active. Of the fields, `exc_info`,
/// `stack_info` and `timestamp` are what they are in `logging` and `log`.
pub(crate) fn log(
    handle: &Handle,
    py: Python<'_>,
    level: Level,
    args: &Bound<'_, PyTuple>,
    fields: Option<&Bound<'_, PyDict>>,
    handled: bool,
) -> PyResult<()> {
    // The interpreter makes this dict for the call alone.
    let fields = fields.filter(|fields| !fields.is_empty());
    let (message, behind) = match args.get_item(0) {
        Ok(message) => (message, args.get_slice(1, args.len())),
        // By name, as functions of Python's own take it.
        Err(_) => {
            let message = taken(fields, "message");
            (message.unwrap_or_else(|| PyString::new(py, "").into_any()), args.clone())
        }
    };
    let timestamp = match taken(fields, "timestamp") {
        Some(time) => args::timestamp(Some(&time)).unwrap_or_else(|_| Timestamp::now()),
        None => Timestamp::now(),
    };
    let is_literal =
        behind.is_empty() && (message.is_instance_of::<PyString>() || is_bytes(&message));
    let message = said(&message, values(&behind)?.as_ref())?;
    let exception = match taken(fields, "exc_info") {
        Some(info) => exception_text(&info)?,
        None if handled => {
            let now = py.import("sys")?.call_method0(intern!(py, "exc_info"))?;
            exception_text(&now)?
        }
        None => None,
    };
    let stack = match taken(fields, "stack_info") {
        Some(wanted) if wanted.is_truthy().unwrap_or(false) => {
            py.import("logflux._traceback")?.call_method0("format_stack").ok()
        }
        _ => None,
    };
    let fields = fields.filter(|fields| !fields.is_empty());
    let is_text = fields.is_none()
        && exception.is_none()
        && stack.is_none()
        && !handled
        && surroundings::bound_fields(py).is_none()
        && surroundings::active_span(py).is_none();
    if is_text {
        if is_literal
            && let Said::Text(text) = &message
            && let Ok(bytes) = text.encode_utf8()
        {
            handle.take(py, level, bytes.as_bytes(), timestamp);
            return Ok(());
        }
        // What was put in may be long without anybody having meant it.
        let text = message.into_plain()?;
        let text = if is_literal { text } else { text::cut(text) };
        handle.take(py, level, &text, timestamp);
        return Ok(());
    }
    let unformatted = matches!(message, Said::Unformatted(_)) && !behind.is_empty();
    let event = Event {
        fields: fields.cloned(),
        exception,
        stack,
        args: unformatted.then(|| behind.into_any()),
        source: Source::here(py, None, &["logflux"]),
        target: None,
    };
    handle.take(py, level, &event.write(py, &message)?, timestamp);
    Ok(())
}

/// A value that is no field.
fn taken<'py>(fields: Option<&Bound<'py, PyDict>>, name: &str) -> Option<Bound<'py, PyAny>> {
    let fields = fields?;
    let value = fields.get_item(name).ok()??;
    let _ = fields.del_item(name);
    Some(value).filter(|value| !value.is_none())
}
