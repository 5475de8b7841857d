//! When the next call may be made.
//!
//! A failure that may pass holds everything back: backoff with jitter, or what the server asked for
//! (`Retry-After`). While the last call failed, one call at a time is a probe; the others wait for
//! it, so that a dead server is asked once a pause. The server's rate limit is spread over its
//! window once half of it is used, instead of being run into.

use std::time::{Duration, Instant};

use crate::api::RateLimit;
use crate::config::Retry;

/// The longest that a rate limit holds a call back, whatever its reset says.
const PACE_MAX: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(crate) struct Schedule {
    retry: Retry,
    max_in_flight: usize,
    in_flight: usize,
    /// Of these so many had begun when another failed: what they bring is older news.
    overtaken: usize,
    failures: u32,
    not_before: Option<Instant>,
    /// How far apart calls begin, for the server's limit.
    apart: Duration,
}

impl Schedule {
    pub(crate) fn new(retry: Retry, max_in_flight: usize) -> Self {
        Self {
            retry,
            max_in_flight,
            in_flight: 0,
            overtaken: 0,
            failures: 0,
            not_before: None,
            apart: Duration::ZERO,
        }
    }

    /// How long until the next call may begin; `None` where one that is in flight must end first.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        let most = if self.failures > 0 { 1 } else { self.max_in_flight };
        if self.in_flight >= most {
            return None;
        }
        Some(self.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(now)))
    }

    pub(crate) fn begin(&mut self, now: Instant) {
        self.in_flight += 1;
        if !self.apart.is_zero() {
            self.not_before = self.not_before.max(now.checked_add(self.apart));
        }
    }

    /// A call ended, and there is no reason to wait but the server's pace.
    pub(crate) fn succeeded(&mut self, rate: Option<RateLimit>, now: Instant) {
        self.in_flight -= 1;
        // The others may not have been counted yet when the server answered this one.
        let pace = rate.and_then(|rate| pace(rate, self.in_flight));
        self.apart = pace.unwrap_or_default();
        if self.overtaken > 0 {
            // It says nothing about what the server asked for since.
            self.overtaken -= 1;
            return;
        }
        self.failures = 0;
        // Answers may overtake one another: one that is late must not shorten a pause.
        self.not_before =
            pace.map(|pace| now + pace).max(self.not_before.filter(|_| pace.is_some()));
    }

    /// A call failed in a way that may pass.
    pub(crate) fn failed(&mut self, retry_after: Option<Duration>, jitter: f64, now: Instant) {
        self.in_flight -= 1;
        if self.overtaken > 0 {
            self.overtaken -= 1;
        } else {
            self.failures = self.failures.saturating_add(1);
            self.overtaken = self.in_flight;
        }
        // Who asks for no pause at all, or for one until a time that has passed, asks for nothing.
        let asked = retry_after.filter(|asked| !asked.is_zero());
        let pause = self.retry.pause(self.failures, asked, jitter);
        // Another that failed meanwhile must not shorten what is asked already.
        let at = now.checked_add(pause);
        self.not_before = self.not_before.max(at);
    }
}

/// How far apart calls keep to the limit, with so many under way; `None` while there is plenty.
fn pace(rate: RateLimit, in_flight: usize) -> Option<Duration> {
    if rate.remaining > rate.limit / 2 {
        return None;
    }
    let left = rate.resets_in.min(PACE_MAX);
    let remaining = u32::try_from(rate.remaining).unwrap_or(u32::MAX);
    let in_flight = u32::try_from(in_flight).unwrap_or(u32::MAX);
    // With none remaining, the window's end; else an even share of what is left of it.
    Some(left / remaining.saturating_sub(in_flight).saturating_add(1))
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
            schedule.begin(now);
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
            schedule.begin(now);
            assert_eq!(schedule.wait(now).is_some(), probes == 0, "two probes at a time");
            probes += 1;
            schedule.failed(None, 0.0, now);
        }
        // 0.5 + 1 + 2 + 4 + 8 + 16 s, then one every 30 s.
        assert_eq!(probes, 26);
        schedule.begin(now);
        schedule.succeeded(None, now);
        assert_eq!(schedule.wait(now), Some(Duration::ZERO));
    }

    #[test]
    fn what_the_server_asks_for_wins_and_is_not_shortened_by_another_failure() {
        let now = Instant::now();
        let mut schedule = schedule();
        schedule.begin(now);
        schedule.begin(now);
        schedule.failed(Some(Duration::from_secs(7)), 0.5, now);
        schedule.failed(Some(Duration::ZERO), 0.5, now);
        assert_eq!(schedule.wait(now), Some(Duration::from_secs(7)));
        schedule.begin(now);
        schedule.failed(Some(Duration::from_secs(1_000_000_000)), 0.5, now);
        assert_eq!(schedule.wait(now), Some(Duration::from_secs(300)));
    }

    #[test]
    fn a_success_that_began_before_a_failure_takes_no_pause_back() {
        let now = Instant::now();
        let mut schedule = schedule();
        for _ in 0..3 {
            schedule.begin(now);
        }
        schedule.failed(Some(Duration::from_secs(7)), 0.5, now);
        schedule.succeeded(None, now);
        schedule.failed(None, 0.5, now);
        assert_eq!(schedule.wait(now), Some(Duration::from_secs(7)));
        schedule.begin(now);
        schedule.succeeded(None, now);
        assert_eq!(schedule.wait(now), Some(Duration::ZERO));
    }

    #[test]
    fn no_pause_asked_for_is_the_backoff() {
        let now = Instant::now();
        let mut schedule = schedule();
        schedule.begin(now);
        schedule.failed(Some(Duration::ZERO), 0.0, now);
        assert_eq!(schedule.wait(now), Some(Duration::from_millis(500)));
    }

    #[test]
    fn answers_that_overtake_one_another_use_no_call_twice() {
        let now = Instant::now();
        let rate = |remaining| {
            Some(RateLimit { limit: 60, remaining, resets_in: Duration::from_secs(12) })
        };
        let mut schedule = schedule();
        schedule.begin(now);
        schedule.begin(now);
        // The one that took the last call of the window is answered first.
        schedule.succeeded(rate(0), now);
        schedule.succeeded(rate(1), now);
        assert_eq!(schedule.wait(now), Some(Duration::from_secs(12)));
        // Of two remaining one is under way, and the next takes the other one's place.
        let mut schedule = Schedule::new(Retry::default(), 3);
        schedule.begin(now);
        schedule.begin(now);
        schedule.succeeded(rate(2), now);
        let then = now + Duration::from_secs(6);
        assert_eq!(schedule.wait(now), Some(then - now));
        schedule.begin(then);
        assert_eq!(schedule.wait(then), Some(Duration::from_secs(6)));
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
            schedule.begin(now);
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
            schedule.begin(now);
            let resets_in = window + Duration::from_secs(60) - now;
            let rate = RateLimit { limit: 60, remaining: 60 - used, resets_in };
            schedule.succeeded(Some(rate), now);
        }
        // Ten windows' worth in hardly more than ten windows.
        assert!(now - start < Duration::from_secs(660), "{:?}", now - start);
    }
}
