//! What is remembered to tell the unusual from the usual. Time is monotonic, and memory bounded.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

use logflux_wire::alert::AlertKind;

use super::settings::{Burst, UnusualUse};

/// The most keys or addresses that are remembered of a kind of alert; above it those that came first
/// since the last time are forgotten. What is remembered of one kind makes room in no other.
const REMEMBERED: usize = 10_000;

/// Counts by subject, for each kind by itself, within a time that begins with the first.
#[derive(Debug)]
pub(super) struct Bursts<S> {
    kinds: HashMap<AlertKind, HashMap<S, (Instant, u64)>>,
}

impl<S: Eq + Hash> Bursts<S> {
    pub(super) fn new() -> Self {
        Self { kinds: HashMap::new() }
    }

    /// Counts some more; gives the count where it is enough.
    pub(super) fn count(
        &mut self,
        kind: AlertKind,
        subject: S,
        more: u64,
        rule: &Burst,
        now: Instant,
    ) -> Option<u64> {
        let over = |began: Instant| now.saturating_duration_since(began) > rule.window;
        let counts = self.kinds.entry(kind).or_default();
        make_room(counts, |(began, _)| over(*began));
        let (began, count) = counts.entry(subject).or_insert((now, 0));
        if over(*began) {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(more);
        (*count >= u64::from(rule.count)).then_some(*count)
    }
}

/// How many alerts of a kind are given in the time in which the same is told once.
const TOLD_OF_A_KIND: u32 = 200;

/// When a subject was last told of, for each kind by itself.
#[derive(Debug)]
pub(super) struct Quiet<S> {
    kinds: HashMap<AlertKind, Told<S>>,
}

#[derive(Debug)]
struct Told<S> {
    subjects: HashMap<S, Instant>,
    /// How many were told since then.
    since: Instant,
    count: u32,
}

impl<S: Eq + Hash> Quiet<S> {
    pub(super) fn new() -> Self {
        Self { kinds: HashMap::new() }
    }

    /// Whether it is to be told now; if so, it is not for that long.
    pub(super) fn passes(
        &mut self,
        kind: AlertKind,
        subject: S,
        quiet: Duration,
        now: Instant,
    ) -> bool {
        let over = |told: &Instant| now.saturating_duration_since(*told) >= quiet;
        let kind = self.kinds.entry(kind).or_insert_with(|| Told {
            subjects: HashMap::new(),
            since: now,
            count: 0,
        });
        if kind.subjects.get(&subject).is_some_and(|told| !over(told)) {
            return false;
        }
        if over(&kind.since) {
            (kind.since, kind.count) = (now, 0);
        }
        if kind.count >= TOLD_OF_A_KIND {
            return false;
        }
        kind.count += 1;
        make_room(&mut kind.subjects, over);
        kind.subjects.insert(subject, now);
        true
    }
}

/// Forgets what is over, and then all, where there is no room.
fn make_room<S: Eq + Hash, T>(map: &mut HashMap<S, T>, over: impl Fn(&T) -> bool) {
    if map.len() >= REMEMBERED {
        map.retain(|_, value| !over(value));
        if map.len() >= REMEMBERED {
            map.clear();
        }
    }
}

/// What a key has sent, window by window.
#[derive(Debug)]
pub(super) struct Usage {
    window_began: Instant,
    current: u64,
    /// The windows before, the oldest first.
    past: VecDeque<u64>,
    sum: u64,
}

/// A use that is unusual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unusual {
    pub(super) entries: u64,
    /// The mean of the windows before.
    pub(super) usual: f64,
}

impl Usage {
    pub(super) fn new(now: Instant) -> Self {
        Self { window_began: now, current: 0, past: VecDeque::new(), sum: 0 }
    }

    /// Counts entries; tells where that is unusual.
    pub(super) fn count(
        &mut self,
        entries: u64,
        rule: &UnusualUse,
        now: Instant,
    ) -> Option<Unusual> {
        let windows = rule.history.as_millis() / rule.window.as_millis().max(1);
        let windows = usize::try_from(windows).unwrap_or(1).max(1);
        self.turn(rule.window, windows, now);
        self.current = self.current.saturating_add(entries);
        if self.past.len() < windows.div_ceil(6) || self.current < u64::from(rule.least) {
            return None;
        }
        // Sums of entries are far below what a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let usual = self.sum as f64 / self.past.len() as f64;
        #[allow(clippy::cast_precision_loss)]
        let unusual = self.current as f64 > usual * f64::from(rule.factor);
        unusual.then_some(Unusual { entries: self.current, usual })
    }

    /// Begins new windows where the time has come.
    fn turn(&mut self, window: Duration, windows: usize, now: Instant) {
        let passed = now.saturating_duration_since(self.window_began);
        let turns = passed.as_nanos() / window.as_nanos().max(1);
        let turns = usize::try_from(turns).unwrap_or(usize::MAX);
        for turn in 0..turns.min(windows + 1) {
            let ended = if turn == 0 { std::mem::take(&mut self.current) } else { 0 };
            self.past.push_back(ended);
            self.sum = self.sum.saturating_add(ended);
            if self.past.len() > windows {
                self.sum = self.sum.saturating_sub(self.past.pop_front().unwrap_or(0));
            }
        }
        if turns > 0 {
            let remainder = passed.as_nanos() % window.as_nanos().max(1);
            let remainder = Duration::from_nanos(u64::try_from(remainder).unwrap_or(0));
            self.window_began = now.checked_sub(remainder).unwrap_or(now);
        }
    }
}

/// The usage of all keys.
#[derive(Debug)]
pub(super) struct Usages<S> {
    keys: HashMap<S, Usage>,
}

impl<S: Eq + Hash> Usages<S> {
    pub(super) fn new() -> Self {
        Self { keys: HashMap::new() }
    }

    pub(super) fn count(
        &mut self,
        key: S,
        entries: u64,
        rule: &UnusualUse,
        now: Instant,
    ) -> Option<Unusual> {
        let idle = |usage: &Usage| now.saturating_duration_since(usage.window_began) > rule.history;
        make_room(&mut self.keys, idle);
        self.keys.entry(key).or_insert_with(|| Usage::new(now)).count(entries, rule, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_so_many_within_the_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let rule = Burst { count: 3, window: Duration::from_secs(10), ..Burst::default() };
        let mut bursts = Bursts::new();
        let mut count =
            |subject, more, now| bursts.count(AlertKind::AuthFailures, subject, more, &rule, now);
        assert_eq!(count("a", 1, at(0)), None);
        assert_eq!(count("a", 1, at(9)), None);
        assert_eq!(count("b", 1, at(9)), None);
        assert_eq!(count("a", 1, at(10)), Some(3));
        assert_eq!(count("a", 1, at(21)), None, "another time has begun");
        assert_eq!(count("b", 5, at(9)), Some(6));
    }

    #[test]
    fn memory_is_bounded_whoever_comes_and_no_kind_makes_another_forgotten() {
        let now = Instant::now();
        let (mut bursts, mut quiet) = (Bursts::new(), Quiet::new());
        let long = Duration::from_secs(600);
        assert!(quiet.passes(AlertKind::NonceReused, 0, long, now));
        let mut told = 0;
        for subject in 0..50_000 {
            bursts.count(AlertKind::AuthFailures, subject, 1, &Burst::default(), now);
            told += u32::from(quiet.passes(AlertKind::AuthFailures, subject, long, now));
        }
        assert!(bursts.kinds.values().all(|counts| counts.len() <= REMEMBERED));
        assert!(quiet.kinds.values().all(|told| told.subjects.len() <= REMEMBERED));
        assert_eq!(told, TOLD_OF_A_KIND);
        assert!(!quiet.passes(AlertKind::NonceReused, 0, long, now), "it was told");
        assert!(quiet.passes(AlertKind::NonceReused, 1, long, now));
    }

    #[test]
    fn the_same_is_told_once_in_a_while() {
        let start = Instant::now();
        let mut quiet = Quiet::new();
        let minute = Duration::from_secs(60);
        let mut passes = |subject, now| quiet.passes(AlertKind::LimitNear, subject, minute, now);
        assert!(passes("a", start));
        assert!(!passes("a", start + minute / 2));
        assert!(passes("b", start));
        assert!(passes("a", start + minute));
    }

    #[test]
    fn use_is_unusual_against_the_keys_own_past_hour() {
        let rule = UnusualUse::default();
        let start = Instant::now();
        let at = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let mut usage = Usage::new(start);
        // What is not known is not judged.
        assert_eq!(usage.count(1_000_000, &rule, start), None);
        let mut usage = Usage::new(start);
        for minute in 0..60 {
            assert_eq!(usage.count(400, &rule, at(minute)), None);
        }
        assert_eq!(usage.count(1_999, &rule, at(60)), None);
        assert_eq!(usage.count(2, &rule, at(60)), Some(Unusual { entries: 2_001, usual: 400.0 }));
        // After a quiet hour the past is quiet, and what is little is still not unusual.
        assert_eq!(usage.count(999, &rule, at(200)), None);
        assert_eq!(usage.count(1, &rule, at(200)), Some(Unusual { entries: 1_000, usual: 0.0 }));
    }
}
