//! How an entry is sealed: the `encryption_mode`.

use std::fmt;
use std::str::FromStr;

use crate::limits::{COMMITMENT_LEN, PAYLOAD_MAX, TAG_LEN};

/// An encryption mode (PROTOCOL 4). This is only its number, its name and its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Mode {
    /// 1, the standard: AES-256-GCM under a PBKDF2-HMAC-SHA256 key of 600,000 iterations.
    Pbkdf2 = 1,
    /// 2, provisional: AES-256-GCM under a scrypt key.
    Scrypt = 2,
    /// 3, provisional: AES-256-GCM under an Argon2id key.
    Argon2 = 3,
    /// 4, provisional: ChaCha20-Poly1305 under an Argon2id key.
    ChaCha20Argon2 = 4,
    /// 128, an extension: AES-256-GCM under a key of its own per entry, expanded from a cached
    /// PBKDF2 key, with node, level and timestamp authenticated.
    Hkdf = 128,
}

impl Mode {
    /// Every mode, by number.
    pub const ALL: [Self; 5] =
        [Self::Pbkdf2, Self::Scrypt, Self::Argon2, Self::ChaCha20Argon2, Self::Hkdf];

    /// The number that travels as `encryption_mode`.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name of PROTOCOL 4, such as `AES256-GCM_PBKDF2-SHA256-600K`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pbkdf2 => "AES256-GCM_PBKDF2-SHA256-600K",
            Self::Scrypt => "AES256-GCM_SCRYPT",
            Self::Argon2 => "AES256-GCM_ARGON2",
            Self::ChaCha20Argon2 => "ChaCha20-Poly1305_ARGON2",
            Self::Hkdf => "AES256-GCM_HKDF-SHA256_PBKDF2-SHA256-600K",
        }
    }

    /// The mode with this number.
    ///
    /// # Errors
    /// [`UnsupportedMode`] for any other: there is no fallback.
    pub fn from_number(number: u64) -> Result<Self, UnsupportedMode> {
        Self::ALL.into_iter().find(|mode| u64::from(mode.number()) == number).ok_or(UnsupportedMode)
    }

    /// How many bytes a payload has beyond its message: the tag, and a commitment in mode 128.
    #[must_use]
    pub const fn overhead(self) -> usize {
        match self {
            Self::Hkdf => TAG_LEN + COMMITMENT_LEN,
            _ => TAG_LEN,
        }
    }

    /// The most bytes that a message may have: 786,416, or 786,384 in mode 128.
    #[must_use]
    pub const fn message_max(self) -> usize {
        PAYLOAD_MAX - self.overhead()
    }
}

/// The mode's name.
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a number (`128`) or a name, in any case.
impl FromStr for Mode {
    type Err = UnsupportedMode;

    fn from_str(text: &str) -> Result<Self, UnsupportedMode> {
        if let Ok(number) = text.parse() {
            return Self::from_number(number);
        }
        Self::ALL
            .into_iter()
            .find(|mode| mode.name().eq_ignore_ascii_case(text))
            .ok_or(UnsupportedMode)
    }
}

/// The value names no mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("encryption_mode must be 1, 2, 3, 4 or 128")]
pub struct UnsupportedMode;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_protocol() {
        for mode in Mode::ALL {
            let expected = if mode == Mode::Hkdf { 786_384 } else { 786_416 };
            assert_eq!(mode.message_max(), expected, "{mode}");
        }
    }

    #[test]
    fn only_five_numbers_are_modes() {
        let known: Vec<u64> = (0..=300).filter(|n| Mode::from_number(*n).is_ok()).collect();
        assert_eq!(known, [1, 2, 3, 4, 128]);
        for mode in Mode::ALL {
            assert_eq!(mode.name().to_lowercase().parse(), Ok(mode));
            assert_eq!(mode.number().to_string().parse(), Ok(mode));
        }
        assert_eq!("AES".parse::<Mode>(), Err(UnsupportedMode));
    }
}
