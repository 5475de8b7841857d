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

    /// Whether this cannot be ciphertext by any reasonable chance: it is text, and long enough that
    /// random bytes look so less than once in 2^45 times (PROTOCOL 7).
    ///
    /// Text is UTF-8 whose only control characters are tab, line feed and carriage return.
    #[must_use]
    pub fn looks_like_plaintext(&self) -> bool {
        let Ok(text) = std::str::from_utf8(&self.0) else { return false };
        let mut least = PRINTABLE_MIN;
        for c in text.chars() {
            least = least.max(match c {
                ' '..='~' => PRINTABLE_MIN,
                '\t' | '\n' | '\r' => ASCII_MIN,
                c if c.is_control() => return false,
                _ => UTF8_MIN,
            });
        }
        text.len() >= least
    }
}

/// From how many bytes on random ones are a text of a kind with a probability below 2^-45: of
/// printable ASCII alone (95 of 256 values), with white space (98), and of all of UTF-8. PROTOCOL 7
/// has the computation.
const PRINTABLE_MIN: usize = 32;
const ASCII_MIN: usize = 33;
const UTF8_MIN: usize = 41;

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
        assert!(!looks(b"thirty-one bytes of plain text."));
        assert!(!looks(b"User login successful, id=4711 \xff\xff"));
        // With white space, as in pretty-printed JSON.
        assert!(looks(b"{\n\t\"user\": \"login\",\r\n\"id\": 4711 }\n"));
        assert!(!looks(b"thirty-two bytes, and a newline\n"));
        assert!(looks(b"thirty-three bytes, and a newline\n"));
        // In any script.
        assert!(looks("Der Benutzer hat sich angemeldet, für alle".as_bytes()));
        assert!(looks("Пользователь вошёл в систему".as_bytes()));
        assert!(looks("用户登录成功，编号四千七百一十一".as_bytes()));
        assert!(looks("🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥".as_bytes()));
        assert!(!looks("ä".repeat(20).as_bytes()), "40 bytes");
        assert!(looks(format!("{}x", "ä".repeat(20)).as_bytes()), "41 bytes");
        // Other control characters, and what is no UTF-8.
        for other in ["\0", "\u{1b}", "\u{7f}", "\u{85}", "\u{9f}"] {
            assert!(!looks(format!("{}{other}", "x".repeat(99)).as_bytes()), "{other:?}");
        }
        assert!(!looks(&[&[b'x'; 99][..], b"\xed\xa0\x80"].concat()), "half a surrogate pair");
    }

    #[test]
    fn random_bytes_are_text_less_than_once_in_2_to_the_45() {
        // The number of texts of n bytes, by the length of their last character.
        let fraction = |of_length: [f64; 4], bytes: usize| {
            let mut texts = vec![1.0_f64];
            for n in 1..=bytes {
                let ways = (1..=4.min(n)).map(|k| of_length[k - 1] * texts[n - k]);
                texts.push(ways.sum());
            }
            texts[bytes].log2() - 8.0 * f64::from(u32::try_from(bytes).unwrap())
        };
        // All of two, three and four bytes, without the 32 control characters and the surrogates.
        let utf8 = [98.0, 1_888.0, 61_440.0, 1_048_576.0];
        for (of_length, least) in [
            ([95.0, 0.0, 0.0, 0.0], PRINTABLE_MIN),
            ([98.0, 0.0, 0.0, 0.0], ASCII_MIN),
            (utf8, UTF8_MIN),
        ] {
            assert!(fraction(of_length, least) < -45.0, "{least}");
            assert!(fraction(of_length, least - 1) >= -45.0, "{least}");
        }
    }
}
