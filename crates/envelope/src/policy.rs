//! How a sealer spends key derivations.

use std::time::Duration;

/// No more than this many entries are ever sealed under one key (NIST SP 800-38D, section 8.3, for
/// random ivs of 96 bits).
pub(crate) const ENTRIES_PER_KEY_MAX: u64 = 1 << 32;

/// How a sealer in modes 1 to 4 spends key derivations, of which each costs tens of milliseconds
/// (PROTOCOL 6). Mode 128 needs none of this: there every entry has a key of its own, always.
///
/// Whatever the policy, every entry has a fresh random iv, and no key seals more than 2^32 entries.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum KeyPolicy {
    /// Every entry has its own salt and key. They are derived ahead by a background thread; when
    /// there is none, the sealer waits.
    Unique,
    /// Every entry has its own salt and key while the background thread keeps up within `budget`;
    /// when it does not, entries share the newest key until it does, or until a bound is met.
    Adaptive {
        /// The part of one core that derivation may use over time, above 0 and at most 1; a second
        /// of it may be spent at once.
        budget: f64,
        /// How many entries may share a key, at most 2^32.
        max_entries: u64,
        /// How long entries may share a key.
        max_age: Duration,
    },
    /// One key for all entries until a bound is met, the number of bytes (64 GiB) among them.
    Bounded {
        /// How many entries may share a key, at most 2^20.
        max_entries: u64,
        /// How long entries may share a key, at most an hour.
        max_age: Duration,
    },
}

impl KeyPolicy {
    /// The default: adaptive, with a tenth of a core, 65,536 entries and 60 s.
    pub const DEFAULT: Self =
        Self::Adaptive { budget: 0.1, max_entries: 65_536, max_age: Duration::from_secs(60) };

    /// Bounded, with the largest bounds: 2^20 entries, an hour.
    pub const BOUNDED: Self =
        Self::Bounded { max_entries: 1 << 20, max_age: Duration::from_secs(3600) };

    /// The policy's name: `unique`, `adaptive` or `bounded`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::Adaptive { .. } => "adaptive",
            Self::Bounded { .. } => "bounded",
        }
    }

    /// Whether the policy is within its bounds.
    ///
    /// # Errors
    /// [`KeyPolicyError`], which names the bound.
    pub fn check(&self) -> Result<(), KeyPolicyError> {
        let (max_entries, max_age) = match *self {
            Self::Unique => return Ok(()),
            Self::Adaptive { budget, max_entries, max_age } => {
                if !(budget > 0.0 && budget <= 1.0) {
                    return Err(KeyPolicyError::Budget);
                }
                if max_entries > ENTRIES_PER_KEY_MAX {
                    return Err(KeyPolicyError::MaxEntries);
                }
                (max_entries, max_age)
            }
            Self::Bounded { max_entries, max_age } => {
                if max_entries > 1 << 20 {
                    return Err(KeyPolicyError::BoundedMaxEntries);
                }
                if max_age > Duration::from_secs(3600) {
                    return Err(KeyPolicyError::BoundedMaxAge);
                }
                (max_entries, max_age)
            }
        };
        if max_entries == 0 || max_age.is_zero() {
            return Err(KeyPolicyError::Zero);
        }
        Ok(())
    }

    /// When a key must make room for another; `None` where keys are never shared.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        match *self {
            Self::Unique => None,
            Self::Adaptive { max_entries, max_age, .. } => {
                Some(Bounds { max_entries, max_age, max_bytes: u64::MAX })
            }
            Self::Bounded { max_entries, max_age } => {
                Some(Bounds { max_entries, max_age, max_bytes: 64 << 30 })
            }
        }
    }
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// When a key must make room for another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) max_entries: u64,
    pub(crate) max_age: Duration,
    pub(crate) max_bytes: u64,
}

impl Bounds {
    /// An epoch of mode 128: an hour, and 2^32 entries.
    pub(crate) const EPOCH: Self = Self {
        max_entries: ENTRIES_PER_KEY_MAX,
        max_age: Duration::from_secs(3600),
        max_bytes: u64::MAX,
    };
}

/// Why a policy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyPolicyError {
    /// The budget is no part of a core.
    #[error("budget must be above 0 and at most 1: it is a part of one core")]
    Budget,
    /// More entries than a key may ever seal.
    #[error("max_entries must be at most 4,294,967,296 (2^32)")]
    MaxEntries,
    /// More entries than `Bounded` may share.
    #[error("max_entries must be at most 1,048,576 (2^20) in the bounded policy")]
    BoundedMaxEntries,
    /// Longer than `Bounded` may share.
    #[error("max_age must be at most 1 h in the bounded policy")]
    BoundedMaxAge,
    /// A bound of nothing.
    #[error("max_entries and max_age must be above 0")]
    Zero,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked() {
        let age = Duration::from_secs(1);
        let adaptive =
            |budget, max_entries| KeyPolicy::Adaptive { budget, max_entries, max_age: age };
        let bounded = |max_entries, max_age| KeyPolicy::Bounded { max_entries, max_age };
        for good in [
            KeyPolicy::Unique,
            KeyPolicy::DEFAULT,
            KeyPolicy::BOUNDED,
            adaptive(1.0, 1 << 32),
            bounded(1, age),
        ] {
            assert_eq!(good.check(), Ok(()), "{good:?}");
        }
        for (bad, error) in [
            (adaptive(0.0, 1), KeyPolicyError::Budget),
            (adaptive(1.01, 1), KeyPolicyError::Budget),
            (adaptive(f64::NAN, 1), KeyPolicyError::Budget),
            (adaptive(0.1, (1 << 32) + 1), KeyPolicyError::MaxEntries),
            (adaptive(0.1, 0), KeyPolicyError::Zero),
            (bounded((1 << 20) + 1, age), KeyPolicyError::BoundedMaxEntries),
            (bounded(1, Duration::from_secs(3601)), KeyPolicyError::BoundedMaxAge),
            (bounded(1, Duration::ZERO), KeyPolicyError::Zero),
        ] {
            assert_eq!(bad.check(), Err(error), "{bad:?}");
        }
    }
}
