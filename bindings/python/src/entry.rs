//! What travels for one message.

use logflux_envelope as core;
use logflux_wire::base64;
use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::args::{self, wrong_type};
use crate::errors;

/// What travels for one message: seven valid fields. It is equal to its canonical JSON, as text or
/// as bytes, and to its dict.
#[pyclass(frozen, module = "logflux")]
pub(crate) struct Entry(pub(crate) core::Entry);

#[pymethods]
impl Entry {
    /// Reads an entry: JSON as ``str`` or ``bytes``, a dict, or an ``Entry``. It reads strictly, but
    /// fields that no entry has are ignored.
    #[staticmethod]
    fn parse(entry: &Bound<'_, PyAny>) -> PyResult<Self> {
        self::entry(entry).map(Self)
    }

    /// The canonical JSON, the one form that every implementation writes.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The seven fields by their JSON names, with ``str`` and ``int`` values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        fields.set_item("node", self.node())?;
        fields.set_item("payload", self.payload())?;
        fields.set_item("loglevel", self.0.level().number())?;
        fields.set_item("timestamp", self.timestamp())?;
        fields.set_item("encryption_mode", self.0.mode().number())?;
        fields.set_item("iv", self.iv())?;
        fields.set_item("salt", self.salt())?;
        Ok(fields)
    }

    /// The sender's name.
    #[getter]
    fn node(&self) -> &str {
        self.0.node().as_str()
    }

    /// The sealed message in base64.
    #[getter]
    fn payload(&self) -> String {
        base64::encode(self.0.payload().as_bytes())
    }

    /// The severity, 1 to 8.
    #[getter]
    fn loglevel<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static LEVEL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        LEVEL.import(py, "logflux._types", "Level")?.call1((self.0.level().number(),))
    }

    /// The time in RFC 3339 and UTC.
    #[getter]
    fn timestamp(&self) -> String {
        self.0.timestamp().to_string()
    }

    /// How the entry is sealed.
    #[getter]
    fn encryption_mode<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static MODE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        MODE.import(py, "logflux._types", "Mode")?.call1((self.0.mode().number(),))
    }

    /// The initialisation vector in base64: 12 bytes.
    #[getter]
    fn iv(&self) -> String {
        base64::encode(self.0.iv().as_bytes())
    }

    /// The salt in base64: 32 bytes.
    #[getter]
    fn salt(&self) -> String {
        base64::encode(self.0.salt().as_bytes())
    }

    fn __richcmp__(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyAny>,
        op: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        let equal = if let Ok(entry) = other.cast::<Self>() {
            self.0 == entry.get().0
        } else if let Ok(text) = other.cast::<PyString>() {
            args::text(text).is_some_and(|text| *text == self.0.to_json())
        } else if let Some(bytes) = args::bytes(other) {
            *bytes == *self.0.to_json().as_bytes()
        } else if other.is_instance_of::<PyDict>() {
            self.to_dict(py)?.eq(other)?
        } else {
            return Ok(py.NotImplemented());
        };
        match op {
            CompareOp::Eq => Ok(equal.into_pyobject(py)?.to_owned().into_any().unbind()),
            CompareOp::Ne => Ok((!equal).into_pyobject(py)?.to_owned().into_any().unbind()),
            _ => Ok(py.NotImplemented()),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        // That of its JSON, to which it is equal.
        PyString::new(py, &self.0.to_json()).hash()
    }

    fn __str__(&self) -> String {
        self.0.to_json()
    }

    fn __repr__(&self) -> String {
        format!(
            "Entry(node={:?}, loglevel={}, timestamp='{}', encryption_mode={}, payload=<{} sealed bytes>)",
            self.0.node().as_str(),
            self.0.level().number(),
            self.0.timestamp(),
            self.0.mode().number(),
            self.0.payload().as_bytes().len()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let parse = py.get_type::<Self>().getattr("parse")?;
        (parse, (self.0.to_json(),)).into_pyobject(py)
    }
}

/// An entry in any of its forms.
pub(crate) fn entry(value: &Bound<'_, PyAny>) -> PyResult<core::Entry> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if let Ok(entry) = value.cast::<Entry>() {
        return Ok(entry.get().0.clone());
    }
    if let Ok(string) = value.cast::<PyString>() {
        let json = args::text(string)
            .ok_or_else(|| errors::not_json("the text holds an unpaired surrogate"))?;
        return core::Entry::parse(json.as_bytes()).map_err(|error| errors::entry(&error));
    }
    if let Some(json) = args::bytes(value) {
        return core::Entry::parse(&json).map_err(|error| errors::entry(&error));
    }
    if value.is_instance_of::<PyDict>() {
        let dumps = DUMPS.import(value.py(), "json", "dumps")?;
        let json = dumps.call1((value,)).and_then(|json| json.extract::<String>());
        let json =
            json.map_err(|_| errors::not_json("a value of the dict is none that JSON has"))?;
        return core::Entry::parse(json.as_bytes()).map_err(|error| errors::entry(&error));
    }
    Err(wrong_type("entry", "an Entry, a dict, or JSON as str or bytes", value))
}
