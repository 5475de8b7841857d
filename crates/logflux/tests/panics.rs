//! Panics as messages.

#![allow(clippy::unwrap_used, clippy::panic)] // A failed test may say so.

mod place;

use std::sync::atomic::{AtomicU32, Ordering};
use std::{panic, thread};

use logflux::Level;
use place::Place;

fn panics_in(name: &str, panic: fn()) {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(panic).unwrap().join().unwrap_err();
}

/// One test, since a process has one hook.
#[test]
fn a_panic_is_logged_once_and_the_hook_before_is_called() {
    static BEFORE: AtomicU32 = AtomicU32::new(0);
    panic::set_hook(Box::new(|_| {
        BEFORE.fetch_add(1, Ordering::Relaxed);
    }));
    logflux::log_panics();
    logflux::log_panics();
    panics_in("without a client", || panic!("nobody logs this"));

    let place = Place::new();
    let guard = logflux::init(place.config()).unwrap();
    let (disk, line) = ("sda", line!() + 1);
    panics_in("worker", || panic!("no {}", "disk"));
    panics_in("values", || panic::panic_any(4711));
    // A value that panics while it is formatted is a panic within a logging call.
    logflux::info!("{} {}", disk, Bad);
    // What LogFlux's own threads do is not logged.
    panics_in("logflux-worker", || panic!("ours"));
    // The guard of a thread that panics keeps what it has logged.
    thread::Builder::new()
        .name("main of a program".to_owned())
        .spawn(move || {
            let _guard = guard;
            panic!("the end");
        })
        .unwrap()
        .join()
        .unwrap_err();

    let stored = place.stored();
    let file = file!();
    let begins = [
        (Level::Error, format!("thread 'worker' panicked at {file}:{line}:")),
        (Level::Error, format!("thread 'values' panicked at {file}:{}:", line + 1)),
        (
            Level::Error,
            format!("thread '{}' panicked at {file}:", thread::current().name().unwrap()),
        ),
        (Level::Info, "sda [a value panicked when it was formatted]".to_owned()),
        (Level::Error, format!("thread 'main of a program' panicked at {file}:")),
    ];
    assert_eq!(stored.len(), begins.len(), "{stored:?}");
    for ((level, text), (expected, begin)) in stored.iter().zip(begins) {
        assert!(*level == expected && text.starts_with(&begin), "{text} begins with {begin}");
    }
    let ends = [": no disk", ": a value that is no text", ": a bad value", "]", ": the end"];
    for ((_, text), end) in stored.iter().zip(ends) {
        assert!(text.ends_with(end), "{text}");
    }
    assert_eq!(BEFORE.load(Ordering::Relaxed), 6);
}

struct Bad;

impl std::fmt::Display for Bad {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("a bad value")
    }
}
