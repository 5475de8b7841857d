//! What was counted.

use logflux_envelope as core;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What became of all messages of this process. At every read
/// ``accepted == delivered + sum(dropped.values()) + pending + spooled``.
#[pyclass(frozen, module = "logflux")]
pub(crate) struct ClientStats(pub(crate) logflux_transport::ClientStats);

#[pymethods]
impl ClientStats {
    /// Messages that were logged.
    #[getter]
    fn accepted(&self) -> u64 {
        self.0.accepted
    }

    /// Entries that the server has taken, duplicates included.
    #[getter]
    fn delivered(&self) -> u64 {
        self.0.delivered
    }

    /// Messages that were dropped, by reason; reasons with none are left out.
    #[getter]
    fn dropped<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dropped(py, &self.0.dropped)
    }

    /// Messages that wait in memory.
    #[getter]
    fn pending(&self) -> u64 {
        self.0.pending
    }

    /// Entries that are durable in the spool and wait to be sent.
    #[getter]
    fn spooled(&self) -> u64 {
        self.0.spooled
    }

    /// Requests that were sent.
    #[getter]
    fn requests(&self) -> u64 {
        self.0.requests
    }

    /// Requests among them that carried entries again, after a failure.
    #[getter]
    fn retries(&self) -> u64 {
        self.0.retries
    }

    /// Bytes of request bodies that were sent.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Entries that were put into the dead-letter file.
    #[getter]
    fn dead_letters(&self) -> u64 {
        self.0.dead_letters
    }

    /// Keys that were derived.
    #[getter]
    fn derivations(&self) -> u64 {
        self.0.derivations
    }

    /// What failed last, if anything: a call, the spool or the dead-letter file.
    #[getter]
    fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    fn __repr__(&self) -> String {
        let stats = &self.0;
        format!(
            "ClientStats(accepted={}, delivered={}, dropped={}, pending={}, spooled={})",
            stats.accepted,
            stats.delivered,
            stats.dropped.total(),
            stats.pending,
            stats.spooled
        )
    }
}

/// How many were dropped by each reason that there was.
pub(crate) fn dropped<'py>(
    py: Python<'py>,
    dropped: &logflux_transport::Dropped,
) -> PyResult<Bound<'py, PyDict>> {
    let by_reason = PyDict::new(py);
    for (reason, count) in dropped.iter().filter(|(_, count)| *count > 0) {
        by_reason.set_item(reason.name(), count)?;
    }
    Ok(by_reason)
}

/// What a sealer has done in this process.
#[pyclass(frozen, module = "logflux")]
pub(crate) struct SealerStats(pub(crate) core::SealerStats);

#[pymethods]
impl SealerStats {
    /// Entries that no other entry shares a key with.
    #[getter]
    fn unique(&self) -> u64 {
        self.0.unique
    }

    /// Entries that share their key with others.
    #[getter]
    fn shared(&self) -> u64 {
        self.0.shared
    }

    /// Keys derived from the secret.
    #[getter]
    fn derivations(&self) -> u64 {
        self.0.derivations
    }

    /// How often sealing had to wait for a key.
    #[getter]
    fn waits(&self) -> u64 {
        self.0.waits
    }

    /// Keys that are derived ahead now.
    #[getter]
    fn pool_level(&self) -> usize {
        self.0.pool_level
    }

    fn __repr__(&self) -> String {
        let core::SealerStats { unique, shared, derivations, waits, pool_level, .. } = self.0;
        format!(
            "SealerStats(unique={unique}, shared={shared}, derivations={derivations}, waits={waits}, pool_level={pool_level})"
        )
    }
}
