//! What the logger makes of the records of the crate `log`, as it is opened again.

#![cfg(feature = "log")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A failed test may say so.

mod place;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use log::Log;
use logflux::{Level, Logger};
use place::{ENOUGH, Place};

#[derive(Debug)]
struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a bad value")
    }
}

/// Logs while it is formatted.
struct Logs;

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        log::info!(target: "t", inner = 1; "from within {}", 1);
        f.write_str("logs")
    }
}

struct Counting<'a>(&'a AtomicU64);

impl fmt::Display for Counting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        f.write_str("counted")
    }
}

#[test]
fn records_become_objects_and_the_http_stack_of_the_client_is_left_out() {
    logflux::init_log().unwrap();
    assert!(logflux::init_log().is_err());
    let formatted = AtomicU64::new(0);
    log::error!("nobody listens yet: {}", Counting(&formatted));

    let place = Place::new();
    let guard = logflux::init(place.config()).unwrap();
    log::trace!(target: "t", "left out {}", Counting(&formatted));
    log::set_max_level(log::LevelFilter::Trace);
    log::error!(target: "t", "e {}", 1);
    log::warn!(target: "t", user = 4711, name = "Zoë", ok = true, none = None::<u8>; "w");
    log::info!(target: "t", float = 0.5, nan = f64::NAN, big = u128::MAX, min = i64::MIN; "i");
    log::debug!(target: "t", debug:? = Some(1), display:% = "d", twice = 1, twice = 2; "d \"q\"");
    log::trace!(target: "t", bad:% = Panics, c = 'ß'; "{}", Panics);
    log::info!(target: "t", a = 1, logs:% = Logs, b = 2; "outer {}", Logs);
    log::info!("m");
    log::logger().flush();
    assert_eq!(guard.stats().delivered, 9);
    // Each request of the first flush would have logged lines, if they were let through.
    guard.close(ENOUGH).unwrap();
    assert_eq!(guard.stats().accepted, 9);
    drop(guard);
    log::error!("nobody listens any more: {}", Counting(&formatted));
    assert_eq!(formatted.load(Ordering::Relaxed), 0);

    let words = "[a value panicked when it was formatted]";
    let within = r#"{"message":"from within 1","target":"t","fields":{"inner":1}}"#;
    let expected = [
        (Level::Error, r#"{"message":"e 1","target":"t"}"#.to_owned()),
        (Level::Warning, r#"{"message":"w","target":"t","fields":{"user":4711,"name":"Zoë","ok":true,"none":null}}"#.to_owned()),
        (Level::Info, r#"{"message":"i","target":"t","fields":{"float":0.5,"nan":"NaN","big":"340282366920938463463374607431768211455","min":-9223372036854775808}}"#.to_owned()),
        (Level::Debug, r#"{"message":"d \"q\"","target":"t","fields":{"debug":"Some(1)","display":"d","twice":2}}"#.to_owned()),
        (Level::Debug, format!(r#"{{"message":"{words}","target":"t","fields":{{"bad":"{words}","c":"ß"}}}}"#)),
        (Level::Info, within.to_owned()),
        (Level::Info, within.to_owned()),
        (Level::Info, r#"{"message":"outer logs","target":"t","fields":{"a":1,"logs":"logs","b":2}}"#.to_owned()),
        (Level::Info, r#"{"message":"m","target":"log"}"#.to_owned()),
    ];
    assert_eq!(place.stored(), expected);
}

#[test]
fn a_logger_of_its_own_has_a_client_and_a_level_of_its_own() {
    let place = Place::new();
    let client = place.config().min_level(Level::Warning).build().unwrap();
    let logger = Logger::new(client.clone());
    let formatted = AtomicU64::new(0);
    for level in [log::Level::Error, log::Level::Warn, log::Level::Info, log::Level::Trace] {
        let metadata = log::Metadata::builder().level(level).target("t").build();
        assert_eq!(logger.enabled(&metadata), level <= log::Level::Warn, "{level}");
        let counting = Counting(&formatted);
        let record = |args: fmt::Arguments<'_>| {
            logger.log(&log::Record::builder().metadata(metadata.clone()).args(args).build());
        };
        record(format_args!("{counting}"));
    }
    logger.flush();
    assert_eq!((client.stats().delivered, formatted.load(Ordering::Relaxed)), (2, 2));
    assert_eq!(place.texts(), [r#"{"message":"counted","target":"t"}"#; 2]);
}
