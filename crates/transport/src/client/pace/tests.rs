//! The pace against a server's window, in a time of its own.

use std::collections::VecDeque;

use super::*;

const LIMIT: u64 = 60;
const WINDOW: Duration = Duration::from_secs(60);
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
const BATCH: usize = 100;

/// The server's side: the window begins with its first request, and says its end in whole seconds.
#[derive(Default)]
struct Server {
    window: Option<Duration>,
    used: u64,
    refused: u64,
}

impl Server {
    /// Whether the request is taken, and what the answer says.
    fn ask(&mut self, now: Duration) -> (bool, RateLimit) {
        let began = *self.window.get_or_insert(now);
        if now >= began + WINDOW {
            (self.window, self.used) = (Some(now), 0);
        }
        let taken = self.used < LIMIT;
        self.used += u64::from(taken);
        self.refused += u64::from(!taken);
        let ends = self.window.unwrap() + WINDOW;
        let resets_in = Duration::from_secs(ends.as_secs() + 1 - now.as_secs());
        (taken, RateLimit { limit: LIMIT, remaining: LIMIT - self.used, resets_in })
    }
}

/// A process that logs so many lines a second, and sends them as the worker does.
struct Process {
    pace: Pace,
    waiting: VecDeque<Duration>,
    lines_per_second: u32,
    logged: u32,
    begins: Duration,
    not_before: Duration,
}

/// Runs processes against one server for so long; gives how long each line waited, sorted, and how
/// many requests were refused.
fn run(
    processes: u32,
    lines_per_second: u32,
    apart: Duration,
    time: Duration,
) -> (Vec<Duration>, u64) {
    let start = Instant::now();
    let mut server = Server::default();
    let mut all: Vec<Process> = (0..processes)
        .map(|number| Process {
            pace: Pace::default(),
            waiting: VecDeque::new(),
            lines_per_second,
            logged: 0,
            begins: apart * number + Duration::from_millis(u64::from(number * 37 % 100) * 10),
            not_before: Duration::ZERO,
        })
        .collect();
    let mut waited = Vec::new();
    let mut now = Duration::ZERO;
    while now < time || all.iter().any(|process| !process.waiting.is_empty()) {
        assert!(now < 3 * time, "lines wait for ever");
        for (process, jitter) in all.iter_mut().zip((0..).map(|n| f64::from(n % 10) / 10.0)) {
            loop {
                let at = process.begins
                    + Duration::from_secs(1) * process.logged / process.lines_per_second;
                if at > now || at >= time {
                    break;
                }
                process.logged += 1;
                process.waiting.push_back(at);
            }
            let full = process.waiting.len() >= BATCH;
            let Some(oldest) = process.waiting.front() else { continue };
            let urgency = if full { Urgency::Full } else { Urgency::Patient };
            let paced = process.pace.not_before(urgency).is_some_and(|at| at > start + now);
            if paced || now < process.not_before || (!full && now - *oldest < FLUSH_INTERVAL) {
                continue;
            }
            let (taken, rate) = server.ask(now);
            process.pace.answered(rate, 0, jitter, start + now);
            if taken {
                let batch = process.waiting.drain(..process.waiting.len().min(BATCH));
                waited.extend(batch.map(|at| now - at));
            } else {
                process.not_before = now + rate.resets_in;
            }
        }
        now += Duration::from_millis(20);
    }
    waited.sort_unstable();
    (waited, server.refused)
}

#[test]
fn eight_processes_of_one_address_share_its_limit() {
    for apart in [0, 5, 20] {
        let time = Duration::from_secs(600);
        let (waited, refused) = run(8, 10, Duration::from_secs(apart), time);
        let p99 = waited[waited.len() * 99 / 100];
        assert!(p99 < Duration::from_secs(20), "{apart}: {p99:?}");
        assert!(refused < 30, "{apart}: {refused} requests refused");
    }
}

#[test]
fn every_number_of_processes_below_the_limit_gets_everything_through() {
    for (processes, lines_per_second, most_seconds) in [
        (1, 1, 3),
        (1, 95, 5),
        (2, 2, 15),
        (2, 45, 10),
        (4, 20, 15),
        (8, 11, 40),
        (16, 5, 70),
        (30, 1, 70),
    ] {
        let (waited, _) =
            run(processes, lines_per_second, Duration::ZERO, Duration::from_secs(300));
        let longest = waited.last().unwrap();
        assert!(longest.as_secs() < most_seconds, "{processes} x {lines_per_second}: {longest:?}");
    }
}

#[test]
fn two_processes_that_begin_apart_come_to_like_shares() {
    let (waited, _) = run(2, 2, Duration::from_secs(100), Duration::from_secs(900));
    let p99 = waited[waited.len() * 99 / 100];
    assert!(p99 < Duration::from_secs(10), "{p99:?}");
}

fn rate(remaining: u64, seconds: u64) -> RateLimit {
    RateLimit { limit: LIMIT, remaining, resets_in: Duration::from_secs(seconds) }
}

#[test]
fn the_last_requests_of_a_window_are_for_those_that_end() {
    let now = Instant::now();
    let mut pace = Pace::default();
    pace.answered(rate(2, 30), 0, 0.0, now);
    assert_eq!(pace.not_before(Urgency::Last), None);
    assert_eq!(pace.not_before(Urgency::Full), Some(now + Duration::from_secs(30)));
    assert_eq!(pace.holds_back(now).unwrap().0, LIMIT);
    pace.answered(rate(0, 30), 0, 0.0, now);
    assert_eq!(pace.not_before(Urgency::Last), Some(now + Duration::from_secs(30)));
    // What is under way counts already.
    let mut pace = Pace::default();
    pace.answered(rate(2, 30), 2, 0.0, now);
    assert_eq!(pace.not_before(Urgency::Last), Some(now + Duration::from_secs(30)));
}

#[test]
fn a_limit_that_makes_no_sense_stalls_nothing_for_long() {
    let now = Instant::now();
    for (limit, remaining, seconds) in [
        (60, 0, 0),
        (0, 0, 0),
        (60, 59, u64::MAX),
        (u64::MAX, 0, 1),
        (1, 1, 60),
        (60, u64::MAX, 60),
        (u64::MAX, u64::MAX, u64::MAX),
    ] {
        let mut pace = Pace::default();
        for second in 0..3 {
            let resets_in = Duration::from_secs(seconds);
            let now = now + Duration::from_secs(second);
            pace.answered(RateLimit { limit, remaining, resets_in }, 1, 1.0, now);
            for urgency in [Urgency::Patient, Urgency::Full, Urgency::Last] {
                let wait = pace.not_before(urgency).unwrap_or(now).saturating_duration_since(now);
                assert!(wait <= LONGEST.mul_f64(1.05), "{limit} {remaining} {seconds}: {wait:?}");
            }
        }
    }
    let mut pace = Pace::default();
    pace.answered(rate(0, 60), 0, 0.0, now);
    pace.unlimited();
    assert_eq!(pace.not_before(Urgency::Patient), None);
}

#[test]
fn one_process_alone_uses_a_window_to_nine_tenths() {
    let start = Instant::now();
    let mut server = Server::default();
    let mut pace = Pace::default();
    let mut now = Duration::ZERO;
    let mut requests = 0_u64;
    while now < Duration::from_secs(600) {
        if pace.not_before(Urgency::Full).is_none_or(|at| at <= start + now) {
            let (taken, rate) = server.ask(now);
            assert!(taken, "the limit was run into");
            pace.answered(rate, 0, 0.5, start + now);
            requests += 1;
        }
        now += Duration::from_millis(20);
    }
    assert!(requests >= 540, "{requests} of 600");
}
