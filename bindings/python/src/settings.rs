//! The table of settings, for the tests of the package.

use logflux_transport::{Kind, SETTINGS};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Every setting that Python takes: its name, its variable, its kind, what it may be in words, and,
/// where it has bounds, the least and the greatest value. A duration is in seconds.
#[pyfunction]
pub(crate) fn settings(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let python = SETTINGS.iter().filter(|setting| setting.python);
    let row = |setting: &logflux_transport::Setting| {
        let row = PyDict::new(py);
        row.set_item("name", setting.name)?;
        row.set_item("variable", setting.variable)?;
        row.set_item("values", setting.kind.values())?;
        match setting.kind {
            Kind::Number { min, max, .. } | Kind::Size { min, max, .. } => {
                row.set_item("kind", "number")?;
                row.set_item("min", min)?;
                row.set_item("max", max)?;
            }
            Kind::Factor { min, max, .. } => {
                row.set_item("kind", "factor")?;
                row.set_item("min", min)?;
                row.set_item("max", max)?;
            }
            Kind::Duration { min, max, .. } => {
                row.set_item("kind", "duration")?;
                row.set_item("min", min.as_secs_f64())?;
                row.set_item("max", max.as_secs_f64())?;
            }
            Kind::Choice { words, .. } => {
                row.set_item("kind", "choice")?;
                row.set_item("words", words)?;
            }
            _ => row.set_item("kind", "text")?,
        }
        Ok(row)
    };
    python.map(row).collect()
}
