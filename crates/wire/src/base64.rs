//! Base64 as the protocol has it: the standard alphabet of RFC 4648, section 4, padded and
//! canonical. URL-safe letters, missing or extra padding, white space and non-zero trailing bits
//! are errors.

use base64_simd::{Out, STANDARD};

/// Why a text is not canonical base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Base64Error {
    /// A character that is not of the standard alphabet, white space and `-` `_` among them.
    #[error("a character at {0} is not of the standard base64 alphabet")]
    Character(usize),
    /// The length is not a multiple of four: padding is missing or there is too much of it.
    #[error("the length is not a multiple of 4: base64 is padded with `=`")]
    Length,
    /// `=` stands where none may.
    #[error("padding stands at {0}, where none may")]
    Padding(usize),
    /// The last letter holds bits that no byte uses, and they are not zero.
    #[error("the last letter has non-zero bits that belong to no byte")]
    TrailingBits,
}

/// How many characters `len` bytes become.
#[must_use]
pub const fn encoded_len(len: usize) -> usize {
    len.div_ceil(3) * 4
}

/// Encodes `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode_to_string(bytes)
}

/// Appends the encoding of `bytes` to `out`, without a buffer in between.
pub fn encode_append(bytes: &[u8], out: &mut Vec<u8>) {
    STANDARD.encode_append(bytes, out);
}

/// Decodes `text`.
///
/// # Errors
/// [`Base64Error`], with the first fault's kind and place.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    STANDARD.decode_to_vec(text).map_err(|_| diagnose(text.as_bytes()))
}

/// Decodes `text` into exactly `N` bytes; `Ok(Err(len))` if it is good base64 of another length.
///
/// # Errors
/// [`Base64Error`], with the first fault's kind and place.
pub fn decode_array<const N: usize>(text: &str) -> Result<Result<[u8; N], usize>, Base64Error> {
    let mut array = [0; N];
    // The padding is looked at first: the decoder panics where its output would not fit.
    if text.len() == encoded_len(N)
        && text.bytes().rev().take_while(|b| *b == b'=').count() == (3 - N % 3) % 3
        && let Ok(bytes) = STANDARD.decode(text.as_bytes(), Out::from_slice(&mut array))
        && bytes.len() == N
    {
        return Ok(Ok(array));
    }
    decode(text).map(|bytes| bytes.try_into().map_err(|bytes: Vec<u8>| bytes.len()))
}

/// Finds out what is wrong with a text that did not decode.
#[cold]
fn diagnose(text: &[u8]) -> Base64Error {
    let is_letter = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    if let Some(at) = text.iter().position(|b| !is_letter(b) && *b != b'=') {
        return Base64Error::Character(at);
    }
    if !text.len().is_multiple_of(4) {
        return Base64Error::Length;
    }
    match text.iter().position(|b| *b == b'=') {
        Some(at)
            if at + 2 < text.len() || text.get(at..).is_some_and(|p| p.iter().any(is_letter)) =>
        {
            Base64Error::Padding(at)
        }
        _ => Base64Error::TrailingBits,
    }
}

#[cfg(test)]
mod tests {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD as ORACLE;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_deviation_is_refused_and_named() {
        for (text, error) in [
            ("QQ", Base64Error::Length),
            ("QQ=", Base64Error::Length),
            ("QQ===", Base64Error::Length),
            ("QUJD=", Base64Error::Length),
            ("QQ==QQ==", Base64Error::Padding(2)),
            ("QQ=A", Base64Error::Padding(2)),
            ("Q===", Base64Error::Padding(1)),
            ("====", Base64Error::Padding(0)),
            ("QUJD====", Base64Error::Padding(4)),
            ("QR==", Base64Error::TrailingBits),
            ("QUK=", Base64Error::TrailingBits),
            ("-_-_", Base64Error::Character(0)),
            ("QU JD", Base64Error::Character(2)),
            ("QUJD\n", Base64Error::Character(4)),
            ("QÜ==", Base64Error::Character(1)),
        ] {
            assert_eq!(decode(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn an_array_of_another_length_is_told_from_bad_base64() {
        assert_eq!(decode_array::<2>("QUI="), Ok(Ok(*b"AB")));
        assert_eq!(decode_array::<2>("QUJD"), Ok(Err(3)));
        assert_eq!(decode_array::<2>("QUJDRA=="), Ok(Err(4)));
        assert_eq!(decode_array::<2>("QUJ="), Err(Base64Error::TrailingBits));
    }

    proptest! {
        #[test]
        fn encoding_and_decoding_are_those_of_the_base64_crate(bytes: Vec<u8>) {
            let text = encode(&bytes);
            prop_assert_eq!(&text, &ORACLE.encode(&bytes));
            prop_assert_eq!(encoded_len(bytes.len()), text.len());
            prop_assert_eq!(decode(&text), Ok(bytes));
        }

        #[test]
        fn what_is_refused_is_what_the_base64_crate_refuses(text in "[A-Da-d+/=_ -]{0,16}") {
            prop_assert_eq!(decode(&text).ok(), ORACLE.decode(&text).ok());
        }
    }
}
