//! Sealing: a message becomes an entry.

use logflux_envelope as core;
use logflux_envelope::{Level, Message, Mode, Node, Timestamp};
use pyo3::prelude::*;

use crate::args;
use crate::entry::Entry;
use crate::errors;
use crate::policy::KeyPolicy;
use crate::secret;
use crate::stats::SealerStats;

/// Seals one message under a salt and a key of its own. It costs a whole derivation, tens of
/// milliseconds; a ``Sealer`` spends fewer.
#[pyfunction]
#[pyo3(signature = (message, secret, *, node = None, level = None, timestamp = None, mode = None))]
pub(crate) fn seal(
    py: Python<'_>,
    message: &Bound<'_, PyAny>,
    secret: &Bound<'_, PyAny>,
    node: Option<&Bound<'_, PyAny>>,
    level: Option<&Bound<'_, PyAny>>,
    timestamp: Option<&Bound<'_, PyAny>>,
    mode: Option<&Bound<'_, PyAny>>,
) -> PyResult<Entry> {
    let secret = secret::secret(secret)?;
    let sealer = core::Sealer::builder(secret)
        .mode(mode.map_or(Ok(Mode::Pbkdf2), args::mode)?)
        .key_policy(core::KeyPolicy::DEFAULT)
        .build()
        .map_err(errors::policy)?;
    let node = args::node(node)?;
    seal_with(py, &sealer, message, &node, level, timestamp)
}

/// Seals messages under one secret, in one mode, spending derivations by a key policy. It may be
/// used from many threads, and after a fork seals with salts and keys of its own.
#[pyclass(frozen, module = "logflux")]
pub(crate) struct Sealer {
    sealer: core::Sealer,
    node: Node,
}

#[pymethods]
impl Sealer {
    #[new]
    #[pyo3(signature = (secret, *, node = None, mode = None, key_policy = None))]
    fn new(
        secret: &Bound<'_, PyAny>,
        node: Option<&Bound<'_, PyAny>>,
        mode: Option<&Bound<'_, PyAny>>,
        key_policy: Option<&Bound<'_, KeyPolicy>>,
    ) -> PyResult<Self> {
        let mut builder = core::Sealer::builder(secret::secret(secret)?);
        if let Some(mode) = mode {
            builder = builder.mode(args::mode(mode)?);
        }
        if let Some(policy) = key_policy {
            builder = builder.key_policy(policy.get().0);
        }
        Ok(Self { sealer: builder.build().map_err(errors::policy)?, node: args::node(node)? })
    }

    /// Seals one message. The first of a process waits for a key, and later ones where the key
    /// policy says so.
    #[pyo3(signature = (message, *, level = None, timestamp = None))]
    fn seal(
        &self,
        py: Python<'_>,
        message: &Bound<'_, PyAny>,
        level: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Entry> {
        seal_with(py, &self.sealer, message, &self.node, level, timestamp)
    }

    /// Seals many messages of one level and time, in their order.
    #[pyo3(signature = (messages, *, level = None, timestamp = None))]
    fn seal_many(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyAny>,
        level: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Entry>> {
        /// How many are sealed between two looks at signals.
        const TOGETHER: usize = 1_024;
        let level = level.map_or(Ok(Level::Info), args::level)?;
        let timestamp = args::timestamp(timestamp)?;
        let mut owned = Vec::new();
        for message in messages.try_iter()? {
            owned.push(args::message(&message?)?.into_owned());
        }
        let mut entries = Vec::with_capacity(owned.len());
        for some in owned.chunks(TOGETHER) {
            let sealed: Result<Vec<_>, _> = py.detach(|| {
                let message = |bytes| Message { bytes, node: &self.node, level, timestamp };
                some.iter().map(|bytes| self.sealer.seal(message(bytes))).collect()
            });
            entries.extend(sealed.map_err(|error| errors::seal(&error))?.into_iter().map(Entry));
            py.check_signals()?;
        }
        Ok(entries)
    }

    /// What this sealer has done in this process.
    fn stats(&self) -> SealerStats {
        SealerStats(self.sealer.stats())
    }

    fn __repr__(&self) -> String {
        format!("Sealer(mode={}, node={:?})", self.sealer.mode().number(), self.node.as_str())
    }
}

fn seal_with(
    py: Python<'_>,
    sealer: &core::Sealer,
    message: &Bound<'_, PyAny>,
    node: &Node,
    level: Option<&Bound<'_, PyAny>>,
    timestamp: Option<&Bound<'_, PyAny>>,
) -> PyResult<Entry> {
    let level = level.map_or(Ok(Level::Info), args::level)?;
    let timestamp: Timestamp = args::timestamp(timestamp)?;
    let bytes = args::message(message)?;
    let sealed = py.detach(|| sealer.seal(Message { bytes: &bytes, node, level, timestamp }));
    sealed.map(Entry).map_err(|error| errors::seal(&error))
}
