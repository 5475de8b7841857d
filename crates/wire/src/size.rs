//! Sizes as people write them in settings.

/// The units, and how many bytes they are.
const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Reads a number of bytes: `64MiB`, `20GB`, or plain bytes. The unit's case does not matter.
///
/// # Errors
/// [`SizeError`] for anything else, and for more than 2^64 - 1 bytes.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim_start();
    let bytes = match UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
        Some((_, bytes)) => *bytes,
        None if unit.is_empty() => 1,
        None => return Err(SizeError),
    };
    let number: u64 = number.parse().map_err(|_| SizeError)?;
    number.checked_mul(bytes).ok_or(SizeError)
}

/// The text is not a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size is a whole number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 64MiB")]
pub struct SizeError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("17", 17),
            ("17B", 17),
            ("64MiB", 64 << 20),
            ("64 mib", 64 << 20),
            ("20GB", 20_000_000_000),
            ("1TiB", 1 << 40),
            ("3kB", 3_000),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5GB", "1e3", "5 apples", "99999999999999TB", "+5"] {
            assert_eq!(parse_size(text), Err(SizeError), "{text}");
        }
    }
}
