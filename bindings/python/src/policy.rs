//! How a sealer spends key derivations.

use logflux_envelope as core;
use pyo3::prelude::*;

use crate::args::duration;
use crate::errors;

/// How a sealer in modes 1 to 4 spends key derivations: `unique()`, `adaptive()` (the default) or
/// `bounded()`.
#[pyclass(frozen, eq, module = "logflux")]
#[derive(Clone, PartialEq)]
pub(crate) struct KeyPolicy(pub(crate) core::KeyPolicy);

#[pymethods]
impl KeyPolicy {
    /// Every entry has its own salt and key; sealing waits for them.
    #[staticmethod]
    fn unique() -> Self {
        Self(core::KeyPolicy::Unique)
    }

    /// Own keys while derivation keeps up within ``budget`` (a part of one core, above 0 and at most
    /// 1); else entries share the newest, up to ``max_entries`` or ``max_age``.
    #[staticmethod]
    #[pyo3(signature = (*, budget = 0.1, max_entries = 65_536, max_age = None))]
    fn adaptive(
        budget: f64,
        max_entries: u64,
        max_age: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut policy = core::KeyPolicy::DEFAULT;
        if let core::KeyPolicy::Adaptive { budget: b, max_entries: n, max_age: age } = &mut policy {
            (*b, *n) = (budget, max_entries);
            if let Some(given) = max_age {
                *age = duration("max_age", given)?;
            }
        }
        Self::checked(policy)
    }

    /// One key for all entries, up to ``max_entries`` (at most 2^20) or ``max_age`` (at most 1 h).
    #[staticmethod]
    #[pyo3(signature = (*, max_entries = 1_048_576, max_age = None))]
    fn bounded(max_entries: u64, max_age: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut policy = core::KeyPolicy::BOUNDED;
        if let core::KeyPolicy::Bounded { max_entries: n, max_age: age } = &mut policy {
            *n = max_entries;
            if let Some(given) = max_age {
                *age = duration("max_age", given)?;
            }
        }
        Self::checked(policy)
    }

    /// `unique`, `adaptive` or `bounded`.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn __repr__(&self) -> String {
        match self.0 {
            core::KeyPolicy::Adaptive { budget, max_entries, max_age } => format!(
                "KeyPolicy.adaptive(budget={budget}, max_entries={max_entries}, max_age={})",
                max_age.as_secs_f64()
            ),
            core::KeyPolicy::Bounded { max_entries, max_age } => format!(
                "KeyPolicy.bounded(max_entries={max_entries}, max_age={})",
                max_age.as_secs_f64()
            ),
            _ => format!("KeyPolicy.{}()", self.0.name()),
        }
    }
}

impl KeyPolicy {
    fn checked(policy: core::KeyPolicy) -> PyResult<Self> {
        policy.check().map(|()| Self(policy)).map_err(errors::policy)
    }
}
