//! Settings on their way through Python's code, so that no traceback shows them.

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Values by name that show nothing of themselves: a traceback with the values of local variables has
/// the secret and the API key of a call otherwise.
#[pyclass(frozen, module = "logflux._core")]
pub(crate) struct Given(pub(crate) Py<PyDict>);

#[pymethods]
impl Given {
    #[new]
    fn new(values: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Self(values.copy()?.unbind()))
    }

    /// The names that are given a value.
    fn names(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        let given = self.0.bind(py).iter().filter(|(_, value)| !value.is_none());
        given.map(|(name, _)| name.unbind()).collect()
    }

    #[expect(clippy::unused_self, reason = "it is a method of Python's")]
    fn __repr__(&self) -> &'static str {
        "Given([redacted])"
    }
}
