//! Programs that end without closing their client, against a real server.

use std::time::{Duration, Instant};

use logflux_tests::Place;

use crate::programs::{SANITIZERS, with_settings};
use crate::toolchain::{Link, build, command, run, succeed};

#[test]
fn what_is_queued_arrives_when_the_process_ends() {
    let ways: [(&str, &[&str]); 6] = [
        ("return", &["main"]),
        ("exit", &["main"]),
        ("two", &["main", "second"]),
        ("freed", &["main"]),
        ("handler", &["main", "a handler"]),
        ("child", &["child", "main"]),
    ];
    let kinds = [(Link::Shared, &[][..]), (Link::Static, &[]), (Link::Shared, &SANITIZERS)];
    for (link, options) in kinds {
        let program = build("c/tests/unclosed.c", link, options);
        for (way, lines) in ways {
            // A fork may find the lock of AddressSanitizer's own allocator held, and then hangs in it.
            if way == "child" && !options.is_empty() {
                continue;
            }
            let (place, _running) = Place::new();
            succeed(with_settings(command(&program), &place).arg(way));
            let mut stored = place.stored();
            stored.sort_by_key(|line| lines.iter().position(|other| other == line));
            assert_eq!(stored, lines, "{way}, {link:?}");
        }
    }
}

#[test]
fn a_process_whose_server_is_away_ends_within_its_bound_and_says_what_is_lost() {
    let program = build("c/tests/unclosed.c", Link::Shared, &[]);
    let (place, _running) = Place::new();
    let mut program = with_settings(command(&program), &place);
    program.env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1").arg("two");
    let begun = Instant::now();
    let output = run(&mut program);
    let took = begun.elapsed();
    assert!(output.status.success(), "{}", output.status);
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(10), "{took:?}");
    let told = "logflux: at the end of the process 1 messages were not delivered in time\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), told.repeat(2));
}

/// `dlclose` leaves the library where it is, and so what it is to do at the end of the process.
#[test]
fn a_library_that_was_closed_still_flushes() {
    let program = build("c/tests/unloaded.c", Link::Shared, &["-Wl,--as-needed", "-ldl"]);
    let (place, _running) = Place::new();
    succeed(&mut with_settings(command(&program), &place));
    assert_eq!(place.stored(), ["unloaded"]);
}
