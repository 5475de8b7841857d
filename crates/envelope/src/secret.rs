//! The customer's secret.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::RandomError;
use crate::random;

/// The passphrase or generated key from which every key is derived (PROTOCOL 3).
///
/// It is the UTF-8 bytes exactly as given: nothing is trimmed, and NFC and NFD are two secrets. Its
/// `Debug` form shows nothing of it, and its memory is zeroed when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret of any length.
    ///
    /// # Errors
    /// [`SecretError`] for one that is empty or nothing but white space.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if text.chars().all(char::is_whitespace) {
            return Err(SecretError::WhiteSpace);
        }
        Ok(Self(text))
    }

    /// Takes a secret from bytes, such as a file's.
    ///
    /// # Errors
    /// [`SecretError`] as [`new`](Self::new), and for bytes that are not UTF-8.
    pub fn from_utf8(bytes: Vec<u8>) -> Result<Self, SecretError> {
        match String::from_utf8(bytes) {
            Ok(text) => Self::new(text),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(SecretError::NotUtf8)
            }
        }
    }

    /// Makes a new secret of 256 bits from the operating system's generator, written as 64
    /// hexadecimal digits.
    ///
    /// # Errors
    /// [`RandomError`] where the generator fails.
    pub fn generate() -> Result<Self, RandomError> {
        let bits = Zeroizing::new(random::draw::<32>()?);
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in bits.iter() {
            for digit in [byte >> 4, byte & 0xf] {
                text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        Ok(Self(text))
    }

    /// The secret itself. Copies of it are the caller's to zero.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// Why a text is no [`Secret`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is nothing in it.
    #[error("secret is empty: `logflux keygen` makes one")]
    Empty,
    /// There is only white space in it.
    #[error("secret is nothing but white space: `logflux keygen` makes one")]
    WhiteSpace,
    /// It is not UTF-8.
    #[error("secret is not UTF-8")]
    NotUtf8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_as_it_is() {
        for text in ["x", " padded ", "sëcrét", "se\u{301}cret", "line\n", "\0"] {
            assert_eq!(Secret::new(text).unwrap().expose(), text);
        }
        assert!(Secret::new("x".repeat(100_000)).is_ok());
    }

    #[test]
    fn empty_and_blank_secrets_are_refused() {
        assert_eq!(Secret::new("").unwrap_err(), SecretError::Empty);
        for blank in [" ", "\t\r\n", "\u{a0}\u{2003}\u{3000}"] {
            assert_eq!(Secret::new(blank).unwrap_err(), SecretError::WhiteSpace);
        }
        assert_eq!(Secret::from_utf8(vec![b'x', 0xff]).unwrap_err(), SecretError::NotUtf8);
    }

    #[test]
    fn generated_secrets_are_256_bits_and_differ() {
        let (a, b) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_eq!(a.expose().len(), 64);
        assert!(a.expose().bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(a.expose(), b.expose());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2").unwrap()), "Secret([redacted])");
    }
}
