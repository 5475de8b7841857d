//! For test vectors only.

use logflux_envelope::hazmat::{self, Given};
use logflux_envelope::{Field, Iv, Level, Mode, Salt, Stage};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::args;
use crate::entry::Entry;
use crate::errors;
use crate::secret;

/// Seals with the salt (32 bytes) and the iv (12 bytes) that are given. **For test vectors only**:
/// two messages under one salt and iv can both be read by anyone who has the two entries.
#[pyfunction]
#[pyo3(signature = (message, secret, *, salt, iv, node, level = None, timestamp, mode = None))]
#[allow(clippy::too_many_arguments)] // All by their names: nothing is drawn.
pub(crate) fn seal_with_salt_and_iv(
    py: Python<'_>,
    message: &Bound<'_, PyAny>,
    secret: &Bound<'_, PyAny>,
    salt: &[u8],
    iv: &[u8],
    node: &Bound<'_, PyAny>,
    level: Option<&Bound<'_, PyAny>>,
    timestamp: &Bound<'_, PyAny>,
    mode: Option<&Bound<'_, PyAny>>,
) -> PyResult<Entry> {
    let secret = secret::secret(secret)?;
    let node = args::node(Some(node))?;
    let iv: [u8; Iv::LEN] =
        iv.try_into().map_err(|_| errors::field(Field::Iv, Stage::Size, "iv must be 12 bytes"))?;
    let given = Given {
        mode: mode.map_or(Ok(Mode::Pbkdf2), args::mode)?,
        salt: salt_of(salt)?,
        iv: iv.into(),
        node: &node,
        level: level.map_or(Ok(Level::Info), args::level)?,
        timestamp: args::timestamp(Some(timestamp))?,
    };
    let message = args::message(message)?;
    let sealed = py.detach(|| hazmat::seal_with_salt_and_iv(&message, &secret, &given));
    sealed.map(Entry).map_err(|error| errors::seal(&error))
}

/// The 32 bytes that key the cipher of an entry with this salt; in mode 128, the entry's own key.
/// **For test vectors only.**
#[pyfunction]
#[pyo3(signature = (secret, salt, *, mode = None))]
pub(crate) fn derive_key<'py>(
    py: Python<'py>,
    secret: &Bound<'py, PyAny>,
    salt: &[u8],
    mode: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let secret = secret::secret(secret)?;
    let (mode, salt) = (mode.map_or(Ok(Mode::Pbkdf2), args::mode)?, salt_of(salt)?);
    let key = py.detach(|| hazmat::derive_key(&secret, mode, &salt));
    let key = key.map_err(|error| errors::seal(&error))?;
    Ok(PyBytes::new(py, key.as_bytes()))
}

fn salt_of(salt: &[u8]) -> PyResult<Salt> {
    let salt: [u8; Salt::LEN] = salt
        .try_into()
        .map_err(|_| errors::field(Field::Salt, Stage::Size, "salt must be 32 bytes"))?;
    Ok(salt.into())
}
