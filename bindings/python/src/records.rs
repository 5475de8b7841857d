//! Records of `logging`, structlog and loguru, each as one JSON object.

use logflux_envelope::{Level, Timestamp};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyFrozenSet, PyString, PyTuple, PyType};

use crate::args;
use crate::client::Client;
use crate::ending;
use crate::event::{Event, exception_text};
use crate::json::pass_through;
use crate::levels;
use crate::process::{Sink, with_process_sink};
use crate::surroundings::{self, Source};
use crate::text::{self, Said};

/// How many fields are looked at; no more are written.
const FIELDS_MAX: usize = 10_000;

/// What handlers write onto a record, so that several of them log it once.
fn mark(py: Python<'_>) -> &Bound<'_, PyString> {
    intern!(py, "_logflux")
}

/// What every record of `logging` has; everything else came by `extra`, or by a factory.
struct Own {
    /// In the order of a fresh record.
    names: Vec<Py<PyAny>>,
    all: Py<PyFrozenSet>,
    kind: Py<PyType>,
}

impl Own {
    fn of(py: Python<'_>) -> PyResult<&Self> {
        static OWN: PyOnceLock<Own> = PyOnceLock::new();
        OWN.get_or_try_init(py, || {
            // The class itself: a factory of the application's would add its own.
            let kind = py.import("logging")?.getattr("LogRecord")?.cast_into::<PyType>()?;
            let record = kind.call1(("", 0, "", 0, "", PyTuple::empty(py), py.None()))?;
            let fresh = record.getattr("__dict__")?.cast_into::<PyDict>()?;
            let names: Vec<_> = fresh.keys().iter().map(Bound::unbind).collect();
            let others = ["message", "asctime", "taskName"].map(|name| PyString::new(py, name));
            let all = names.iter().map(|name| name.bind(py).clone());
            let all = all.chain(others.into_iter().map(Bound::into_any));
            let all = all.chain([mark(py).clone().into_any()]);
            let all = PyFrozenSet::new(py, all)?.unbind();
            Ok(Self { names, all, kind: kind.unbind() })
        })
    }

    /// What a record has beside these.
    fn others<'py>(&self, record: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let py = record.py();
        let mut names = self.names.iter();
        let mut others: Option<Bound<'py, PyDict>> = None;
        for (name, value) in record.iter() {
            // Most are in the order of a fresh record.
            if names.next().is_some_and(|own| own.is(&name)) || self.all.bind(py).contains(&name)? {
                continue;
            }
            let others = others.get_or_insert_with(|| PyDict::new(py));
            others.set_item(name, value)?;
            if others.len() > FIELDS_MAX {
                break;
            }
        }
        Ok(others)
    }
}

/// Logs a record of `logging`. `levels` maps its numbers to levels, beside the usual ones; `formatted`
/// is the text that a formatter made, which is logged in place of the object.
#[pyfunction]
#[pyo3(signature = (client, record, levels, formatted = None))]
pub(crate) fn log_record(
    client: Option<&Bound<'_, Client>>,
    record: &Bound<'_, PyAny>,
    levels: &Bound<'_, PyDict>,
    formatted: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = record.py();
    let vars = record.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
    let get = |name| member(&vars, name);
    let level = level_of(get(intern!(py, "levelno"))?.as_ref(), levels);
    with_sink(client, level, |sink| {
        if is_logged_already(&vars, sink)? {
            return Ok(());
        }
        let timestamp = timestamp(get(intern!(py, "created"))?.as_ref());
        if let Some(text) = formatted {
            let text = text::cut(text::said(text, None)?.into_plain()?);
            return sink.take(py, level, text, timestamp);
        }
        let own = Own::of(py)?;
        let (message, failed_args) = message_of(record, &vars, own)?;
        let mut event = Event {
            target: get(intern!(py, "name"))?,
            fields: own.others(&vars)?,
            stack: get(intern!(py, "stack_info"))?,
            args: failed_args,
            ..Event::default()
        };
        event.exception = match get(intern!(py, "exc_text"))? {
            Some(text) if text.is_truthy().unwrap_or(false) => Some(text),
            _ => match get(intern!(py, "exc_info"))? {
                Some(info) => exception_text(&info)?,
                None => None,
            },
        };
        event.source = Source {
            file: get(intern!(py, "pathname"))?,
            line: get(intern!(py, "lineno"))?,
            function: get(intern!(py, "funcName"))?,
            thread: get(intern!(py, "threadName"))?,
            process: get(intern!(py, "process"))?,
        };
        sink.take(py, level, event.write(py, &Said::Text(message))?, timestamp)
    })
}

/// What a dict has by a name, unless that is `None`.
fn member<'py>(
    dict: &Bound<'py, PyDict>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(dict.get_item(name)?.filter(|value| !value.is_none()))
}

/// The level of a record.
fn level_of(number: Option<&Bound<'_, PyAny>>, levels: &Bound<'_, PyDict>) -> Level {
    let Some(number) = number else { return Level::Info };
    if !levels.is_empty()
        && let Ok(Some(level)) = levels.get_item(number)
    {
        return levels::any(&level);
    }
    levels::whole(number).map_or(Level::Info, levels::of_logging)
}

/// The message of a record with its values put in, and the values where they do not go in.
fn message_of<'py>(
    record: &Bound<'py, PyAny>,
    vars: &Bound<'py, PyDict>,
    own: &Own,
) -> PyResult<(Bound<'py, PyString>, Option<Bound<'py, PyAny>>)> {
    let py = record.py();
    if !own.kind.is(record.get_type()) {
        // It may have another way to put values in.
        match record.call_method0(intern!(py, "getMessage")) {
            Ok(text) => return Ok((text.str()?, None)),
            Err(error) => pass_through(py, error)?,
        }
    }
    let message =
        vars.get_item(intern!(py, "msg"))?.unwrap_or_else(|| PyString::new(py, "").into_any());
    let args = vars.get_item(intern!(py, "args"))?.filter(|args| match args.cast::<PyTuple>() {
        Ok(args) => !args.is_empty(),
        Err(_) => args.is_truthy().unwrap_or(true),
    });
    match text::said(&message, args.as_ref())? {
        Said::Text(text) => Ok((text, None)),
        // As `str` has it.
        Said::Bytes(_) => Ok((crate::kinds::text_of(&message)?, None)),
        Said::Unformatted(bytes) => Ok((PyString::new(py, &String::from_utf8_lossy(&bytes)), args)),
    }
}

/// Whether another handler has logged this record through the same client. If not, this one does now.
fn is_logged_already(vars: &Bound<'_, PyDict>, sink: &Sink<'_>) -> PyResult<bool> {
    let py = vars.py();
    let mark = mark(py);
    let id = sink.id();
    let ids = match vars.get_item(mark)? {
        None => PyTuple::new(py, [id])?,
        Some(ids) => match ids.cast_into::<PyTuple>() {
            Ok(ids) if ids.contains(id)? => return Ok(true),
            Ok(ids) => {
                let id = id.into_pyobject(py)?.into_any();
                PyTuple::new(py, ids.iter().chain([id]).collect::<Vec<_>>())?
            }
            Err(_) => PyTuple::new(py, [id])?,
        },
    };
    vars.set_item(mark, ids)?;
    Ok(false)
}

/// Seconds since 1970, or now where that is none.
fn timestamp(value: Option<&Bound<'_, PyAny>>) -> Timestamp {
    let read = |value: &Bound<'_, PyAny>| match value.cast::<PyFloat>() {
        Ok(seconds) => args::from_seconds(seconds.value()),
        Err(_) => args::timestamp(Some(value)).ok(),
    };
    value.and_then(read).unwrap_or_else(Timestamp::now)
}

/// What is not among the fields of an event of structlog: it stands elsewhere.
const ELSEWHERE: [&str; 8] =
    ["event", "level", "logger", "exc_info", "exception", "stack", "_record", "_from_structlog"];

/// Logs an event of structlog.
#[pyfunction]
#[pyo3(signature = (client, method, event))]
pub(crate) fn log_structlog(
    client: Option<&Bound<'_, Client>>,
    method: &Bound<'_, PyAny>,
    event: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = event.py();
    let event = match event.cast::<PyDict>() {
        Ok(dict) => dict.clone(),
        Err(_) => py.get_type::<PyDict>().call1((event,))?.cast_into()?,
    };
    let get = |name: &str| event.get_item(name).map(|value| value.filter(|value| !value.is_none()));
    let of_name = |name: &Bound<'_, PyAny>| {
        let name = name.cast::<PyString>().ok()?;
        levels::of_name(&name.to_string_lossy())
    };
    let level = match of_name(method) {
        Some(level) => level,
        None => get("level")?.map_or(Level::Info, |level| levels::any(&level)),
    };
    with_sink(client, level, |sink| {
        let fields = PyDict::new(py);
        for (name, value) in event.iter().take(FIELDS_MAX + ELSEWHERE.len()) {
            fields.set_item(name, value)?;
        }
        for name in ELSEWHERE {
            if fields.contains(name)? {
                fields.del_item(name)?;
            }
        }
        let nothing = PyString::new(py, "").into_any();
        let message = event.get_item("event")?.unwrap_or(nothing);
        let exception = match get("exception")? {
            Some(text) => Some(text),
            None => get("exc_info")?.map_or(Ok(None), |info| exception_text(&info))?,
        };
        let written = Event {
            target: get("logger")?,
            fields: Some(fields),
            exception,
            stack: get("stack")?,
            args: None,
            source: Source::here(py, surroundings::structlog_caller(py), &["structlog", "logflux"]),
        };
        let message = as_text(text::said(&message, None)?, &message)?;
        sink.take(py, level, written.write(py, &message)?, Timestamp::now())
    })
}

/// Bytes as `str` has them.
fn as_text<'a, 'py>(said: Said<'a, 'py>, value: &Bound<'py, PyAny>) -> PyResult<Said<'a, 'py>> {
    match said {
        Said::Bytes(_) => crate::kinds::text_of(value).map(Said::Text),
        said => Ok(said),
    }
}

/// Logs a message of loguru: its record.
#[pyfunction]
#[pyo3(signature = (client, record))]
pub(crate) fn log_loguru(
    client: Option<&Bound<'_, Client>>,
    record: &Bound<'_, PyDict>,
) -> PyResult<()> {
    let py = record.py();
    let get =
        |name: &str| record.get_item(name).map(|value| value.filter(|value| !value.is_none()));
    let part = |of: &str, name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        get(of)?.map(|value| value.getattr(name)).transpose()
    };
    let level = level_of(part("level", "no")?.as_ref(), &PyDict::new(py));
    with_sink(client, level, |sink| {
        let nothing = PyString::new(py, "").into_any();
        let message = get("message")?.unwrap_or(nothing);
        let exception = match get("exception")? {
            // It is a tuple with names.
            Some(info) => exception_text(&info)?,
            None => None,
        };
        let written = Event {
            target: get("name")?,
            fields: get("extra")?.and_then(|extra| extra.cast_into().ok()),
            exception,
            source: Source {
                file: part("file", "path")?,
                line: get("line")?,
                function: get("function")?,
                thread: part("thread", "name")?,
                process: part("process", "id")?,
            },
            ..Event::default()
        };
        let time = get("time")?.and_then(|time| time.call_method0("timestamp").ok());
        let message = text::said(&message, None)?;
        sink.take(py, level, written.write(py, &message)?, timestamp(time.as_ref()))
    })
}

/// Does something with where this client's records go, unless they go nowhere.
fn with_sink(
    client: Option<&Bound<'_, Client>>,
    level: Level,
    work: impl FnOnce(&Sink<'_>) -> PyResult<()>,
) -> PyResult<()> {
    if ending::inside() {
        return Ok(());
    }
    let work = |sink: &Sink<'_>| if sink.is_enabled(level) { work(sink) } else { Ok(()) };
    match client {
        Some(client) => work(&Sink::Client(client.get().handle()?)),
        None => with_process_sink(work),
    }
}
