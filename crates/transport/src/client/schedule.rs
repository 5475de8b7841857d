//! When the next call may be made.
//!
//! A failure that may pass holds everything back: backoff with jitter, or what the server asked for
//! (`Retry-After`). While the last call failed, one call at a time is a probe; the others wait for
//! it, so that a dead server is asked once a pause. Where the key or the route is wrong, the pauses
//! grow to a minute. The server's rate limit has a [`Pace`].

use std::time::{Duration, Instant};

use super::pace::{Pace, Urgency};
use crate::api::RateLimit;
use crate::config::Retry;
use crate::retry::jitter;

/// The longest pause between probes while the key or the route is wrong.
const HOLD_MAX: Duration = Duration::from_secs(60);

/// What a call ended with, for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The server answers.
    Well,
    /// It failed in a way that may pass; the server may have asked for a pause.
    Failed(Option<Duration>),
    /// The key or the route is wrong.
    Held(Option<Duration>),
    /// A key or a CA file was wrong that is replaced by now.
    Aside,
}

#[derive(Debug)]
pub(crate) struct Schedule {
    retry: Retry,
    max_in_flight: usize,
    in_flight: usize,
    /// Of these so many had begun when another failed: what they bring is older news.
    overtaken: usize,
    failures: u32,
    not_before: Option<Instant>,
    pace: Pace,
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
            pace: Pace::default(),
        }
    }

    /// How long until the next call may begin; `None` where one that is in flight must end first.
    pub(crate) fn wait(&self, urgency: Urgency, now: Instant) -> Option<Duration> {
        let most = if self.failures > 0 { 1 } else { self.max_in_flight };
        if self.in_flight >= most {
            return None;
        }
        let at = self.not_before.max(self.pace.not_before(urgency));
        Some(at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now)))
    }

    /// Whether the last call failed, so that waiting for the server is of no use.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// The limit that holds full requests back: so many in this time.
    pub(crate) fn limit(&self, now: Instant) -> Option<(u64, Duration)> {
        self.pace.holds_back(now)
    }

    pub(crate) fn begin(&mut self) {
        self.in_flight += 1;
    }

    /// A call ended.
    pub(crate) fn ended(&mut self, ended: Ended, rate: Option<RateLimit>, now: Instant) {
        self.in_flight -= 1;
        let in_flight = u64::try_from(self.in_flight).unwrap_or(u64::MAX);
        match (rate, ended) {
            (Some(rate), _) => self.pace.answered(rate, in_flight, jitter(), now),
            // What does not answer says nothing of a limit.
            (None, Ended::Well) => self.pace.unlimited(),
            (None, _) => {}
        }
        match ended {
            Ended::Well => self.succeeded(),
            Ended::Failed(asked) => self.failed(asked, self.retry, now),
            Ended::Held(asked) => {
                // Where the first pause is longer than that already, it is the longest, too.
                let backoff = self.retry.backoff;
                let backoff = backoff.up_to(HOLD_MAX).unwrap_or(backoff);
                self.failed(asked, Retry { backoff, ..self.retry }, now);
            }
            // It says nothing of what calls are made with now.
            Ended::Aside => self.overtaken = self.overtaken.saturating_sub(1),
        }
    }

    /// Calls are made with another key, or trust other authorities: pauses and limits of the old one
    /// hold nothing back. After a failure one call is a probe still.
    pub(crate) fn renew(&mut self) {
        self.not_before = None;
        self.pace.unlimited();
    }

    fn succeeded(&mut self) {
        if self.overtaken > 0 {
            // It says nothing about what the server asked for since.
            self.overtaken -= 1;
            return;
        }
        self.failures = 0;
        self.not_before = None;
    }

    fn failed(&mut self, retry_after: Option<Duration>, retry: Retry, now: Instant) {
        if self.overtaken > 0 {
            self.overtaken -= 1;
        } else {
            self.failures = self.failures.saturating_add(1);
            self.overtaken = self.in_flight;
        }
        // Who asks for no pause at all, or for one until a time that has passed, asks for nothing.
        let asked = retry_after.filter(|asked| !asked.is_zero());
        let pause = retry.pause(self.failures, asked, jitter());
        // Another that failed meanwhile must not shorten what is asked already.
        self.not_before = self.not_before.max(now.checked_add(pause));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Ended = Ended::Failed(None);

    fn schedule() -> Schedule {
        Schedule::new(Retry::default(), 3)
    }

    fn wait(schedule: &Schedule, now: Instant) -> Option<Duration> {
        schedule.wait(Urgency::Full, now)
    }

    #[test]
    fn so_many_calls_are_in_flight_and_no_more() {
        let now = Instant::now();
        let mut schedule = schedule();
        for _ in 0..3 {
            assert_eq!(wait(&schedule, now), Some(Duration::ZERO));
            schedule.begin();
        }
        assert_eq!(wait(&schedule, now), None);
        schedule.ended(Ended::Well, None, now);
        assert_eq!(wait(&schedule, now), Some(Duration::ZERO));
    }

    #[test]
    fn a_dead_server_is_asked_once_a_pause_and_a_success_opens_the_way() {
        // Half of a pause at least, and all of it at most: 0.5 + 1 + 2 + … s, then 30 s or 60 s.
        for (ended, least, most) in [(FAILED, 26, 50), (Ended::Held(None), 16, 30)] {
            let mut now = Instant::now();
            let mut schedule = schedule();
            let mut probes = 0;
            let end = now + Duration::from_secs(600);
            while now < end {
                let Some(pause) = wait(&schedule, now) else { panic!("a probe is lost") };
                now += pause;
                schedule.begin();
                assert_eq!(wait(&schedule, now).is_some(), probes == 0, "two probes at a time");
                probes += 1;
                schedule.ended(ended, None, now);
            }
            assert!((least..=most).contains(&probes), "{ended:?}: {probes}");
            schedule.begin();
            schedule.ended(Ended::Well, None, now);
            assert_eq!(wait(&schedule, now), Some(Duration::ZERO));
        }
    }

    #[test]
    fn what_the_server_asks_for_wins_and_is_not_shortened_by_another_failure() {
        let now = Instant::now();
        let mut schedule = schedule();
        schedule.begin();
        schedule.begin();
        let asked = |seconds| Ended::Failed(Some(Duration::from_secs(seconds)));
        schedule.ended(asked(7), None, now);
        schedule.ended(asked(0), None, now);
        assert_eq!(wait(&schedule, now), Some(Duration::from_secs(7)));
        schedule.begin();
        schedule.ended(asked(1_000_000_000), None, now);
        assert_eq!(wait(&schedule, now), Some(Duration::from_secs(300)));
    }

    #[test]
    fn a_success_that_began_before_a_failure_takes_no_pause_back() {
        let now = Instant::now();
        let mut schedule = schedule();
        for _ in 0..3 {
            schedule.begin();
        }
        schedule.ended(Ended::Failed(Some(Duration::from_secs(7))), None, now);
        schedule.ended(Ended::Well, None, now);
        schedule.ended(FAILED, None, now);
        assert_eq!(wait(&schedule, now), Some(Duration::from_secs(7)));
        schedule.begin();
        schedule.ended(Ended::Well, None, now);
        assert_eq!(wait(&schedule, now), Some(Duration::ZERO));
    }

    #[test]
    fn a_new_key_is_tried_at_once_by_one_probe_and_the_old_one_takes_nothing_back() {
        let now = Instant::now();
        let mut schedule = schedule();
        for _ in 0..3 {
            schedule.begin();
        }
        let minute = Some(Duration::from_secs(60));
        let rate = RateLimit { limit: 60, remaining: 0, resets_in: Duration::from_secs(30) };
        schedule.ended(Ended::Held(minute), Some(rate), now);
        assert_eq!(wait(&schedule, now), None);
        schedule.renew();
        schedule.ended(Ended::Aside, None, now);
        schedule.ended(Ended::Aside, None, now);
        assert_eq!(wait(&schedule, now), Some(Duration::ZERO));
        schedule.begin();
        assert_eq!(wait(&schedule, now), None, "two probes at a time");
        schedule.ended(Ended::Held(minute), None, now);
        assert_eq!(wait(&schedule, now), minute, "the new one is refused as well");
        schedule.renew();
        schedule.begin();
        schedule.ended(Ended::Well, None, now);
        assert_eq!(wait(&schedule, now), Some(Duration::ZERO));
    }

    #[test]
    fn no_pause_asked_for_is_the_backoff() {
        let now = Instant::now();
        let mut schedule = schedule();
        schedule.begin();
        schedule.ended(Ended::Failed(Some(Duration::ZERO)), None, now);
        let pause = wait(&schedule, now).unwrap();
        assert!((250..=500).contains(&pause.as_millis()), "{pause:?}");
    }

    #[test]
    fn answers_that_overtake_one_another_use_no_call_twice() {
        let now = Instant::now();
        let rate = |remaining| {
            Some(RateLimit { limit: 60, remaining, resets_in: Duration::from_secs(12) })
        };
        let mut schedule = schedule();
        schedule.begin();
        schedule.begin();
        // The one that took the last call of the window is answered first.
        schedule.ended(Ended::Well, rate(0), now);
        schedule.ended(Ended::Well, rate(1), now);
        assert!(schedule.wait(Urgency::Last, now) >= Some(Duration::from_secs(12)));
    }
}
