//! What is around a logging call: fields that are bound to the context, the span of a trace, the
//! place in the program, the thread and the process.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

/// Whether anything was ever bound, in any context.
static BOUND: AtomicBool = AtomicBool::new(false);
/// The variable that holds what is bound.
static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Tells in which variable the fields of a context are.
#[pyfunction]
pub(crate) fn set_context_variable(variable: Bound<'_, PyAny>) {
    let _ = VARIABLE.set(variable.py(), variable.unbind());
    BOUND.store(true, Ordering::Release);
}

/// The fields that are bound in this context, if there are any.
pub(crate) fn bound_fields<'py>(py: Python<'py>) -> Option<Bound<'py, PyDict>> {
    if !BOUND.load(Ordering::Acquire) {
        return None;
    }
    let variable = VARIABLE.get(py)?.bind(py);
    let fields = variable.call_method1(intern!(py, "get"), (py.None(),)).ok()?;
    fields.cast_into::<PyDict>().ok().filter(|fields| !fields.is_empty())
}

/// The modules that are imported.
fn modules<'py>(py: Python<'py>) -> Option<&'py Bound<'py, PyDict>> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    MODULES.import(py, "sys", "modules").ok()
}

/// A module, where somebody has imported it.
fn imported<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> Option<Bound<'py, PyAny>> {
    modules(py)?.get_item(name).ok()?.filter(|module| !module.is_none())
}

/// The numbers of the trace and of its span that is active, by OpenTelemetry.
pub(crate) struct Span {
    pub(crate) trace: u128,
    pub(crate) span: u64,
}

pub(crate) fn active_span(py: Python<'_>) -> Option<Span> {
    let trace = imported(py, intern!(py, "opentelemetry.trace"))?;
    let span = trace.call_method0(intern!(py, "get_current_span")).ok()?;
    let context = span.call_method0(intern!(py, "get_span_context")).ok()?;
    let is_valid = context.getattr(intern!(py, "is_valid")).ok()?.is_truthy().ok()?;
    if !is_valid {
        return None;
    }
    let trace = context.getattr(intern!(py, "trace_id")).ok()?.extract().ok()?;
    let span = context.getattr(intern!(py, "span_id")).ok()?.extract().ok()?;
    Some(Span { trace, span })
}

/// Where a record comes from; what is not known is left out.
#[derive(Default)]
pub(crate) struct Source<'py> {
    pub(crate) file: Option<Bound<'py, PyAny>>,
    pub(crate) line: Option<Bound<'py, PyAny>>,
    pub(crate) function: Option<Bound<'py, PyAny>>,
    pub(crate) thread: Option<Bound<'py, PyAny>>,
    pub(crate) process: Option<Bound<'py, PyAny>>,
}

impl<'py> Source<'py> {
    /// The place that calls, by its frame where that is known, past those of the packages `past`.
    pub(crate) fn here(py: Python<'py>, from: Option<Bound<'py, PyAny>>, past: &[&str]) -> Self {
        let mut source = Self::of_thread(py);
        if let Some(frame) = frame(py, from, past) {
            let code = frame.getattr(intern!(py, "f_code")).ok();
            source.line = frame.getattr(intern!(py, "f_lineno")).ok();
            if let Some(code) = code {
                source.file = code.getattr(intern!(py, "co_filename")).ok();
                source.function = code.getattr(intern!(py, "co_name")).ok();
            }
        }
        source
    }

    fn of_thread(py: Python<'py>) -> Self {
        let thread = match imported(py, intern!(py, "threading")) {
            Some(threading) => threading
                .call_method0(intern!(py, "current_thread"))
                .and_then(|thread| thread.getattr(intern!(py, "name")))
                .ok(),
            None => Some(intern!(py, "MainThread").clone().into_any()),
        };
        let process = std::process::id().into_pyobject(py).ok().map(Bound::into_any);
        Self { thread, process, ..Self::default() }
    }
}

/// The frame that called structlog from a coroutine, for which it works on another thread.
pub(crate) fn structlog_caller<'py>(py: Python<'py>) -> Option<Bound<'py, PyAny>> {
    let contextvars = imported(py, intern!(py, "structlog.contextvars"))?;
    let calling = contextvars.getattr_opt(intern!(py, "_ASYNC_CALLING_STACK")).ok()??;
    let frame = calling.call_method1(intern!(py, "get"), (py.None(),)).ok()?;
    Some(frame).filter(|frame| !frame.is_none())
}

/// The frame that calls. More frames than these are not looked at.
fn frame<'py>(
    py: Python<'py>,
    from: Option<Bound<'py, PyAny>>,
    past: &[&str],
) -> Option<Bound<'py, PyAny>> {
    const FRAMES_MAX: usize = 64;
    static GET_FRAME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let mut frame = match from {
        Some(frame) => frame,
        None => GET_FRAME.import(py, "sys", "_getframe").ok()?.call0().ok()?,
    };
    for _ in 0..FRAMES_MAX {
        let globals = frame.getattr(intern!(py, "f_globals")).ok()?;
        let globals = globals.cast::<PyDict>().ok()?;
        let name = globals.get_item(intern!(py, "__name__")).ok().flatten();
        let name = name.as_ref().and_then(|name| name.cast::<PyString>().ok());
        let name = name.map(|name| name.to_string_lossy());
        let is_past = name.is_some_and(|name| {
            past.iter().any(|past| {
                name.strip_prefix(past).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        });
        if !is_past {
            return Some(frame);
        }
        frame = frame.getattr(intern!(py, "f_back")).ok().filter(|frame| !frame.is_none())?;
    }
    None
}
