//! Telling of dropped messages, once a minute at the most, and of statistics, as often as wanted.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ledger::{ClientStats, Dropped};

/// What is called when messages were dropped, with how many by reason since the last call. It is
/// called from the client's worker thread.
#[derive(Clone)]
pub struct OnDrop(pub(crate) Arc<dyn Fn(&Dropped) + Send + Sync>);

impl fmt::Debug for OnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnDrop(…)")
    }
}

/// What is called with the statistics, from the client's worker thread.
#[derive(Clone)]
pub(crate) struct OnStats {
    pub(crate) interval: Duration,
    pub(crate) call: Arc<dyn Fn(&ClientStats) + Send + Sync>,
}

impl fmt::Debug for OnStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnStats(every {:?})", self.interval)
    }
}

/// Tells of statistics.
#[derive(Debug)]
pub(crate) struct Statistician {
    on_stats: Option<OnStats>,
    next: Instant,
}

impl Statistician {
    /// The first time is an interval from now.
    pub(crate) fn new(on_stats: Option<OnStats>, now: Instant) -> Self {
        let next = on_stats.as_ref().map_or(now, |on_stats| now + on_stats.interval);
        Self { on_stats, next }
    }

    /// How long until the next time, if there is one.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        self.on_stats.as_ref().map(|_| self.next.saturating_duration_since(now))
    }

    /// Tells, if it is time to. `last_words` does not wait.
    pub(crate) fn tell(
        &mut self,
        stats: impl FnOnce() -> ClientStats,
        now: Instant,
        last_words: bool,
    ) {
        if let Some(on_stats) = &self.on_stats
            && (last_words || now >= self.next)
        {
            self.next = now + on_stats.interval;
            // A callback that panics must not end the worker.
            drop(catch_unwind(AssertUnwindSafe(|| (on_stats.call)(&stats()))));
        }
    }
}

/// How often drops are told of at most.
const INTERVAL: Duration = Duration::from_secs(60);

/// Tells of drops: to the callback, or to stderr.
#[derive(Debug)]
pub(crate) struct Reporter {
    on_drop: Option<OnDrop>,
    interval: Duration,
    told: Dropped,
    last: Option<Instant>,
}

impl Reporter {
    /// A callback is called at most once a second; stderr gets a line a minute at most.
    pub(crate) fn new(on_drop: Option<OnDrop>) -> Self {
        let interval = if on_drop.is_some() { Duration::from_secs(1) } else { INTERVAL };
        Self { on_drop, interval, told: Dropped::default(), last: None }
    }

    /// Tells of what was dropped since the last time, if it is time to. `last_words` does not wait.
    pub(crate) fn tell(&mut self, dropped: &Dropped, now: Instant, last_words: bool) {
        let early = self.last.is_some_and(|last| now.duration_since(last) < self.interval);
        let since = dropped.since(&self.told);
        if since.total() == 0 || (early && !last_words) {
            return;
        }
        self.told = *dropped;
        self.last = Some(now);
        match &self.on_drop {
            // A callback that panics must not end the worker.
            Some(on_drop) => drop(catch_unwind(AssertUnwindSafe(|| (on_drop.0)(&since)))),
            None => {
                let reasons: Vec<String> = since
                    .iter()
                    .filter(|(_, count)| *count > 0)
                    .map(|(reason, count)| format!("{count} {reason}"))
                    .collect();
                // A closed stderr must not end the worker, as `eprintln!` would.
                let _ = std::io::Write::write_all(
                    &mut std::io::stderr(),
                    format!("logflux: messages dropped: {}\n", reasons.join(", ")).as_bytes(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::ledger::DropReason;
    use super::*;

    #[test]
    fn drops_are_told_together_and_not_too_often() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let on_drop = OnDrop(Arc::new(move |dropped| seen.lock().unwrap().push(dropped.total())));
        let mut reporter = Reporter::new(Some(on_drop));
        let start = Instant::now();
        let mut dropped = Dropped::default();
        reporter.tell(&dropped, start, false);
        for tenth in 0..25 {
            dropped.add(DropReason::QueueFull, 1);
            reporter.tell(&dropped, start + Duration::from_millis(tenth * 100), false);
        }
        reporter.tell(&dropped, start + Duration::from_millis(2_450), true);
        assert_eq!(*told.lock().unwrap(), [1, 10, 10, 4]);
    }

    #[test]
    fn statistics_are_told_every_interval_and_at_the_end() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let call = move |stats: &ClientStats| seen.lock().unwrap().push(stats.accepted);
        let on_stats = OnStats { interval: Duration::from_secs(1), call: Arc::new(call) };
        let start = Instant::now();
        let mut statistician = Statistician::new(Some(on_stats), start);
        for tenth in 0..25 {
            let stats = || ClientStats { accepted: tenth, ..ClientStats::default() };
            let now = start + Duration::from_millis(tenth * 100);
            statistician.tell(stats, now, false);
            assert!(statistician.wait(now).unwrap() <= Duration::from_secs(1));
        }
        statistician.tell(ClientStats::default, start + Duration::from_millis(2_500), true);
        assert_eq!(*told.lock().unwrap(), [10, 20, 0]);
    }

    #[test]
    fn a_callback_that_panics_ends_nothing() {
        let mut reporter = Reporter::new(Some(OnDrop(Arc::new(|_| panic!("on purpose")))));
        let mut dropped = Dropped::default();
        dropped.add(DropReason::QueueFull, 1);
        reporter.tell(&dropped, Instant::now(), true);
        assert_eq!(reporter.told, dropped);
    }
}
