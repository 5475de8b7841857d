//! The time of a message.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SECONDS_PER_DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z.
const MIN_SECONDS: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const MAX_SECONDS: i64 = 253_402_300_799;

/// A point in time in UTC to the nanosecond, from year 0001 to 9999, without leap seconds.
///
/// It is read from RFC 3339 with any offset, and written with `Z` and the shortest exact fraction
/// of 0, 3, 6 or 9 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

impl Timestamp {
    /// 0001-01-01T00:00:00Z, the earliest.
    pub const MIN: Self = Self { seconds: MIN_SECONDS, nanoseconds: 0 };
    /// 9999-12-31T23:59:59.999999999Z, the latest.
    pub const MAX: Self = Self { seconds: MAX_SECONDS, nanoseconds: 999_999_999 };

    /// From seconds since 1970-01-01T00:00:00Z, and nanoseconds on top of them (so the half second
    /// before the epoch is −1 s and 500,000,000 ns).
    ///
    /// # Errors
    /// [`TimestampError::Range`] outside the years 0001 to 9999, or for 10^9 nanoseconds or more.
    pub fn from_unix(seconds: i64, nanoseconds: u32) -> Result<Self, TimestampError> {
        if !(MIN_SECONDS..=MAX_SECONDS).contains(&seconds) || nanoseconds > 999_999_999 {
            return Err(TimestampError::Range);
        }
        Ok(Self { seconds, nanoseconds })
    }

    /// What the wall clock says now; a clock outside the range is held at its nearer end.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, negative before it.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// The nanoseconds past [`unix_seconds`](Self::unix_seconds), below 10^9.
    #[must_use]
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Appends the canonical text to `out`.
    pub fn append_to(self, out: &mut Vec<u8>) {
        let (year, month, day) = date_of_day(self.seconds.div_euclid(SECONDS_PER_DAY));
        let second_of_day = self.seconds.rem_euclid(SECONDS_PER_DAY).unsigned_abs();
        let [y1, y2] = digits(year / 100);
        let [y3, y4] = digits(year);
        let [m1, m2] = digits(month);
        let [d1, d2] = digits(day);
        let [h1, h2] = digits(second_of_day / 3600);
        let [n1, n2] = digits(second_of_day / 60 % 60);
        let [s1, s2] = digits(second_of_day % 60);
        out.extend_from_slice(&[
            y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2,
        ]);
        self.append_fraction(out);
        out.push(b'Z');
    }

    /// Appends the shortest of no fraction, 3, 6 and 9 digits that is exact.
    fn append_fraction(self, out: &mut Vec<u8>) {
        if self.nanoseconds == 0 {
            return;
        }
        let mut fraction = *b".000000000";
        let mut rest = self.nanoseconds;
        for digit in fraction.iter_mut().skip(1).rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        let shortest = match self.nanoseconds {
            n if n.is_multiple_of(1_000_000) => 4,
            n if n.is_multiple_of(1_000) => 7,
            _ => 10,
        };
        out.extend_from_slice(fraction.get(..shortest).unwrap_or(&fraction));
    }
}

/// As text, in its canonical form.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The last two decimal digits of a number.
fn digits(number: u64) -> [u8; 2] {
    let digit = |value: u64| b'0' + u8::try_from(value % 10).unwrap_or(0);
    [digit(number / 10), digit(number)]
}

/// A time outside the range is held at its nearer end.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let (seconds, nanoseconds) = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (i64::try_from(after.as_secs()), after.subsec_nanos()),
            Err(error) => {
                let before = error.duration();
                let whole = i64::try_from(before.as_secs()).map(|s| -s);
                match before.subsec_nanos() {
                    0 => (whole, 0),
                    part => (whole.map(|s| s - 1), 1_000_000_000 - part),
                }
            }
        };
        let clamped = if time < UNIX_EPOCH { Self::MIN } else { Self::MAX };
        seconds.map_or(clamped, |s| Self::from_unix(s, nanoseconds).unwrap_or(clamped))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        let whole = Duration::from_secs(timestamp.seconds.unsigned_abs());
        let base = if timestamp.seconds < 0 { UNIX_EPOCH - whole } else { UNIX_EPOCH + whole };
        base + Duration::from_nanos(timestamp.nanoseconds.into())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(30);
        self.append_to(&mut text);
        f.pad(&String::from_utf8_lossy(&text))
    }
}

/// Reads RFC 3339 with an upper-case `T` and `Z` or a numeric offset, and 0 to 9 fraction digits.
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let mut rest = Cursor(text.as_bytes());
        let year = rest.number(4)?;
        rest.expect(b'-')?;
        let month = rest.number(2)?;
        rest.expect(b'-')?;
        let day = rest.number(2)?;
        rest.expect(b'T')?;
        let hour = rest.number(2)?;
        rest.expect(b':')?;
        let minute = rest.number(2)?;
        rest.expect(b':')?;
        let second = rest.number(2)?;
        let nanoseconds = rest.fraction()?;
        let offset = rest.offset()?;
        if !rest.0.is_empty() {
            return Err(TimestampError::Form);
        }
        if year == 0
            || !(1..=12).contains(&month)
            || !(1..=days_in_month(year, month)).contains(&day)
            || hour > 23
            || minute > 59
            || second > 59
        {
            return Err(TimestampError::Range);
        }
        let local =
            day_of_date(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
        Self::from_unix(local - offset, nanoseconds)
    }
}

/// What is left of a text that is being read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn next(&mut self) -> Result<u8, TimestampError> {
        let (first, rest) = self.0.split_first().ok_or(TimestampError::Form)?;
        self.0 = rest;
        Ok(*first)
    }

    fn expect(&mut self, byte: u8) -> Result<(), TimestampError> {
        if self.next()? == byte { Ok(()) } else { Err(TimestampError::Form) }
    }

    fn number(&mut self, digits: usize) -> Result<i64, TimestampError> {
        let mut value = 0;
        for _ in 0..digits {
            match self.next()? {
                digit @ b'0'..=b'9' => value = value * 10 + i64::from(digit - b'0'),
                _ => return Err(TimestampError::Form),
            }
        }
        Ok(value)
    }

    /// The fraction in nanoseconds; 0 where there is none.
    fn fraction(&mut self) -> Result<u32, TimestampError> {
        let Some((b'.', digits)) = self.0.split_first() else { return Ok(0) };
        self.0 = digits;
        let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return Err(TimestampError::Form);
        }
        let value = (count..9).fold(self.number(count)?, |value, _| value * 10);
        u32::try_from(value).map_err(|_| TimestampError::Form)
    }

    /// The offset from UTC in seconds, east positive.
    fn offset(&mut self) -> Result<i64, TimestampError> {
        let sign = match self.next()? {
            b'Z' => return Ok(0),
            b'+' => 1,
            b'-' => -1,
            _ => return Err(TimestampError::Form),
        };
        let hours = self.number(2)?;
        self.expect(b':')?;
        let minutes = self.number(2)?;
        if hours > 23 || minutes > 59 {
            return Err(TimestampError::Range);
        }
        Ok(sign * (hours * 3600 + minutes * 60))
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day number of a date of the proleptic Gregorian calendar, 0 for 1970-01-01. Years are
/// counted from March, so that a leap day is the last of its year.
fn day_of_date(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month <= 2 { year - 1 } else { year };
    let march_month = (month + 9) % 12;
    let leap_days = march_year / 4 - march_year / 100 + march_year / 400;
    march_year * 365 + leap_days + (153 * march_month + 2) / 5 + (day - 1) - 719_468
}

/// The inverse of [`day_of_date`], for days of the years 0001 to 9999.
fn date_of_day(day: i64) -> (u64, u64, u64) {
    let days = u64::try_from(day + 719_468).unwrap_or(0);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day_of_month)
}

/// Why a text is no [`Timestamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text has not the form of RFC 3339.
    #[error("timestamp is not RFC 3339, such as 2024-01-17T10:30:45Z or …45.120+02:00")]
    Form,
    /// A part of it is out of its range, or the time is not within the years 0001 to 9999.
    #[error("timestamp has a part out of range (years 0001 to 9999, no leap second)")]
    Range,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn the_shortest_exact_fraction_is_written() {
        for (read, written) in [
            ("2024-01-17T10:30:45Z", "2024-01-17T10:30:45Z"),
            ("2024-01-17T10:30:45.0Z", "2024-01-17T10:30:45Z"),
            ("2024-01-17T10:30:45.1Z", "2024-01-17T10:30:45.100Z"),
            ("2024-01-17T10:30:45.1234Z", "2024-01-17T10:30:45.123400Z"),
            ("2024-01-17T10:30:45.000000001Z", "2024-01-17T10:30:45.000000001Z"),
            ("2024-01-17T10:30:45.12+02:00", "2024-01-17T08:30:45.120Z"),
            ("2024-02-29T23:59:59-23:59", "2024-03-01T23:58:59Z"),
            ("0001-01-01T00:00:00-00:00", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(read.parse::<Timestamp>().unwrap().to_string(), written, "{read}");
        }
    }

    #[test]
    fn what_is_not_strictly_rfc_3339_is_refused() {
        for text in [
            "",
            "2024-01-17",
            "2024-01-17T10:30:45",
            "2024-01-17t10:30:45Z",
            "2024-01-17T10:30:45z",
            "2024-01-17 10:30:45Z",
            "2024-01-17T10:30:45.Z",
            "2024-01-17T10:30:45.1234567890Z",
            "2024-01-17T10:30:45,5Z",
            "2024-01-17T10:30:45+0200",
            "2024-01-17T10:30:45+02",
            "2024-1-17T10:30:45Z",
            "+2024-01-17T10:30:45Z",
            "2024-01-17T10:30Z",
            "2024-01-17T10:30:45Z ",
            " 2024-01-17T10:30:45Z",
            "２024-01-17T10:30:45Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError::Form), "{text:?}");
        }
        for text in [
            "0000-12-31T23:59:59Z",
            "2024-00-17T10:30:45Z",
            "2024-13-17T10:30:45Z",
            "2024-01-00T10:30:45Z",
            "2023-02-29T10:30:45Z",
            "1900-02-29T10:30:45Z",
            "2024-04-31T10:30:45Z",
            "2024-01-17T24:00:00Z",
            "2024-01-17T10:60:45Z",
            "2016-12-31T23:59:60Z",
            "2024-01-17T10:30:45+24:00",
            "2024-01-17T10:30:45+02:60",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError::Range), "{text:?}");
        }
    }

    #[test]
    fn times_before_the_epoch_survive_the_way_through_system_time() {
        let before = UNIX_EPOCH - Duration::from_millis(1500);
        let timestamp = Timestamp::from(before);
        assert_eq!((timestamp.unix_seconds(), timestamp.nanoseconds()), (-2, 500_000_000));
        assert_eq!(timestamp.to_string(), "1969-12-31T23:59:58.500Z");
        assert_eq!(SystemTime::from(timestamp), before);
    }

    proptest! {
        #[test]
        fn the_calendar_is_that_of_the_time_crate(
            seconds in MIN_SECONDS..=MAX_SECONDS,
            nanoseconds in 0_u32..1_000_000_000,
        ) {
            let ours = Timestamp::from_unix(seconds, nanoseconds).unwrap();
            let text = ours.to_string();
            prop_assert_eq!(text.parse(), Ok(ours));
            let theirs = OffsetDateTime::parse(&text, &Rfc3339).unwrap();
            prop_assert_eq!(theirs.unix_timestamp(), seconds);
            prop_assert_eq!(theirs.nanosecond(), nanoseconds);
        }
    }
}
