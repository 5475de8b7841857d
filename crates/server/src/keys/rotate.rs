//! A new key in place of another, which stays good for a while.

use std::time::Duration;

use logflux_wire::{ApiKey, Timestamp};

use super::{KeyId, KeyInfo, KeyState, Keys, KeysError, NewKey};

impl Keys {
    /// Makes a key that may do what another may, and lets that one expire after `grace`: at once
    /// where that is zero, and never later than it would have. The new key lives as long as the old
    /// one was made for.
    ///
    /// # Errors
    /// [`KeysError::NotFound`]; [`KeysError::NotActive`] for a key that was revoked, has expired or
    /// was rotated before; [`KeysError::Random`] or [`KeysError::Database`].
    pub fn rotate(&self, id: &KeyId, grace: Duration) -> Result<(ApiKey, KeyInfo), KeysError> {
        let now = Timestamp::now();
        let old = self.get(id)?;
        let state = match old.state(now) {
            KeyState::Active if old.successor.is_some() => Some("was rotated before"),
            KeyState::Active => None,
            KeyState::Expired => Some("has expired"),
            KeyState::Revoked => Some("was revoked"),
        };
        if let Some(state) = state {
            return Err(KeysError::NotActive { id: id.clone(), state });
        }
        let new = NewKey {
            tenant: old.tenant.clone(),
            scopes: old.scopes,
            expires: old.expires.map(|expires| {
                let lifetime = expires.unix_seconds().saturating_sub(old.created.unix_seconds());
                later(now, lifetime)
            }),
            note: old.note.clone(),
        };
        let ends = later(now, i64::try_from(grace.as_secs()).unwrap_or(i64::MAX));
        let ends = old.expires.map_or(ends, |expires| expires.min(ends));
        let (key, info) = self.create_with(&new, |transaction, successor| {
            // Where another process was quicker, nothing is done.
            let changed = transaction.execute(
                "UPDATE keys SET successor = ?2, expires = ?3
                 WHERE id = ?1 AND successor IS NULL AND revoked IS NULL",
                (id.as_str(), successor.as_str(), ends.unix_seconds()),
            )?;
            match changed {
                0 => Err(KeysError::NotActive { id: id.clone(), state: "was changed meanwhile" }),
                _ => Ok(()),
            }
        })?;
        Ok((key, info))
    }
}

/// So many seconds later, or the latest time that there is.
fn later(time: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix(time.unix_seconds().saturating_add(seconds), 0).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn the_new_key_may_what_the_old_one_may_and_that_one_ends_after_its_grace() {
        let data = tempfile::tempdir().unwrap();
        let keys = Keys::open(data.path()).unwrap();
        let mut new = NewKey::new("acme".parse().unwrap(), Scope::Read.into());
        new.note = Some("the readers".to_owned());
        let (old_key, old) = keys.create(&new).unwrap();
        let (new_key, rotated) = keys.rotate(&old.id, Duration::from_secs(3_600)).unwrap();
        assert_ne!(old_key, new_key);
        assert_eq!((&rotated.tenant, rotated.scopes), (&old.tenant, old.scopes));
        assert_eq!((&rotated.note, rotated.expires), (&old.note, None));
        let old = keys.find(&old_key).unwrap().unwrap();
        assert_eq!(old.successor, Some(rotated.id.clone()));
        let left = old.expires.unwrap().unix_seconds() - Timestamp::now().unix_seconds();
        assert!((3_590..=3_600).contains(&left), "{left}");
        assert_eq!(keys.find(&new_key).unwrap(), Some(rotated.clone()));

        // Once only, and never one that is no longer good.
        let again = keys.rotate(&old.id, Duration::ZERO).unwrap_err();
        assert!(again.to_string().contains("was rotated before"), "{again}");
        keys.revoke(&rotated.id).unwrap();
        let revoked = keys.rotate(&rotated.id, Duration::ZERO).unwrap_err();
        assert!(revoked.to_string().contains("was revoked"), "{revoked}");
        assert_eq!(keys.list().unwrap().keys.len(), 2, "a rotation that fails makes no key");
        let missing = "key_AAAAAAAAAAAA".parse().unwrap();
        assert!(matches!(keys.rotate(&missing, Duration::ZERO), Err(KeysError::NotFound(_))));
    }

    #[test]
    fn a_key_that_expires_is_followed_by_one_that_lives_as_long_and_never_lives_longer() {
        let data = tempfile::tempdir().unwrap();
        let keys = Keys::open(data.path()).unwrap();
        let now = Timestamp::now().unix_seconds();
        let at = |seconds| Timestamp::from_unix(seconds, 0).unwrap();
        let mut new = NewKey::new("acme".parse().unwrap(), Scope::Read.into());
        new.expires = Some(at(now + 1_000));
        let (_, old) = keys.create(&new).unwrap();
        let (_, rotated) = keys.rotate(&old.id, Duration::MAX).unwrap();
        let lifetime = rotated.expires.unwrap().unix_seconds() - rotated.created.unix_seconds();
        assert!((990..=1_010).contains(&lifetime), "{lifetime}");
        assert_eq!(keys.get(&old.id).unwrap().expires, Some(at(now + 1_000)));

        let (_, at_once) = keys.rotate(&rotated.id, Duration::ZERO).unwrap();
        assert_eq!(keys.get(&rotated.id).unwrap().state(Timestamp::now()), KeyState::Expired);
        assert_eq!(keys.get(&at_once.id).unwrap().state(Timestamp::now()), KeyState::Active);
    }
}
