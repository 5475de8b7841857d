//! A process that can start no more threads.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::process::Command;

#[test]
fn without_more_threads_everything_returns_and_nothing_panics() {
    let output = Command::new(env!("CARGO_BIN_EXE_threadless-process")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert_eq!(output.stdout, b"well\n", "{said}");
}
