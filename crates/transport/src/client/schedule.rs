//! When the next call may be made.
//!
//! A failure that may pass holds everything back: backoff with jitter, or what the server asked for
//! (`Retry-After`). While the last call failed, one call at a time is a probe; the others wait for
//! it, so that a dead server is asked once a pause. The server's rate limit is spread over its
//! window once half of it is used, instead of being run into.

use std::time::{Duration, Instant};

use crate::api::RateLimit;
use crate::retry::Retry;

/// The longest that a rate limit holds a call back, whatever its reset says.
const PACE_MAX: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(crate) struct Schedule {
    retry: Retry,
    max_in_flight: usize,
    in_flight: usize,
    failures: u32,
    not_before: Option<Instant>,
}

impl Schedule {
    pub(crate) fn new(retry: Retry, max_in_flight: usize) -> Self {
        Self { retry, max_in_flight, in_flight: 0, failures: 0, not_before: None }
    }

    /// How long until the next call may begin; `None` where one that is in flight must end first.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        let most = if self.failures > 0 { 1 } else { self.max_in_flight };
        if self.in_flight >= most {
            return None;
        }
        Some(self.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(now)))
    }

    pub(crate) fn begin(&mut self) {
        self.in_flight += 1;
    }

    /// A call ended, and there is no reason to wait but the server's pace.
    pub(crate) fn succeeded(&mut self, rate: Option<RateLimit>, now: Instant) {
        self.in_flight -= 1;
        self.failures = 0;
        self.not_before = rate.and_then(|rate| pace(rate, now));
    }

    /// A call failed in a way that may pass.
    pub(crate) fn failed(&mut self, retry_after: Option<Duration>, jitter: f64, now: Instant) {
        self.in_flight -= 1;
        self.failures = self.failures.saturating_add(1);
        let pause = self.retry.pause(self.failures, retry_after, jitter);
        // Another that failed meanwhile must not shorten what is asked already.
        let at = now.checked_add(pause);
        self.not_before = self.not_before.max(at);
    }
}

/// From when on the next call keeps to the limit.
fn pace(rate: RateLimit, now: Instant) -> Option<Instant> {
    if rate.remaining > rate.limit / 2 {
        return None;
    }
    let left = rate.resets_in.min(PACE_MAX);
    // With none remaining, the window's end; else an even share of what is left of it.
    let share = u32::try_from(rate.remaining).unwrap_or(u32::MAX).saturating_add(1);
    now.checked_add(left / share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule::new(Retry::default(), 3)
    }

    #[test]
    fn so_many_calls_are_in_flight_and_no_more() {
        let now = Instant::now();
        let mut schedule = schedule();
        for _ in 0..3 {
            assert_eq!(schedule.wait(now), Some(Duration::ZERO));
            schedule.begin();
        }
        assert_eq!(schedule.wait(now), None);
        schedule.succeeded(None, now);
        assert_eq!(schedule.wait(now), Some(Duration::ZERO));
    }

    #[test]
    fn a_dead_server_is_asked_once_a_pause_and_a_success_opens_the_way() {
        let mut now = Instant::now();
        let mut schedule = schedule();
        let mut probes = 0;
        let end = now + Duration::from_secs(600);
        while now < end {
            let Some(wait) = schedule.wait(now) else { panic!("a probe is lost") };
            now += wait;
            schedule.begin();
            assert_eq!(schedule.wait(now).is_some(), probes == 0, "two probes at a time");
            probes += 1;
            schedule.failed(None, 0.0, now);
        }
        // 0.5 + 1 + 2 + 4 + 8 + 16 s, then one every 30 s.
        assert_eq!(probes, 26);
        schedule.begin();
        schedule.succeeded(None, now);
        assert_eq!(schedule.wait(now), Some(Duration::ZERO));
    }

    #[test]
    fn what_the_server_asks_for_wins_and_is_not_shortened_by_another_failure() {
        let now = Instant::now();
        let mut schedule = schedule();
        schedule.begin();
        schedule.begin();
        schedule.failed(Some(Duration::from_secs(7)), 0.5, now);
        schedule.failed(Some(Duration::ZERO), 0.5, now);
        assert_eq!(schedule.wait(now), Some(Duration::from_secs(7)));
        schedule.begin();
        schedule.failed(Some(Duration::from_secs(1_000_000_000)), 0.5, now);
        assert_eq!(schedule.wait(now), Some(Duration::from_secs(300)));
    }

    #[test]
    fn a_limit_is_spread_over_its_window_once_half_of_it_is_used() {
        let now = Instant::now();
        let rate = |remaining, seconds| RateLimit {
            limit: 60,
            remaining,
            resets_in: Duration::from_secs(seconds),
        };
        let wait = |rate| {
            let mut schedule = schedule();
            schedule.begin();
            schedule.succeeded(Some(rate), now);
            schedule.wait(now).unwrap()
        };
        assert_eq!(wait(rate(59, 60)), Duration::ZERO);
        assert_eq!(wait(rate(29, 30)), Duration::from_secs(1));
        assert_eq!(wait(rate(0, 12)), Duration::from_secs(12));
        assert_eq!(wait(rate(0, 0)), Duration::ZERO);
        assert_eq!(wait(rate(0, 1_000_000)), PACE_MAX);
    }

    #[test]
    fn sixty_calls_a_minute_are_never_one_too_many() {
        // The server's side: a window of 60 s with 60 calls.
        let start = Instant::now();
        let mut schedule = schedule();
        let (mut now, mut window, mut used) = (start, start, 0_u64);
        for _ in 0..600 {
            now += schedule.wait(now).unwrap();
            while now >= window + Duration::from_secs(60) {
                window += Duration::from_secs(60);
                used = 0;
            }
            used += 1;
            assert!(used <= 60, "the limit was run into");
            schedule.begin();
            let resets_in = window + Duration::from_secs(60) - now;
            let rate = RateLimit { limit: 60, remaining: 60 - used, resets_in };
            schedule.succeeded(Some(rate), now);
        }
        // Ten windows' worth in hardly more than ten windows.
        assert!(now - start < Duration::from_secs(660), "{:?}", now - start);
    }
}
