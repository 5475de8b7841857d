//! The processor time that derivation may use.

use std::time::{Duration, Instant};

/// A token bucket of processor time: it fills at `rate` seconds a second, and holds one second.
#[derive(Debug)]
pub(crate) struct Budget {
    rate: f64,
    seconds: f64,
    filled: Instant,
}

/// How much may be spent at once.
const BURST: f64 = 1.0;

impl Budget {
    /// A full bucket; `rate` is a part of one core.
    pub(crate) fn new(rate: f64, now: Instant) -> Self {
        Self { rate, seconds: BURST, filled: now }
    }

    /// How long until `cost` can be paid; zero where it can be now. A cost above the burst can be
    /// paid when the bucket is full.
    pub(crate) fn wait_for(&mut self, cost: Duration, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.seconds = (self.seconds + passed * self.rate).min(BURST);
        self.filled = now;
        let missing = cost.as_secs_f64().min(BURST) - self.seconds;
        if missing <= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(missing / self.rate) }
    }

    /// Pays what was spent, which may be more than there was.
    pub(crate) fn pay(&mut self, cost: Duration) {
        self.seconds -= cost.as_secs_f64();
    }
}

/// The processor time that the calling thread has used; where the system does not tell, the time.
pub(crate) fn thread_time(started: Instant) -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        if let (Ok(seconds), Ok(nanoseconds)) =
            (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec))
        {
            return Duration::new(seconds, nanoseconds);
        }
    }
    started.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_a_core_is_spent_over_a_minute() {
        let start = Instant::now();
        let mut budget = Budget::new(0.1, start);
        let cost = Duration::from_millis(40);
        let (mut now, mut spent) = (start, Duration::ZERO);
        while now < start + Duration::from_secs(60) {
            now += budget.wait_for(cost, now);
            assert!(budget.wait_for(cost, now) < Duration::from_nanos(10));
            budget.pay(cost);
            spent += cost;
            now += cost;
        }
        let over_time = spent.as_secs_f64() - BURST;
        assert!((5.9..6.2).contains(&over_time), "{over_time}");
    }

    #[test]
    fn a_cost_above_the_burst_waits_for_a_full_bucket_and_is_paid_off() {
        let start = Instant::now();
        let mut budget = Budget::new(0.5, start);
        let cost = Duration::from_secs(3);
        assert_eq!(budget.wait_for(cost, start), Duration::ZERO);
        budget.pay(cost);
        assert_eq!(budget.wait_for(cost, start), Duration::from_secs(6));
    }

    #[test]
    fn a_clock_that_stands_still_gives_nothing() {
        let start = Instant::now();
        let mut budget = Budget::new(1.0, start);
        budget.pay(Duration::from_secs(1));
        for _ in 0..100 {
            assert!(budget.wait_for(Duration::from_millis(1), start) > Duration::ZERO);
        }
    }
}
