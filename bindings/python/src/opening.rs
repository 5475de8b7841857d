//! Opening: an entry becomes its message again.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::thread;

use logflux_envelope as core;
use logflux_envelope::{Keyring, Mode, OpenError};
use logflux_process::PerProcess;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::entry::entry;
use crate::errors;
use crate::secret;

/// Opens one entry whose message is text. It costs a whole derivation, tens of milliseconds; an
/// ``Opener`` remembers keys.
#[pyfunction]
pub(crate) fn open<'py>(
    py: Python<'py>,
    entry: &Bound<'py, PyAny>,
    secret: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyString>> {
    Opener::new(secret, None, None)?.open(py, entry)
}

/// Opens one entry whatever its message's bytes are.
#[pyfunction]
pub(crate) fn open_bytes<'py>(
    py: Python<'py>,
    entry: &Bound<'py, PyAny>,
    secret: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    Opener::new(secret, None, None)?.open_bytes(py, entry)
}

/// Opens many entries whose messages are text, in their order, on all cores.
///
/// ``progress`` is called with how many are done and how many there are. An entry that fails is
/// raised as an exception with its ``index``; with ``return_exceptions`` it stands in its place,
/// beside the messages of the others.
#[pyfunction]
#[pyo3(signature = (entries, secret, *, progress = None, return_exceptions = false))]
pub(crate) fn open_many<'py>(
    py: Python<'py>,
    entries: &Bound<'py, PyAny>,
    secret: &Bound<'py, PyAny>,
    progress: Option<&Bound<'py, PyAny>>,
    return_exceptions: bool,
) -> PyResult<Bound<'py, PyList>> {
    Opener::new(secret, None, None)?.open_many(py, entries, progress, return_exceptions)
}

/// Opens entries with one or more secrets, and remembers keys. It may be used from many threads.
#[pyclass(frozen, module = "logflux")]
pub(crate) struct Opener {
    keyring: Keyring,
    remember: NonZeroUsize,
    threads: NonZeroUsize,
    /// A fork may find another thread at work in it, so that a child has one of its own.
    openers: PerProcess<core::Opener>,
}

type Opened = Result<Vec<u8>, PyErr>;

#[pymethods]
impl Opener {
    #[new]
    #[pyo3(signature = (secret, *, remember = None, threads = None))]
    fn new(
        secret: &Bound<'_, PyAny>,
        remember: Option<usize>,
        threads: Option<usize>,
    ) -> PyResult<Self> {
        let at_least_one = |name: &str, value: Option<usize>, default: NonZeroUsize| match value {
            None => Ok(default),
            Some(value) => {
                NonZeroUsize::new(value).ok_or_else(|| errors::setting(name, "must be 1 or more"))
            }
        };
        let keyring = secret::keyring(secret)?;
        let keys = NonZeroUsize::MIN.saturating_add(4_095);
        let remember = at_least_one("remember", remember, keys)?;
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = at_least_one("threads", threads, cores)?;
        let openers = PerProcess::new(opener(&keyring, remember, threads));
        Ok(Self { keyring, remember, threads, openers })
    }

    /// Opens one entry whose message is text.
    fn open<'py>(
        &self,
        py: Python<'py>,
        entry: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyString>> {
        let message = self.message(py, entry)?;
        text(py, &message)
    }

    /// Opens one entry whatever its message's bytes are.
    fn open_bytes<'py>(
        &self,
        py: Python<'py>,
        entry: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.message(py, entry)?))
    }

    /// Opens many entries whose messages are text.
    #[pyo3(signature = (entries, *, progress = None, return_exceptions = false))]
    fn open_many<'py>(
        &self,
        py: Python<'py>,
        entries: &Bound<'py, PyAny>,
        progress: Option<&Bound<'py, PyAny>>,
        return_exceptions: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        self.messages(py, entries, progress, return_exceptions, |message| {
            Ok(text(py, message)?.into_any())
        })
    }

    /// Opens many entries whatever their messages' bytes are.
    #[pyo3(signature = (entries, *, progress = None, return_exceptions = false))]
    fn open_many_bytes<'py>(
        &self,
        py: Python<'py>,
        entries: &Bound<'py, PyAny>,
        progress: Option<&Bound<'py, PyAny>>,
        return_exceptions: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        self.messages(py, entries, progress, return_exceptions, |message| {
            Ok(PyBytes::new(py, message).into_any())
        })
    }

    fn __repr__(&self) -> String {
        format!("Opener(secrets={}, threads={})", self.keyring.len(), self.threads)
    }
}

impl Opener {
    fn opener(&self) -> &core::Opener {
        self.openers.get(|| opener(&self.keyring, self.remember, self.threads))
    }

    fn message(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        let entry = entry(value)?;
        let opener = self.opener();
        py.detach(|| opener.open_bytes(&entry)).map_err(errors::open)
    }

    /// Opens many, some at a time: between them the caller is told how far it is, and a signal ends
    /// it. An entry that fails is an exception, raised or in its place.
    fn messages<'py>(
        &self,
        py: Python<'py>,
        entries: &Bound<'py, PyAny>,
        progress: Option<&Bound<'py, PyAny>>,
        return_exceptions: bool,
        make: impl Fn(&[u8]) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut parsed = Vec::new();
        for value in entries.try_iter()? {
            parsed.push(match entry(&value?) {
                Err(error) if error.is_instance_of::<pyo3::exceptions::PyTypeError>(py) => {
                    return Err(error);
                }
                other => other,
            });
        }
        let messages = PyList::empty(py);
        for range in self.windows(&parsed) {
            let some = parsed.get_mut(range.clone()).unwrap_or_default();
            for (index, opened) in range.zip(self.open_some(py, some)) {
                match opened.and_then(|message| make(&message)) {
                    Ok(message) => messages.append(message)?,
                    Err(error) => {
                        let error = error.into_value(py).into_bound(py);
                        error.setattr("index", index)?;
                        if !return_exceptions {
                            return Err(PyErr::from_value(error.into_any()));
                        }
                        messages.append(error)?;
                    }
                }
            }
            if let Some(progress) = progress {
                progress.call1((messages.len(), parsed.len()))?;
            }
            py.check_signals()?;
        }
        Ok(messages)
    }

    /// Opens entries together, without the interpreter's lock.
    fn open_some(&self, py: Python<'_>, some: &mut [PyResult<core::Entry>]) -> Vec<Opened> {
        let entries: Vec<core::Entry> =
            some.iter().filter_map(|entry| entry.as_ref().ok()).cloned().collect();
        let opener = self.opener();
        let opened = py.detach(|| opener.open_many_bytes(&entries, |_| {}));
        let mut opened = opened.into_iter();
        let mut next = || opened.next().unwrap_or(Err(OpenError::Authentication));
        some.iter()
            .map(|entry| match entry {
                Ok(_) => next().map_err(errors::open),
                Err(error) => Err(error.clone_ref(py)),
            })
            .collect()
    }

    /// Where to cut: after as many keys as fill the lanes of every thread twice, half a second of
    /// work, or after as many entries.
    fn windows(&self, entries: &[PyResult<core::Entry>]) -> Vec<Range<usize>> {
        const KEYS_PER_THREAD: usize = 32;
        const ENTRIES: usize = 8_192;
        let most = KEYS_PER_THREAD * self.threads.get();
        let mut windows = Vec::new();
        let (mut start, mut keys) = (0, HashSet::new());
        for (index, entry) in entries.iter().enumerate() {
            if index - start >= ENTRIES || keys.len() >= most {
                windows.push(start..index);
                (start, keys) = (index, HashSet::new());
            }
            if let Ok(entry) = entry {
                let salt = entry.salt().as_bytes();
                // Entries of one epoch share a derivation.
                let salt = if entry.mode() == Mode::Hkdf { salt.get(..16) } else { salt.get(..) };
                keys.insert((entry.mode(), salt));
            }
        }
        windows.push(start..entries.len());
        windows
    }
}

fn opener(keyring: &Keyring, remember: NonZeroUsize, threads: NonZeroUsize) -> core::Opener {
    core::Opener::new(keyring.clone()).remember(remember).threads(threads)
}

fn text<'py>(py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(message) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => Err(errors::open(OpenError::Utf8)),
    }
}
