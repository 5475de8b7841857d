//! A time as an option gives it: a date and time, or how long ago it was.

use logflux_envelope::Timestamp;

/// Reads RFC 3339, or a duration before now, such as `1h`.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago = logflux_transport::parse_duration(text).map_err(|_| {
        "it must be a time such as 2024-01-17T10:30:45Z, or how long ago, such as 90s, 15m, 1h or 7d"
            .to_owned()
    })?;
    let now = Timestamp::now();
    let nanoseconds = i128::from(now.unix_seconds()) * 1_000_000_000
        + i128::from(now.nanoseconds())
        - i128::try_from(ago.as_nanos()).unwrap_or(i128::MAX);
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000));
    let rest = u32::try_from(nanoseconds.rem_euclid(1_000_000_000));
    let time =
        seconds.ok().zip(rest.ok()).map(|(seconds, rest)| Timestamp::from_unix(seconds, rest));
    time.and_then(Result::ok).ok_or_else(|| "it is before the year 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_or_so_long_ago() {
        assert_eq!(parse("2024-01-17T10:30:45Z").unwrap().to_string(), "2024-01-17T10:30:45Z");
        let now = Timestamp::now().unix_seconds();
        for (text, seconds) in [("1h", 3_600), ("90s", 90), ("1.5m", 90), ("7d", 604_800), ("0", 0)]
        {
            let ago = now - parse(text).unwrap().unix_seconds();
            assert!((seconds..seconds + 600).contains(&(ago + 1)), "{text}: {ago}");
        }
        for text in ["yesterday", "", "1 hour", "-1h", "2024-01-17"] {
            assert!(parse(text).unwrap_err().contains("such as"), "{text}");
        }
    }
}
