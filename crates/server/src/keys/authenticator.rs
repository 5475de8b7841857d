//! The server's side of the keys: who is this?
//!
//! All keys are in memory. A thread of its own looks four times a second, through a connection that
//! waits for no writer, whether any was made or changed, and then reads them again. A request waits for
//! such a look only where the last one is too long ago, or where it bears a key that is not known: all
//! that wait share one look.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use logflux_wire::ApiKey;
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use super::look::Look;
use super::usage::Usage;
use super::{KeyHash, KeyInfo, Keys, KeysError, PREFIX_LEN, hash, prefix};
use crate::sampling;

/// How often it is looked whether a key has changed.
const LOOKS: Duration = Duration::from_millis(250);

/// How long the keys are believed after a look. A revoked key lives on for no longer.
const FRESH: Duration = Duration::from_millis(750);

/// How often the use of the keys is written.
const USAGE_WRITTEN: Duration = Duration::from_secs(2);

/// The keys by the first bytes of their hashes; those that share them are together.
type Known = HashMap<[u8; PREFIX_LEN], Vec<(KeyHash, Arc<KeyInfo>)>>;

/// What the last look has found.
#[derive(Clone, Debug)]
struct Looked {
    /// When it began.
    at: Instant,
    /// Whether it could be made.
    good: bool,
}

/// Finds keys.
#[derive(Debug)]
pub(crate) struct Authenticator {
    keys: Arc<Keys>,
    known: Arc<RwLock<Known>>,
    looked: watch::Receiver<Looked>,
    ask: SyncSender<()>,
    usage: Arc<Usage>,
}

impl Authenticator {
    /// Reads the keys of a data folder, and goes on looking for others.
    pub(crate) fn start(data: &Path) -> Result<Self, KeysError> {
        let keys = Arc::new(Keys::open(data)?);
        let mut look = Look::open(data)?;
        let known = Arc::new(RwLock::new(Known::new()));
        let began = Instant::now();
        take(&known, look.changed()?);
        let (tell, looked) = watch::channel(Looked { at: began, good: true });
        let (ask, asked) = sync_channel(1);
        let to_fill = Arc::clone(&known);
        thread::Builder::new()
            .name("logflux-keys".to_owned())
            .spawn(move || go_on(&mut look, &to_fill, &tell, &asked))
            .map_err(|source| KeysError::Folder { path: data.display().to_string(), source })?;
        Ok(Self { keys, known, looked, ask, usage: Arc::default() })
    }

    /// What is known of this key, at most [`FRESH`] old.
    pub(crate) async fn find(&self, key: &ApiKey) -> Result<Option<Arc<KeyInfo>>, KeysError> {
        let hash = hash(key);
        let now = Instant::now();
        let is_fresh = |looked: &Looked| looked.good && now < looked.at + FRESH;
        if is_fresh(&self.looked.borrow())
            && let Some(info) = self.known(&hash)
        {
            return Ok(Some(info));
        }
        // A key that is not known may have been made since.
        let mut looked = self.looked.clone();
        self.ask.try_send(()).ok();
        let good = loop {
            let last = looked.borrow_and_update().clone();
            if last.at >= now {
                break last.good;
            }
            looked.changed().await.map_err(|_| KeysError::Stopping)?;
        };
        if good { Ok(self.known(&hash)) } else { Err(KeysError::Unreadable) }
    }

    fn known(&self, hash: &KeyHash) -> Option<Arc<KeyInfo>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (_, info) =
            known.get(&prefix(hash))?.iter().find(|(other, _)| bool::from(other.ct_eq(hash)))?;
        Some(Arc::clone(info))
    }

    /// Looks at once.
    pub(crate) fn look(&self) {
        self.ask.try_send(()).ok();
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
            sampling::tell_missed();
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

fn take(known: &RwLock<Known>, changed: Option<Vec<(KeyHash, KeyInfo)>>) {
    let Some(keys) = changed else { return };
    let mut fresh = Known::with_capacity(keys.len());
    for (hash, info) in keys {
        fresh.entry(prefix(&hash)).or_default().push((hash, Arc::new(info)));
    }
    *known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
}

/// Looks again and again, and at once where it is asked to, until nobody can ask any more.
fn go_on(
    look: &mut Look,
    known: &RwLock<Known>,
    tell: &watch::Sender<Looked>,
    asked: &Receiver<()>,
) {
    loop {
        match asked.recv_timeout(LOOKS) {
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
        }
        let at = Instant::now();
        let good = match look.changed() {
            Ok(changed) => {
                take(known, changed);
                true
            }
            Err(error) => {
                if let Some(missed) = sampling::passes("keys_unreadable") {
                    tracing::error!(%error, missed, "the keys cannot be read");
                }
                false
            }
        };
        tell.send_replace(Looked { at, good });
    }
}
