//! Opening: an entry becomes its message again.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use logflux_envelope as core;
use logflux_envelope::{Entry, Keyring, OpenError, Secret};
use napi::bindgen_prelude::{Array, AsyncTask, BufferSlice, External};
use napi::{Env, Result, ScopedTask};
use napi_derive::napi;

use crate::boundary::{Failure, guarded};
use crate::values::{self, Bytes};

/// An opener, which the tasks of [`opener_open_many`] share.
pub struct Opener(Arc<core::Opener>);

/// How many of many entries are open.
pub struct Progress(Arc<AtomicU32>);

/// Makes an opener of a secret or a keyring.
#[napi]
pub fn opener_new(
    secret: Option<&External<Secret>>,
    keyring: Option<&External<Keyring>>,
    remember: Option<u32>,
    threads: Option<u32>,
) -> Result<External<Opener>> {
    guarded(|| {
        let at_least_one = |name: &str, value: Option<u32>, default: NonZeroUsize| match value {
            None => Ok(default),
            Some(value) => usize::try_from(value)
                .ok()
                .and_then(NonZeroUsize::new)
                .ok_or_else(|| Failure::setting(name, "must be 1 or more")),
        };
        let keyring = match (secret, keyring) {
            (Some(secret), _) => Keyring::new((**secret).clone()),
            (None, Some(keyring)) => (**keyring).clone(),
            (None, None) => return Err(Failure::secret("a secret or a Keyring is needed")),
        };
        let keys = NonZeroUsize::MIN.saturating_add(4_095);
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let opener = core::Opener::new(keyring)
            .remember(at_least_one("remember", remember, keys)?)
            .threads(at_least_one("threads", threads, cores)?);
        Ok(External::new(Opener(Arc::new(opener))))
    })
}

/// Reads an entry strictly; gives its canonical JSON.
#[napi]
pub fn entry_parse(entry: Bytes<'_>) -> Result<String> {
    guarded(|| Ok(Entry::parse(&values::bytes(entry)?)?.to_json()))
}

/// Opens an entry whose message is text.
#[napi]
pub fn opener_open(opener: &External<Opener>, entry: Bytes<'_>) -> Result<String> {
    guarded(|| Ok(opener.0.open(&Entry::parse(&values::bytes(entry)?)?)?))
}

/// Opens an entry whatever its message's bytes are.
#[napi]
pub fn opener_open_bytes<'env>(
    env: &'env Env,
    opener: &External<Opener>,
    entry: Bytes<'_>,
) -> Result<BufferSlice<'env>> {
    guarded(|| {
        let message = opener.0.open_bytes(&Entry::parse(&values::bytes(entry)?)?)?;
        Ok(BufferSlice::copy_from(env, message)?)
    })
}

/// Where to read how many of many entries are open.
#[napi]
pub fn progress_new() -> External<Progress> {
    External::new(Progress(Arc::default()))
}

/// How many are open.
#[napi]
pub fn progress_done(progress: &External<Progress>) -> u32 {
    progress.0.load(Ordering::Relaxed)
}

/// Opens many entries on other threads. A result is the message, or the words of the error in an array
/// of one.
#[napi]
pub fn opener_open_many(
    opener: &External<Opener>,
    entries: Vec<Bytes<'_>>,
    as_bytes: bool,
    progress: &External<Progress>,
) -> Result<AsyncTask<OpenMany>> {
    guarded(|| {
        let entries: std::result::Result<_, _> = entries.into_iter().map(values::bytes).collect();
        let (opener, done) = (Arc::clone(&opener.0), Arc::clone(&progress.0));
        Ok(AsyncTask::new(OpenMany { opener, entries: entries?, as_bytes, done }))
    })
}

/// Many entries to be opened.
pub struct OpenMany {
    opener: Arc<core::Opener>,
    entries: Vec<Vec<u8>>,
    as_bytes: bool,
    done: Arc<AtomicU32>,
}

type Opened = std::result::Result<Vec<u8>, Failure>;

impl OpenMany {
    fn open(&self) -> Vec<Opened> {
        let parsed: Vec<_> = self.entries.iter().map(|entry| Entry::parse(entry)).collect();
        let good: Vec<Entry> = parsed.iter().flatten().cloned().collect();
        let opened = self.opener.open_many_bytes(&good, |progress| {
            self.done
                .fetch_max(u32::try_from(progress.done).unwrap_or(u32::MAX), Ordering::Relaxed);
        });
        let mut opened = opened.into_iter();
        let mut next = || opened.next().unwrap_or(Err(OpenError::Authentication));
        parsed
            .into_iter()
            .map(|entry| {
                entry?;
                let message = next()?;
                if !self.as_bytes && std::str::from_utf8(&message).is_err() {
                    return Err(OpenError::Utf8.into());
                }
                Ok(message)
            })
            .collect()
    }
}

impl<'task> ScopedTask<'task> for OpenMany {
    type Output = Vec<Opened>;
    type JsValue = Array<'task>;

    fn compute(&mut self) -> Result<Self::Output> {
        guarded(|| Ok(self.open()))
    }

    fn resolve(&mut self, env: &'task Env, output: Self::Output) -> Result<Self::JsValue> {
        let mut results = env.create_array(u32::try_from(output.len()).unwrap_or(u32::MAX))?;
        for (index, opened) in (0..).zip(output) {
            match opened {
                Ok(message) if self.as_bytes => {
                    results.set(index, BufferSlice::copy_from(env, message)?)?;
                }
                Ok(message) => results.set(index, String::from_utf8_lossy(&message).as_ref())?,
                Err(failure) => results.set(index, vec![failure.packed()])?,
            }
        }
        Ok(results)
    }
}
