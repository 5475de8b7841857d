//! What the monitors are told.

use std::sync::Arc;
use std::time::Duration;

use logflux_wire::ApiKey;
use logflux_wire::response::ErrorCode;

use crate::keys::{KeyId, KeyInfo};
use crate::limits::Network;
use crate::tenant::Tenant;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// A request was answered.
    Answered {
        /// The route's pattern; none where there is no such path.
        route: Option<&'a str>,
        status: u16,
        code: Option<ErrorCode>,
        elapsed: Duration,
        /// The key, where it is good.
        key: Option<&'a Arc<KeyInfo>>,
        /// What it bears, good or not.
        borne: Option<&'a Borne>,
        network: Option<Network>,
    },
    /// A key has sent entries, of which all are read and some may be refused.
    Received { key: &'a KeyInfo, entries: u64, bytes: u64, largest: usize },
    /// Entries of a request were refused.
    Refused { key: &'a KeyInfo, code: ErrorCode, entries: u64 },
    /// A request was counted in its minute. Above the limit, it was refused.
    Counted { whose: Whose<'a>, used: u64, limit: u64 },
}

/// Whose requests are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    Key(&'a KeyInfo),
    Address(Network),
}

/// A key that a request bears.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Borne {
    /// One that is known.
    Key(KeyId, Tenant),
    /// One that is not: how it begins. The rest of it cannot be guessed.
    Prefix(String),
}

impl Borne {
    /// How many characters of a key that is not known are remembered.
    const SHOWN: usize = ApiKey::PREFIX.len() + 4;

    pub(crate) fn prefix(key: &ApiKey) -> Self {
        Self::Prefix(key.expose().chars().take(Self::SHOWN).collect())
    }
}
