//! Durations as people write them in settings.

use std::time::Duration;

/// Reads `250ms`, `5s`, `2m`, `1h`, `7d`, or plain seconds; fractions are allowed (`1.5s`).
///
/// # Errors
/// [`DurationError`] for anything else, and for more than a thousand years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(DurationError),
    };
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(DurationError);
    }
    let seconds = number.parse::<f64>().map_err(|_| DurationError)? * seconds_per_unit;
    if seconds > 1_000.0 * 365.0 * 86_400.0 {
        return Err(DurationError);
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| DurationError)
}

/// The text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a number and ms, s, m, h or d, such as 250ms or 5s; seconds without a unit")]
pub struct DurationError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_settings() {
        for (text, millis) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("5", 5_000),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("90d", 7_776_000_000),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1s", "5 s", "5w", "1e3", "inf", "nan", "1..2", "99999999999d", "+5"]
        {
            assert_eq!(parse_duration(text), Err(DurationError), "{text}");
        }
    }
}
