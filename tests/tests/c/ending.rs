//! Programs that end without closing their client, against a real server.

use std::time::{Duration, Instant};

use logflux_tests::{Place, end_in_handler};

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
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("logflux: at the end of the process"), "{told}");
}

/// `dlclose` leaves the library where it is, and so what it is to do at the end of the process.
#[test]
fn a_library_that_was_closed_still_flushes() {
    let program = build("c/tests/unloaded.c", Link::Shared, &["-Wl,--as-needed", "-ldl"]);
    let (place, _running) = Place::new();
    succeed(&mut with_settings(command(&program), &place));
    assert_eq!(place.stored(), ["unloaded"]);
}

/// POSIX forbids it, and many programs do it. The program's allocator ends it with another status
/// where the thread that calls `exit` allocates.
#[test]
fn exit_in_a_signal_handler_ends_the_process_wherever_it_was_interrupted() {
    for link in [Link::Shared, Link::Static] {
        let program = build("c/tests/exit_in_handler.c", link, &[]);
        for (way, times) in [("busy", 12), ("allocator", 4), ("callback", 1), ("destructor", 12)] {
            let (place, _running) = Place::new();
            let mut program = with_settings(command(&program), &place);
            program.arg(way).env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1");
            program.env("LOGFLUX_MAX_RETRIES", "0").env("MALLOC_ARENA_MAX", "1");
            for said in end_in_handler(&mut program, times) {
                // What the host closes by itself is said by its client, if there is still time.
                let lost = way != "destructor";
                assert!(!lost || said.starts_with("logflux: "), "{way}, {link:?}: {said}");
            }
        }
        let (place, _running) = Place::new();
        let mut program = with_settings(command(&program), &place);
        // As long as it takes on the busiest machine.
        program.env("LOGFLUX_CLOSE_TIMEOUT", "60s");
        assert_eq!(end_in_handler(program.arg("idle"), 1), [""], "{link:?}");
        assert_eq!(place.stored(), ["first"], "{link:?}");
    }
}

#[test]
fn a_destructor_of_cpp_in_such_an_end_waits_for_no_lock() {
    let program = build("cpp/tests/exit_in_handler.cpp", Link::Shared, &[]);
    let (place, _running) = Place::new();
    let mut program = with_settings(command(&program), &place);
    program.env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1").env("LOGFLUX_MAX_RETRIES", "0");
    let ended = end_in_handler(&mut program, 12);
    assert_eq!(ended.len(), 12);
}
