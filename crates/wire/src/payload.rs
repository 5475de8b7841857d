//! The sealed message.

use std::fmt;

use crate::limits::{PAYLOAD_MAX, TAG_LEN};

/// The sealed message: ciphertext and tag, 16 to 786,432 bytes, held decoded.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// Takes sealed bytes.
    ///
    /// # Errors
    /// [`PayloadError`] for fewer than 16 bytes (a tag) or more than 786,432 (1 MiB of base64).
    pub fn new(bytes: Vec<u8>) -> Result<Self, PayloadError> {
        match bytes.len() {
            0..TAG_LEN => Err(PayloadError::TooShort { at_least: TAG_LEN, got: bytes.len() }),
            TAG_LEN..=PAYLOAD_MAX => Ok(Self(bytes)),
            _ => Err(PayloadError::TooLong),
        }
    }

    /// The sealed bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the sealed bytes up.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Whether this cannot be ciphertext by any reasonable chance: 32 or more bytes, every one of
    /// them printable ASCII (PROTOCOL 7). Ciphertext of 32 bytes looks so once in 10^13 times.
    #[must_use]
    pub fn looks_like_plaintext(&self) -> bool {
        self.0.len() >= 32 && self.0.iter().all(|b| matches!(b, b' '..=b'~'))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} sealed bytes)", self.0.len())
    }
}

/// Why bytes are no [`Payload`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Not even the tag (and, in mode 128, the commitment) fits.
    #[error("payload has {got} bytes, fewer than the {at_least} of an empty message")]
    TooShort {
        /// What an empty message takes.
        at_least: usize,
        /// What there is.
        got: usize,
    },
    /// Longer than 786,432 bytes, that is 1,048,576 base64 characters.
    #[error("payload is longer than 1,048,576 base64 characters")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bounded_at_both_ends() {
        assert_eq!(
            Payload::new(vec![0; 15]),
            Err(PayloadError::TooShort { at_least: 16, got: 15 })
        );
        assert!(Payload::new(vec![0; 16]).is_ok());
        assert!(Payload::new(vec![0; 786_432]).is_ok());
        assert_eq!(Payload::new(vec![0; 786_433]), Err(PayloadError::TooLong));
    }

    #[test]
    fn plain_text_is_told_from_ciphertext() {
        let looks = |bytes: &[u8]| Payload::new(bytes.to_vec()).unwrap().looks_like_plaintext();
        assert!(looks(b"User login successful, id=4711 ~"));
        assert!(!looks(b"User login successful, id=4711\n"));
        assert!(!looks(b"thirty-one bytes of plain text."));
        assert!(!looks(b"User login successful, id=4711 \xff\xff"));
    }
}
