//! Opening: an entry becomes its message again.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use logflux_kdf::Key;
use logflux_wire::{Entry, Mode};
use lru::LruCache;

use crate::derive;
use crate::entry_key::EntryKey;
use crate::error::OpenError;
use crate::keyring::Keyring;
use crate::secret::Secret;

/// Opens one entry whose message is text. It costs a whole derivation; an [`Opener`] remembers keys.
///
/// # Errors
/// [`OpenError`] where the secret is another, the entry was altered, or the message is not UTF-8.
pub fn open(entry: &Entry, secret: &Secret) -> Result<String, OpenError> {
    Opener::new(secret.clone()).open(entry)
}

/// Opens one entry whatever its message's bytes are.
///
/// # Errors
/// [`OpenError`] where the secret is another, or the entry was altered.
pub fn open_bytes(entry: &Entry, secret: &Secret) -> Result<Vec<u8>, OpenError> {
    Opener::new(secret.clone()).open_bytes(entry)
}

/// Opens entries with one or more secrets.
///
/// Keys are remembered by secret, mode and salt, up to a bound, and zeroed when they are forgotten.
/// It may be used from many threads at once; no lock is held while an entry is opened. Keys stay
/// usable after `fork`, but do not fork while another thread is opening.
pub struct Opener {
    keyring: Keyring,
    threads: NonZeroUsize,
    memory: Mutex<Memory>,
}

/// A derivation: which secret, which mode, and which salt of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Derivation {
    pub(crate) secret: usize,
    pub(crate) mode: Mode,
    pub(crate) input: Vec<u8>,
}

/// What an opener remembers.
struct Memory {
    keys: LruCache<Derivation, Arc<EntryKey>>,
    /// Which secret opened an entry of this mode and salt, and which did not.
    outcomes: LruCache<(Mode, Vec<u8>), Outcome>,
}

#[derive(Clone, Default)]
struct Outcome {
    opened_by: Option<usize>,
    failed: Vec<usize>,
}

/// How many keys an opener remembers unless told otherwise.
const KEYS_DEFAULT: NonZeroUsize = match NonZeroUsize::new(4096) {
    Some(keys) => keys,
    None => NonZeroUsize::MIN,
};

impl Opener {
    /// An opener for a secret or a keyring, with room for 4,096 keys and a thread per core.
    #[must_use]
    pub fn new(keyring: impl Into<Keyring>) -> Self {
        Self {
            keyring: keyring.into(),
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            memory: Mutex::new(Memory {
                keys: LruCache::new(KEYS_DEFAULT),
                outcomes: LruCache::new(KEYS_DEFAULT),
            }),
        }
    }

    /// How many keys to remember; the least recently used is forgotten first.
    #[must_use]
    pub fn remember(self, keys: NonZeroUsize) -> Self {
        {
            let mut memory = self.memory();
            memory.keys.resize(keys);
            memory.outcomes.resize(keys);
        }
        self
    }

    /// How many threads [`open_many`](Self::open_many) may use; all cores by default.
    #[must_use]
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Opens one entry whose message is text.
    ///
    /// # Errors
    /// [`OpenError`] where no secret opens it, or the message is not UTF-8.
    pub fn open(&self, entry: &Entry) -> Result<String, OpenError> {
        String::from_utf8(self.open_bytes(entry)?).map_err(|_| OpenError::Utf8)
    }

    /// Opens one entry whatever its message's bytes are.
    ///
    /// # Errors
    /// [`OpenError`] where no secret opens it.
    pub fn open_bytes(&self, entry: &Entry) -> Result<Vec<u8>, OpenError> {
        let input = derive::input(entry.mode(), entry.salt());
        for secret in self.order(entry, &input) {
            let derivation = Derivation { secret, mode: entry.mode(), input: input.clone() };
            let known = self.memory().keys.get(&derivation).map(Arc::clone);
            let key = match known {
                Some(key) => key,
                None => {
                    let keys = self.derive(secret, entry.mode(), std::slice::from_ref(&input))?;
                    let key = keys.first().ok_or(OpenError::Derivation)?;
                    self.remember_key(derivation.clone(), key)?
                }
            };
            let message = key.open(entry);
            self.remember_outcome(&derivation, message.is_some());
            if let Some(message) = message {
                return Ok(message);
            }
        }
        Err(OpenError::Authentication)
    }

    pub(crate) fn thread_count(&self) -> usize {
        self.threads.get()
    }

    /// The places of the secrets in the order in which to try them for this entry: one that opened
    /// an entry of this salt first, those that failed for it last, and between them by time.
    pub(crate) fn order(&self, entry: &Entry, input: &[u8]) -> Vec<usize> {
        if self.keyring.len() == 1 {
            return vec![0];
        }
        let mut order = self.keyring.order(entry.timestamp());
        let outcome = self
            .memory()
            .outcomes
            .get(&(entry.mode(), input.to_vec()))
            .cloned()
            .unwrap_or_default();
        order.sort_by_key(|secret| match outcome.opened_by {
            Some(opened_by) if opened_by == *secret => 0,
            _ if outcome.failed.contains(secret) => 2,
            _ => 1,
        });
        order
    }

    /// Derives keys from the secret at a place of the keyring, on the thread that calls.
    pub(crate) fn derive(
        &self,
        secret: usize,
        mode: Mode,
        inputs: &[Vec<u8>],
    ) -> Result<Vec<Key>, OpenError> {
        let link = self.keyring.links().get(secret).ok_or(OpenError::Authentication)?;
        derive::derive_many(&link.secret, mode, inputs).map_err(|_| OpenError::Derivation)
    }

    pub(crate) fn known_key(&self, derivation: &Derivation) -> Option<Arc<EntryKey>> {
        self.memory().keys.get(derivation).map(Arc::clone)
    }

    pub(crate) fn remember_key(
        &self,
        derivation: Derivation,
        key: &Key,
    ) -> Result<Arc<EntryKey>, OpenError> {
        let key = EntryKey::new(derivation.mode, key).ok_or(OpenError::Derivation)?;
        let key = Arc::new(key);
        self.memory().keys.put(derivation, Arc::clone(&key));
        Ok(key)
    }

    /// Remembers which secret a salt belongs to. Where there is one secret only, there is nothing
    /// to choose.
    pub(crate) fn remember_outcome(&self, derivation: &Derivation, opened: bool) {
        if self.keyring.len() == 1 {
            return;
        }
        let of = (derivation.mode, derivation.input.clone());
        let mut memory = self.memory();
        let outcome = memory.outcomes.get_or_insert_mut(of, Outcome::default);
        if opened {
            outcome.opened_by = Some(derivation.secret);
        } else if !outcome.failed.contains(&derivation.secret) {
            outcome.failed.push(derivation.secret);
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("secrets", &self.keyring.len()).finish_non_exhaustive()
    }
}
