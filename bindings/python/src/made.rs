//! What a client was made with, to tell whether another would be the same.

use logflux_envelope::Secret;
use logflux_transport::ClientConfig;
use pyo3::prelude::*;

use crate::configuring::{Named, config};
use crate::secret;

/// The settings of a client.
pub(crate) struct Made {
    pub(crate) config: ClientConfig,
    pub(crate) secret: Secret,
    on_drop: Option<Py<PyAny>>,
    on_notice: Option<Py<PyAny>>,
}

impl Made {
    /// Reads what is given, and with `from_env` what the environment says.
    pub(crate) fn of(given: &Named<'_, '_>, from_env: bool) -> PyResult<Self> {
        let config = config(given, from_env)?;
        let secret = match given.get("secret")? {
            Some(secret) => secret::secret(&secret)?,
            None if from_env => secret::from_env(given.py())?,
            None => return Err(given.missing("secret")),
        };
        let on_drop = given.callable("on_drop")?;
        Ok(Self { config, secret, on_drop, on_notice: given.callable("on_notice")? })
    }

    /// Whether a client that is made with these would be the same.
    pub(crate) fn is_same(&self, py: Python<'_>, other: &Self) -> bool {
        let same = |one: &Option<Py<PyAny>>, other: &Option<Py<PyAny>>| match (one, other) {
            (None, None) => true,
            (Some(one), Some(other)) => one.bind(py).eq(other).unwrap_or(false),
            _ => false,
        };
        // Their `Debug` forms say all but what is secret.
        format!("{:?}", self.config) == format!("{:?}", other.config)
            && self.config.api_key == other.config.api_key
            && self.config.proxy == other.config.proxy
            && self.secret.expose() == other.secret.expose()
            && same(&self.on_drop, &other.on_drop)
            && same(&self.on_notice, &other.on_notice)
    }

    pub(crate) fn callbacks(&self, py: Python<'_>) -> (Option<Py<PyAny>>, Option<Py<PyAny>>) {
        let copy = |callback: &Option<Py<PyAny>>| callback.as_ref().map(|one| one.clone_ref(py));
        (copy(&self.on_drop), copy(&self.on_notice))
    }
}
