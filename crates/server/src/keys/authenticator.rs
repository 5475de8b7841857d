//! The server's side of the keys: who is this?

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use logflux_wire::ApiKey;

use super::{KeyHash, KeyInfo, Keys, KeysError, hash};

/// How long a known key is believed before it is read again. A revoked key lives on for no longer.
const FRESH: Duration = Duration::from_millis(250);

/// The most keys that are remembered; above it all are forgotten and read again.
const REMEMBERED: usize = 10_000;

/// Finds keys, and remembers the ones it found for [`FRESH`]. Unknown ones are not remembered, so
/// that guesses fill no memory.
#[derive(Debug)]
pub(crate) struct Authenticator {
    keys: Arc<Keys>,
    known: Mutex<HashMap<KeyHash, Known>>,
}

#[derive(Debug)]
struct Known {
    info: Arc<KeyInfo>,
    read: Instant,
}

impl Authenticator {
    pub(crate) fn new(keys: Keys) -> Self {
        Self { keys: Arc::new(keys), known: Mutex::default() }
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
            known.insert(hash, Known { info: Arc::clone(info), read });
        }
        Ok(info)
    }

    fn remembered(&self, hash: &KeyHash) -> Option<Arc<KeyInfo>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|k| k.read.elapsed() < FRESH).map(|k| Arc::clone(&k.info))
    }
}
