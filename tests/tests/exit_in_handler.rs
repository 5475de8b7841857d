//! A Rust program that calls `exit` in the handler of a signal, while the thread that it interrupts
//! may hold any lock: it ends in time, and delivers or says what is lost.

#![cfg(unix)]

use std::process::Command;

use logflux_tests::{Place, end_in_handler, secret};

fn program(place: &Place, by: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_exiting-process"));
    program
        .arg(by)
        .env("LOGFLUX_SERVER_URL", format!("https://{}", place.address()))
        .env("LOGFLUX_API_KEY", place.key().expose())
        .env("LOGFLUX_SECRET", secret().expose())
        .env("LOGFLUX_CA_FILE", place.ca_file())
        .env("LOGFLUX_NODE", "n");
    program
}

#[test]
fn a_program_that_waits_delivers() {
    for by in ["rust", "c"] {
        let (place, _running) = Place::new();
        let mut program = program(&place, by);
        // Nothing is sent unless something asks for it.
        program.arg("idle").env("LOGFLUX_FLUSH_INTERVAL", "1h");
        // As long as it takes on the busiest machine.
        program.env("LOGFLUX_CLOSE_TIMEOUT", "60s");
        assert_eq!(end_in_handler(&mut program, 1), [""], "{by}");
        assert_eq!(place.stored(), ["first"], "{by}");
    }
}

#[test]
fn a_program_that_is_busy_ends_and_says_what_is_lost() {
    for by in ["rust", "c"] {
        let (place, _running) = Place::new();
        let mut program = program(&place, by);
        program.env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1");
        for said in end_in_handler(&mut program, 12) {
            assert!(said.contains("logflux: at the end of the process"), "{by}: {said}");
        }
    }
}
