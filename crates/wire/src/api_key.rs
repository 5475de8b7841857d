//! The key with which a sender shows the ingest API who it is.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// An API key: `lf_` and 32 characters of `[A-Za-z0-9]`. Its `Debug` form shows nothing of it,
/// and its memory is zeroed when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// How every key begins.
    pub const PREFIX: &'static str = "lf_";
    /// How many characters follow the prefix.
    pub const RANDOM_LEN: usize = 32;

    /// The key's text, for the `Authorization` header.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApiKey {
    type Err = ApiKeyError;

    fn from_str(text: &str) -> Result<Self, ApiKeyError> {
        let random = text.strip_prefix(Self::PREFIX).ok_or(ApiKeyError)?;
        if random.len() != Self::RANDOM_LEN || !random.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(ApiKeyError);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// The text has not the form of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an API key is `lf_` and 32 letters or digits")]
pub struct ApiKeyError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_lf_and_32_letters_or_digits() {
        let good = "lf_0123456789abcdefABCDEF0123456789";
        let key: ApiKey = good.parse().unwrap();
        assert_eq!(key.expose(), good);
        assert_eq!(format!("{key:?}"), "ApiKey([redacted])");
        for wrong in [
            "",
            "lf_",
            "lf_0123456789abcdefABCDEF012345678",
            "lf_0123456789abcdefABCDEF01234567890",
            "LF_0123456789abcdefABCDEF0123456789",
            "lf_0123456789abcdefABCDEF012345678-",
            "lf_0123456789abcdefABCDEF012345678é",
            " lf_0123456789abcdefABCDEF0123456789",
        ] {
            assert_eq!(wrong.parse::<ApiKey>(), Err(ApiKeyError), "{wrong}");
        }
    }
}
