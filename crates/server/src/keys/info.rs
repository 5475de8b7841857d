//! What is known of a key, which is everything but the key itself.

use std::fmt;
use std::str::FromStr;

use logflux_wire::Timestamp;

use super::scope::Scopes;
use crate::tenant::Tenant;

/// The public name of a key: `key_` and 12 letters or digits. It is drawn by itself and says
/// nothing about the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// How every id begins.
    pub const PREFIX: &'static str = "key_";
    /// How many characters follow the prefix.
    pub const RANDOM_LEN: usize = 12;

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let random = text.strip_prefix(Self::PREFIX).ok_or(KeyIdError)?;
        if random.len() != Self::RANDOM_LEN || !random.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(KeyIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The text is no key's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's id is `key_` and 12 letters or digits, as `keys list` shows it")]
pub struct KeyIdError;

/// What a new key shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewKey {
    /// Whose entries it sends and reads.
    pub tenant: Tenant,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it is refused; never, where there is none. Kept to the second.
    pub expires: Option<Timestamp>,
    /// A note for people, at most 200 characters, without control characters.
    pub note: Option<String>,
}

impl NewKey {
    /// A key that does not expire, without a note.
    #[must_use]
    pub const fn new(tenant: Tenant, scopes: Scopes) -> Self {
        Self { tenant, scopes, expires: None, note: None }
    }
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Its public name.
    pub id: KeyId,
    /// Whose entries it sends and reads.
    pub tenant: Tenant,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// A note for people.
    pub note: Option<String>,
    /// The key that takes its place, where it was rotated.
    pub successor: Option<KeyId>,
    /// When it was last used, to about two seconds.
    pub last_used: Option<Timestamp>,
    /// How many requests were admitted with it.
    pub requests: u64,
    /// How many entries were taken from it, duplicates included.
    pub entries: u64,
}

impl KeyInfo {
    /// Whether the key is good at this time.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        match (self.revoked, self.expires) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(expires)) if expires <= now => KeyState::Expired,
            _ => KeyState::Active,
        }
    }
}

/// All keys of a data folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyList {
    /// The keys, the oldest first.
    pub keys: Vec<KeyInfo>,
    /// The keys that are damaged, which the server refuses: their ids, where those can be read.
    pub damaged: Vec<Option<KeyId>>,
}

/// Whether a key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// It is.
    Active,
    /// It was, until its expiry.
    Expired,
    /// It was revoked.
    Revoked,
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        })
    }
}
