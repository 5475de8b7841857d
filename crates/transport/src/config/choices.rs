//! Settings that are one of a few words.

use std::str::FromStr;

use logflux_envelope::KeyPolicy;

use super::error::ConfigError;
use super::kind::Kind;
use crate::client::WhenFull;
use crate::spool::SpoolFull;

/// A setting that is one of these words.
macro_rules! choice {
    ($name:ident, $setting:literal, $(($word:literal, $variant:ident)),+; $default:ident) => {
        impl $name {
            /// The setting's name.
            pub const NAME: &'static str = $setting;
            /// Every choice.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            pub(crate) const KIND: Kind = Kind::Choice {
                words: &[$($word),+],
                default: Self::$default.word(),
            };

            /// The word for it in settings.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        /// Reads the word for it in settings.
        impl FromStr for $name {
            type Err = ConfigError;

            fn from_str(text: &str) -> Result<Self, ConfigError> {
                Self::ALL.into_iter().find(|choice| choice.word() == text).ok_or_else(|| {
                    let values = Self::KIND.values();
                    ConfigError::invalid(Self::NAME, &format_args!("must be {values}"))
                })
            }
        }
    };
}

choice! {
    WhenFull, "when_full",
    ("drop_newest", DropNewest), ("drop_oldest", DropOldest), ("block", Block); DropNewest
}

choice! {
    SpoolFull, "spool_when_full", ("refuse", Refuse), ("drop_oldest", DropOldest); Refuse
}

/// The setting's name.
pub(super) const KEY_POLICY: &str = "key_policy";
pub(super) const KEY_POLICY_KIND: Kind =
    Kind::Choice { words: &["unique", "adaptive", "bounded"], default: KeyPolicy::DEFAULT.name() };

/// Reads the name of a policy, which has its default bounds.
pub(super) fn key_policy(text: &str) -> Result<KeyPolicy, ConfigError> {
    let policies = [KeyPolicy::Unique, KeyPolicy::DEFAULT, KeyPolicy::BOUNDED];
    policies.into_iter().find(|policy| policy.name() == text).ok_or_else(|| {
        ConfigError::invalid(KEY_POLICY, &format_args!("must be {}", KEY_POLICY_KIND.values()))
    })
}
