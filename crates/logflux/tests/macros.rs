//! The macros, the client of the process and its guard, against a real server.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A failed test may say so.

mod place;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use logflux::{DropReason, InitError, Level};
use place::{ENOUGH, Place};

/// Counts how often it is formatted.
#[derive(Default)]
struct Counting(AtomicU64);

impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        f.write_str("counted")
    }
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a bad value")
    }
}

#[test]
fn every_level_arrives_as_it_was_formatted_when_the_guard_is_dropped() {
    let place = Place::new();
    let guard = logflux::init(place.config()).unwrap();
    let (id, name, level) = (4711, "Zoë", "a name of the macro's own");
    logflux::emergency!("one: {level}");
    logflux::alert!("two {}", 2);
    logflux::critical!("three {id}");
    logflux::error!("four {name:?} {0:>4}", 7);
    logflux::warning!("five {who}", who = name);
    logflux::notice!("{{six}}");
    logflux::info!("user {id} logged in");
    logflux::debug!("eight\nlines",);
    logflux::log!(Level::Notice, "nine {}", 9);
    drop(guard);
    let stored = place.stored();
    let stored: Vec<_> = stored.iter().map(|(level, text)| (*level, text.as_str())).collect();
    assert_eq!(
        stored,
        [
            (Level::Emergency, "one: a name of the macro's own"),
            (Level::Alert, "two 2"),
            (Level::Critical, "three 4711"),
            (Level::Error, "four \"Zoë\"    7"),
            (Level::Warning, "five Zoë"),
            (Level::Notice, "{six}"),
            (Level::Info, "user 4711 logged in"),
            (Level::Debug, "eight\nlines"),
            (Level::Notice, "nine 9"),
        ]
    );
}

#[test]
fn nothing_is_formatted_that_is_not_logged() {
    let place = Place::new();
    let counting = Counting::default();
    assert!(logflux::client().is_none());
    assert!(!logflux::enabled(Level::Emergency));
    logflux::emergency!("before init: {counting}");

    let guard = logflux::init(place.config().min_level(Level::Warning)).unwrap();
    assert!(logflux::enabled(Level::Warning) && !logflux::enabled(Level::Notice));
    logflux::notice!("below the level: {counting}");
    logflux::debug!("below the level: {counting}");
    assert_eq!(counting.0.load(Ordering::Relaxed), 0);
    logflux::warning!("{counting}");
    assert_eq!(counting.0.load(Ordering::Relaxed), 1);
    assert_eq!(guard.stats().accepted, 1);
    drop(guard);

    logflux::emergency!("after the guard: {counting}");
    assert_eq!(counting.0.load(Ordering::Relaxed), 1);
    assert_eq!(place.texts(), ["counted"]);
}

#[test]
fn a_second_init_is_an_error_while_the_first_guard_lives() {
    let place = Place::new();
    let first = logflux::init(place.config()).unwrap();
    let error = logflux::init(place.config()).unwrap_err();
    assert!(matches!(error, InitError::Already));
    logflux::info!("first");
    drop(first);

    let broken = place.config().ca_file("/no/such/file.pem");
    let error = logflux::init(broken).unwrap_err();
    assert!(error.to_string().contains("/no/such/file.pem"), "{error}");

    let second = logflux::init(place.config()).unwrap();
    logflux::info!("second");
    second.flush(ENOUGH).unwrap();
    assert_eq!(second.stats().delivered, 1);
    assert_eq!(place.texts(), ["first", "second"]);
}

#[test]
fn a_closed_guard_counts_what_comes_later() {
    let place = Place::new();
    let guard = logflux::init(place.config()).unwrap();
    logflux::info!("in time");
    guard.close(ENOUGH).unwrap();
    guard.close(ENOUGH).unwrap();
    logflux::info!("too late");
    let stats = guard.stats();
    assert_eq!((stats.delivered, stats.dropped.by(DropReason::Closed)), (1, 1));
    drop(guard);
    assert_eq!(place.texts(), ["in time"]);
}

#[test]
fn a_guard_gives_up_in_the_time_that_was_set() {
    let place = Place::new();
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = place.settings();
    settings.endpoint = format!("https://{}", away.local_addr().unwrap()).parse().unwrap();
    let config = logflux::Config::new(settings, place::secret()).mode(logflux::Mode::Hkdf);
    let guard = logflux::init(config.close_within(Duration::from_millis(100))).unwrap();
    logflux::info!("nobody answers");
    let begun = Instant::now();
    drop(guard);
    // 50 ms more are promised; a busy machine takes its time.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_value_that_panics_takes_nothing_else_with_it() {
    let place = Place::new();
    let guard = logflux::init(place.config()).unwrap();
    logflux::error!("before {} after", Panics);
    logflux::info!("next {}", 1);
    drop(guard);
    assert_eq!(place.texts(), ["before [a value panicked when it was formatted]", "next 1"]);
}

#[test]
fn a_panic_that_unwinds_logs_from_drop_and_flushes() {
    struct LogsWhenDropped;
    impl Drop for LogsWhenDropped {
        fn drop(&mut self) {
            logflux::critical!("unwinding: {}", thread::panicking());
        }
    }
    let place = Place::new();
    let config = place.config();
    let ended = thread::spawn(|| {
        let _guard = logflux::init(config).unwrap();
        let _logs = LogsWhenDropped;
        logflux::info!("begun");
        panic!("on purpose");
    });
    assert_eq!(*ended.join().unwrap_err().downcast::<&str>().unwrap(), "on purpose");
    assert_eq!(place.texts(), ["begun", "unwinding: true"]);
    assert!(logflux::client().is_none());
}

#[test]
fn it_works_inside_a_runtime_of_one_thread_and_of_several() {
    let place = Place::new();
    let log = |text: &'static str| {
        let config = place.config();
        async move {
            let guard = logflux::init(config).unwrap();
            let tasks: Vec<_> = (0..3)
                .map(|task| tokio::spawn(async move { logflux::info!("{text} {task}") }))
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            guard.flush(ENOUGH).unwrap();
            logflux::info!("{text} last");
        }
    };
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(log("one"));
    tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(log("several"));
    let mut stored = place.texts();
    stored.sort();
    assert_eq!(
        stored,
        [
            "one 0",
            "one 1",
            "one 2",
            "one last",
            "several 0",
            "several 1",
            "several 2",
            "several last"
        ]
    );
}

#[test]
fn threads_log_at_once_and_nothing_is_lost() {
    let place = Place::new();
    let guard = logflux::init(place.config()).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || (0..100).for_each(|line| logflux::info!("{thread} {line}")));
        }
    });
    drop(guard);
    let mut stored = place.texts();
    stored.sort();
    let mut expected: Vec<_> =
        (0..4).flat_map(|t| (0..100).map(move |line| format!("{t} {line}"))).collect();
    expected.sort();
    assert_eq!(stored, expected);
}
