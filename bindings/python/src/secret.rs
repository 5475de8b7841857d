//! The secret, and several of them.

use logflux_envelope as core;
use logflux_transport::{SecretCommandTimeout, SecretSource};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::args::{self, wrong_type};
use crate::errors;

/// The passphrase or generated key from which every key is derived. It is the UTF-8 bytes exactly as
/// given: nothing is trimmed or normalised. It shows nothing of itself, cannot be pickled, and its
/// memory is zeroed at its end; a `str` that it was made from is Python's, and is not.
#[pyclass(frozen, module = "logflux")]
pub(crate) struct Secret(pub(crate) core::Secret);

#[pymethods]
impl Secret {
    #[new]
    fn new(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        secret(text).map(Self)
    }

    /// Makes a new secret of 256 bits, as 64 hexadecimal digits.
    #[staticmethod]
    fn generate() -> PyResult<Self> {
        core::Secret::generate().map(Self).map_err(errors::secret)
    }

    /// The secret that LOGFLUX_SECRET, LOGFLUX_SECRET_FILE or LOGFLUX_SECRET_COMMAND names.
    #[staticmethod]
    fn from_env(py: Python<'_>) -> PyResult<Self> {
        from_env(py).map(Self)
    }

    /// The secret itself, as text.
    fn expose(&self) -> &str {
        self.0.expose()
    }

    fn __repr__(&self) -> &'static str {
        "Secret([redacted])"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a Secret cannot be pickled: it would be written in the clear"))
    }
}

/// Several secrets, the newest first, so that old entries stay readable after a rotation.
#[pyclass(frozen, module = "logflux")]
pub(crate) struct Keyring(pub(crate) core::Keyring);

#[pymethods]
impl Keyring {
    #[new]
    #[pyo3(signature = (newest, *older, since = None))]
    fn new(
        newest: &Bound<'_, PyAny>,
        older: Vec<Bound<'_, PyAny>>,
        since: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut keyring = core::Keyring::new(secret(newest)?);
        if let Some(since) = since {
            keyring = keyring.since(args::timestamp(Some(since))?);
        }
        for older in older {
            keyring = keyring.with_older(secret(&older)?);
        }
        Ok(Self(keyring))
    }

    /// A keyring with one more secret, older than all others. ``since`` says from when on it sealed:
    /// an entry is tried first with the secret of its time.
    #[pyo3(signature = (secret, *, since = None))]
    fn with_older(
        &self,
        secret: &Bound<'_, PyAny>,
        since: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let keyring = self.0.clone().with_older(self::secret(secret)?);
        match since {
            Some(since) => Ok(Self(keyring.since(args::timestamp(Some(since))?))),
            None => Ok(Self(keyring)),
        }
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("Keyring([{} redacted])", self.0.len())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a Keyring cannot be pickled: it would be written in the clear"))
    }
}

/// A secret from text, its UTF-8, or a `Secret`.
pub(crate) fn secret(value: &Bound<'_, PyAny>) -> PyResult<core::Secret> {
    if let Ok(secret) = value.cast::<Secret>() {
        return Ok(secret.get().0.clone());
    }
    if let Ok(string) = value.cast::<PyString>() {
        let text = args::text(string).ok_or_else(|| {
            errors::secret("secret holds an unpaired surrogate, which UTF-8 cannot encode")
        })?;
        return core::Secret::new(text).map_err(errors::secret);
    }
    match args::bytes(value) {
        Some(bytes) => core::Secret::from_utf8(bytes.into_owned()).map_err(errors::secret),
        None => Err(wrong_type("secret", "str, bytes or Secret", value)),
    }
}

/// One secret or a `Keyring`, to open with.
pub(crate) fn keyring(value: &Bound<'_, PyAny>) -> PyResult<core::Keyring> {
    match value.cast::<Keyring>() {
        Ok(keyring) => Ok(keyring.get().0.clone()),
        Err(_) => secret(value).map(core::Keyring::new),
    }
}

/// The secret of the environment. A command that prints it is run meanwhile.
pub(crate) fn from_env(py: Python<'_>) -> PyResult<core::Secret> {
    let timeout = SecretCommandTimeout::from_env().map_err(errors::config)?.get();
    py.detach(|| SecretSource::from_env()?.load_within(timeout))
        .map_err(|error: logflux_transport::SecretSourceError| errors::secret(error))
}
