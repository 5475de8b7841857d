//! How much the keys are used: counted in memory, written every two seconds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use logflux_wire::Timestamp;

use super::{KeyId, Keys, KeysError};

/// What was not yet written.
#[derive(Debug, Default)]
pub(super) struct Usage(Mutex<HashMap<KeyId, Used>>);

/// The use of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    last: Timestamp,
    requests: u64,
    entries: u64,
}

impl Usage {
    /// Counts requests and entries of a key.
    pub(super) fn add(&self, key: &KeyId, requests: u64, entries: u64) {
        let last = Timestamp::now();
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match used.get_mut(key) {
            Some(used) => {
                used.last = last;
                used.requests += requests;
                used.entries += entries;
            }
            None => {
                used.insert(key.clone(), Used { last, requests, entries });
            }
        }
    }

    /// Takes what was counted.
    pub(super) fn take(&self) -> HashMap<KeyId, Used> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives back what could not be written.
    pub(super) fn put_back(&self, unwritten: HashMap<KeyId, Used>) {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, old) in unwritten {
            used.entry(key)
                .and_modify(|new| {
                    new.requests += old.requests;
                    new.entries += old.entries;
                })
                .or_insert(old);
        }
    }
}

impl Keys {
    /// Adds to what is known of the keys' use.
    pub(super) fn add_usage(&self, usage: &HashMap<KeyId, Used>) -> Result<(), KeysError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut update = transaction.prepare(
            "UPDATE keys SET last_used = max(coalesce(last_used, ?2), ?2),
             requests = requests + ?3, entries = entries + ?4 WHERE id = ?1",
        )?;
        for (key, used) in usage {
            let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
            let last = used.last.unix_seconds();
            update.execute((key.as_str(), last, count(used.requests), count(used.entries)))?;
        }
        drop(update);
        Ok(transaction.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    #[test]
    fn use_is_added_up_and_nothing_is_lost_where_it_cannot_be_written() {
        let data = tempfile::tempdir().unwrap();
        let keys = Keys::open(data.path()).unwrap();
        let (_, key) = keys.create(&NewKey::new("t".parse().unwrap(), Scope::Read.into())).unwrap();
        let usage = Usage::default();
        usage.add(&key.id, 1, 0);
        usage.add(&key.id, 0, 100);
        let taken = usage.take();
        usage.add(&key.id, 1, 7);
        usage.put_back(taken);
        keys.add_usage(&usage.take()).unwrap();
        assert!(usage.take().is_empty());
        usage.add(&key.id, 1, 0);
        keys.add_usage(&usage.take()).unwrap();
        let found = keys.get(&key.id).unwrap();
        assert_eq!((found.requests, found.entries), (3, 107));
        let ago = Timestamp::now().unix_seconds() - found.last_used.unwrap().unix_seconds();
        assert!((0..10).contains(&ago));
    }
}
