//! Random letters and digits from the operating system's generator.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `prefix` and `len` characters of `[A-Za-z0-9]`, each equally likely. The text is zeroed on drop,
/// since it may become a key.
///
/// # Errors
/// The generator's own.
pub(crate) fn alphanumerics(
    prefix: &str,
    len: usize,
) -> Result<Zeroizing<String>, getrandom::Error> {
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + len));
    text.push_str(prefix);
    let end = prefix.len() + len;
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while text.len() < end {
        getrandom::fill(&mut bytes[..])?;
        let letters = bytes.iter().filter_map(|byte| letter(*byte));
        let missing = end - text.len();
        text.extend(letters.take(missing));
    }
    Ok(text)
}

/// The letter of a random byte, or none for the eight values that would make some likelier.
fn letter(byte: u8) -> Option<char> {
    const FAIR: u8 = 62 * 4;
    if byte >= FAIR {
        return None;
    }
    ALPHABET.get(usize::from(byte % 62)).map(|letter| char::from(*letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_stands_for_four_bytes() {
        for expected in ALPHABET {
            let count = (0..=255).filter(|b| letter(*b) == Some(char::from(*expected))).count();
            assert_eq!(count, 4, "{}", char::from(*expected));
        }
        assert_eq!((0..=255).filter(|b| letter(*b).is_none()).count(), 8);
    }

    #[test]
    fn the_length_is_exact_and_no_two_are_equal() {
        for len in [0, 1, 12, 32, 63, 64, 65, 200] {
            let one = alphanumerics("x_", len).unwrap();
            assert_eq!(one.len(), len + 2);
            assert!(one.starts_with("x_") && one[2..].bytes().all(|b| b.is_ascii_alphanumeric()));
            assert!(len < 12 || *one != *alphanumerics("x_", len).unwrap());
        }
    }
}
