//! When to try again, and after how long.

use std::time::{Duration, SystemTime};

use crate::config::Retry;

/// The longest that a server's `Retry-After` is obeyed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

impl Retry {
    /// The pause before retry number `retry`, from 1. `jitter`, from 0 to 1, takes up to half of a
    /// backoff away, so that senders that failed together do not come back together; a `Retry-After`
    /// is taken as it is.
    #[must_use]
    pub fn pause(&self, retry: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
        if let Some(asked) = retry_after {
            return asked.min(RETRY_AFTER_MAX);
        }
        self.backoff.pause(retry).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }
}

/// Reads a `Retry-After` header: seconds, or an HTTP date. `None` for what is neither; a date that
/// has passed is no pause at all.
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() {
        // More digits than a number can have ask for more than the cap in any case.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Draws a jitter from 0 to 1; a half where the system gives no random bytes.
pub(crate) fn jitter() -> f64 {
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::config::Backoff;

    #[test]
    fn pauses_double_up_to_the_longest_and_jitter_takes_half_at_most() {
        let retry = Retry::default();
        let millis = |n, jitter| retry.pause(n, None, jitter).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 7, 99].map(|n| millis(n, 0.0)),
            [500, 1000, 2000, 4000, 30_000, 30_000]
        );
        assert_eq!([1, 2, 99].map(|n| millis(n, 1.0)), [250, 500, 15_000]);
        let backoff = Backoff::new(Duration::from_millis(40), Duration::from_millis(40), 100.0);
        let level = Retry { backoff: backoff.unwrap(), ..retry };
        assert_eq!([1, 2, u32::MAX].map(|n| level.pause(n, None, 0.0).as_millis()), [40, 40, 40]);
    }

    #[test]
    fn retry_after_wins_in_both_its_forms_and_is_capped() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, seconds) in [
            ("0", Some(0)),
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
            ("1.5", None),
            ("99999999999999999999999", Some(u64::MAX)),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(parse_retry_after(value, now), expected, "{value:?}");
        }
        let asked = Some(Duration::from_secs(1_000_000_000));
        assert_eq!(Retry::default().pause(1, asked, 0.7), Duration::from_secs(300));
    }
}
