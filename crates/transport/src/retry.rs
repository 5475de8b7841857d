//! When to try again, and after how long.

use std::time::{Duration, SystemTime};

/// How often a request is tried, and how long between the tries: exponential backoff with jitter,
/// and a server's `Retry-After` before that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// How often a request is tried again after its first failure (`LOGFLUX_MAX_RETRIES`).
    pub max_retries: u32,
    /// The pause after the first failure (`LOGFLUX_INITIAL_DELAY`).
    pub initial_delay: Duration,
    /// The longest pause (`LOGFLUX_MAX_DELAY`).
    pub max_delay: Duration,
    /// By what the pause grows with every failure, at least 1 (`LOGFLUX_BACKOFF_FACTOR`).
    pub backoff_factor: f64,
}

impl Default for Retry {
    /// 5 retries; 500 ms, 1 s, 2 s, 4 s, 8 s between them; never more than 30 s.
    fn default() -> Self {
        Self {
            max_retries: 5,
            initial_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            backoff_factor: 2.0,
        }
    }
}

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
        let growth = self.backoff_factor.max(1.0).powf(f64::from(retry.saturating_sub(1)));
        let longest = self.max_delay.as_secs_f64();
        let backoff = (self.initial_delay.as_secs_f64() * growth).min(longest);
        let jittered = backoff * (1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        Duration::try_from_secs_f64(jittered).unwrap_or(self.max_delay)
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

    #[test]
    fn pauses_double_up_to_the_longest_and_jitter_takes_half_at_most() {
        let retry = Retry::default();
        let millis = |n, jitter| retry.pause(n, None, jitter).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 7, 99].map(|n| millis(n, 0.0)),
            [500, 1000, 2000, 4000, 30_000, 30_000]
        );
        assert_eq!([1, 2, 99].map(|n| millis(n, 1.0)), [250, 500, 15_000]);
        let shrinking = Retry { backoff_factor: 0.1, ..retry };
        assert_eq!(shrinking.pause(9, None, 0.0), retry.initial_delay);
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
