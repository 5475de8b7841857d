//! Telling people: of drops and of what holds messages up, seldom, and of statistics, as often as
//! wanted.

use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stats::{ClientStats, Dropped};
use super::tickets::Unflushed;

/// What a client tells: how many messages were dropped since the last time, by reason, and why.
///
/// Where none were dropped, [`cause`](Self::cause) says what holds messages up, or that nothing does
/// any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DropReport {
    dropped: Dropped,
    cause: Option<String>,
}

impl DropReport {
    /// What failed last, or what changed, in a sentence.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// What stderr says of this where there is no callback, without the `logflux: ` before it.
    #[must_use]
    pub fn sentence(&self) -> String {
        if self.dropped.total() == 0 {
            return self.cause.clone().unwrap_or_default();
        }
        let reasons: Vec<String> = self
            .dropped
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        let cause = self.cause.as_ref().map_or_else(String::new, |cause| {
            format!(" ({cause}); `logflux doctor` checks the settings")
        });
        format!("messages dropped: {}{cause}", reasons.join(", "))
    }

    /// Writes [`sentence`](Self::sentence) to stderr, as where there is no callback. A stderr that
    /// takes nothing for 100 ms gets nothing.
    pub fn write_to_stderr(&self) {
        write_line(&self.sentence());
    }
}

impl Deref for DropReport {
    type Target = Dropped;

    fn deref(&self) -> &Dropped {
        &self.dropped
    }
}

/// What is called when messages were dropped, from the client's worker thread.
#[derive(Clone)]
pub struct OnDrop(pub(crate) Arc<dyn Fn(&DropReport) + Send + Sync>);

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

/// How often drops are told of on stderr, and how often the same sentence, at most.
const INTERVAL: Duration = Duration::from_secs(60);
/// How many sentences are remembered.
const SENTENCES: usize = 16;

/// Tells of drops and of what holds messages up: to the callback, or to stderr.
#[derive(Debug)]
pub(crate) struct Reporter {
    on_drop: Option<OnDrop>,
    interval: Duration,
    last: Option<Instant>,
    /// Whether drops wait to be told of.
    late: bool,
    said: Vec<(String, Instant)>,
}

impl Reporter {
    /// A callback is called at most once a second; stderr gets a line a minute at most.
    pub(crate) fn new(on_drop: Option<OnDrop>) -> Self {
        let interval = if on_drop.is_some() { Duration::from_secs(1) } else { INTERVAL };
        Self { on_drop, interval, last: None, late: false, said: Vec::new() }
    }

    /// How long until drops are told of that came too soon after others.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        let next = self.last.filter(|_| self.late)? + self.interval;
        Some(next.saturating_duration_since(now))
    }

    /// What is to be told now of what was dropped since `told`; it counts as told then. `last_words`
    /// does not wait until it is time to.
    pub(crate) fn due(
        &mut self,
        told: &mut Dropped,
        stats: &ClientStats,
        now: Instant,
        last_words: bool,
    ) -> Option<DropReport> {
        if stats.dropped == *told {
            return None;
        }
        let early = self.last.is_some_and(|last| now.duration_since(last) < self.interval);
        self.late = early && !last_words;
        if self.late {
            return None;
        }
        self.last = Some(now);
        untold(told, stats)
    }

    pub(crate) fn tell(&self, report: &DropReport) {
        if self.on_drop.is_some() {
            self.call(report);
        } else {
            report.write_to_stderr();
        }
    }

    /// Says a sentence, unless it was said within the last minute.
    pub(crate) fn say(&mut self, sentence: &str, now: Instant) {
        self.said.retain(|(_, at)| now.saturating_duration_since(*at) < INTERVAL);
        if self.said.iter().any(|(said, _)| said == sentence) || self.said.len() >= SENTENCES {
            return;
        }
        self.said.push((sentence.to_owned(), now));
        let cause = Some(sentence.to_owned());
        self.tell(&DropReport { dropped: Dropped::default(), cause });
    }

    /// Lets a sentence be said again at once.
    pub(crate) fn forget(&mut self, sentence: &str) {
        self.said.retain(|(said, _)| said != sentence);
    }

    /// Says on stderr what is lost as the process ends, when callbacks may not be called any more.
    pub(crate) fn tell_at_exit(&mut self, unflushed: &Unflushed, cause: Option<&str>) {
        let cause = cause.map_or_else(String::new, |cause| format!(" ({cause})"));
        write_line(&format!("at the end of the process: {unflushed}{cause}"));
    }

    fn call(&self, report: &DropReport) {
        if let Some(on_drop) = &self.on_drop {
            // A callback that panics must not end the worker.
            drop(catch_unwind(AssertUnwindSafe(|| (on_drop.0)(report))));
        }
    }
}

/// What was dropped since `told`, which counts as told then.
pub(crate) fn untold(told: &mut Dropped, stats: &ClientStats) -> Option<DropReport> {
    let dropped = stats.dropped.since(told);
    *told = stats.dropped;
    let cause = stats.last_error.clone();
    (dropped.total() > 0).then_some(DropReport { dropped, cause })
}

/// Writes a line to stderr. One that is closed or full must neither end nor hold up the worker.
fn write_line(sentence: &str) {
    logflux_process::write_to_stderr(format!("logflux: {sentence}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::stats::DropReason;
    use super::*;

    fn stats(dropped: Dropped) -> ClientStats {
        ClientStats { dropped, last_error: Some("the cause".to_owned()), ..ClientStats::default() }
    }

    #[test]
    fn drops_are_told_together_and_not_too_often() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let on_drop = OnDrop(Arc::new(move |report| {
            assert_eq!(report.cause(), Some("the cause"));
            seen.lock().unwrap().push(report.total());
        }));
        let mut reporter = Reporter::new(Some(on_drop));
        let start = Instant::now();
        let (mut dropped, mut counted) = (Dropped::default(), Dropped::default());
        let mut tell = |reporter: &mut Reporter, dropped, now, last_words| {
            if let Some(report) = reporter.due(&mut counted, &stats(dropped), now, last_words) {
                assert_eq!(
                    report.sentence(),
                    format!(
                        "messages dropped: {} queue full (the cause); `logflux doctor` checks the settings",
                        report.total()
                    )
                );
                reporter.tell(&report);
            }
        };
        tell(&mut reporter, dropped, start, false);
        for tenth in 0..25 {
            dropped.add(DropReason::QueueFull, 1);
            let now = start + Duration::from_millis(tenth * 100);
            tell(&mut reporter, dropped, now, false);
            assert_eq!(reporter.wait(now).is_some(), tenth % 10 != 0);
        }
        tell(&mut reporter, dropped, start + Duration::from_millis(2_450), true);
        assert_eq!(*told.lock().unwrap(), [1, 10, 10, 4]);
    }

    #[test]
    fn a_sentence_is_said_once_a_minute() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let on_drop = OnDrop(Arc::new(move |report| {
            assert_eq!(report.total(), 0);
            seen.lock().unwrap().push(report.cause().unwrap().to_owned());
        }));
        let mut reporter = Reporter::new(Some(on_drop));
        let start = Instant::now();
        for (second, sentence) in [(0, "a"), (1, "a"), (2, "b"), (59, "a"), (61, "a"), (62, "b")] {
            reporter.say(sentence, start + Duration::from_secs(second));
        }
        assert_eq!(*told.lock().unwrap(), ["a", "b", "a", "b"]);
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
        let (mut dropped, mut told) = (Dropped::default(), Dropped::default());
        dropped.add(DropReason::QueueFull, 1);
        let report = reporter.due(&mut told, &stats(dropped), Instant::now(), true).unwrap();
        reporter.tell(&report);
        assert_eq!(told, dropped);
    }
}
