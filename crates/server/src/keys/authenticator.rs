//! The server's side of the keys: who is this?

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use logflux_wire::ApiKey;
use subtle::ConstantTimeEq as _;

use super::usage::Usage;
use super::{KeyHash, KeyInfo, Keys, KeysError, PREFIX_LEN, hash, prefix};

/// How long a known key is believed before it is read again. A revoked key lives on for no longer.
const FRESH: Duration = Duration::from_millis(250);

/// The most keys that are remembered; above it all are forgotten and read again.
const REMEMBERED: usize = 10_000;

/// How often the use of the keys is written.
const USAGE_WRITTEN: Duration = Duration::from_secs(2);

/// Finds keys, and remembers the ones it found for [`FRESH`]. Unknown ones are not remembered, so
/// that guesses fill no memory.
#[derive(Debug)]
pub(crate) struct Authenticator {
    keys: Arc<Keys>,
    known: Mutex<HashMap<[u8; PREFIX_LEN], Known>>,
    usage: Arc<Usage>,
}

#[derive(Debug)]
struct Known {
    hash: KeyHash,
    info: Arc<KeyInfo>,
    read: Instant,
}

impl Authenticator {
    pub(crate) fn new(keys: Keys) -> Self {
        Self { keys: Arc::new(keys), known: Mutex::default(), usage: Arc::default() }
    }

    /// What is known of this key, at most [`FRESH`] old.
    pub(crate) async fn find(&self, key: &ApiKey) -> Result<Option<Arc<KeyInfo>>, KeysError> {
        let hash = hash(key);
        if let Some(info) = self.remembered(&hash) {
            return Ok(Some(info));
        }
        // The time is taken before the reading: a key revoked in between is found out in time.
        let read = Instant::now();
        let keys = Arc::clone(&self.keys);
        let found = tokio::task::spawn_blocking(move || keys.find_by_hash(&hash))
            .await
            .unwrap_or(Err(KeysError::Stopping))?;
        let info = found.map(Arc::new);
        if let Some(info) = &info {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(prefix(&hash), Known { hash, info: Arc::clone(info), read });
        }
        Ok(info)
    }

    fn remembered(&self, hash: &KeyHash) -> Option<Arc<KeyInfo>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(&prefix(hash)).filter(|known| known.read.elapsed() < FRESH)?;
        bool::from(known.hash.ct_eq(hash)).then(|| Arc::clone(&known.info))
    }

    /// Forgets all keys, so that each is read again.
    pub(crate) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Counts a request that was admitted with a key.
    pub(crate) fn used(&self, key: &KeyInfo) {
        self.usage.add(&key.id, 1, 0);
    }

    /// Counts entries that were taken from a key.
    pub(crate) fn took(&self, key: &KeyInfo, entries: usize) {
        self.usage.add(&key.id, 0, u64::try_from(entries).unwrap_or(u64::MAX));
    }

    /// Writes the use of the keys now and then.
    pub(crate) async fn write_usage_forever(&self) {
        loop {
            tokio::time::sleep(USAGE_WRITTEN).await;
            self.write_usage().await;
        }
    }

    /// Writes what was counted since the last time. Where that cannot be done it is kept: a full
    /// disk is no reason to refuse a key.
    pub(crate) async fn write_usage(&self) {
        let (keys, usage) = (Arc::clone(&self.keys), Arc::clone(&self.usage));
        let write = move || {
            let taken = usage.take();
            if taken.is_empty() {
                return;
            }
            if let Err(error) = keys.add_usage(&taken) {
                tracing::debug!(%error, "the use of the keys cannot be written now");
                usage.put_back(taken);
            }
        };
        tokio::task::spawn_blocking(write).await.ok();
    }
}
