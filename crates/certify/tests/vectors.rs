//! The committed vectors: that they are the generator's, that they fit their schema, and that the
//! Rust core agrees with every one of them.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

#[test]
fn the_committed_files_are_exactly_what_the_generator_writes() {
    match logflux_certify::check(&vectors()) {
        Ok(summary) => assert!(summary.total() >= 600, "{}", summary.total()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_rust_core_agrees_with_every_vector() {
    let report = logflux_certify::run(&vectors()).unwrap();
    let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert!(
        report.is_success(),
        "{} of {}:\n{}",
        failures.len(),
        report.total(),
        failures.join("\n")
    );
}
