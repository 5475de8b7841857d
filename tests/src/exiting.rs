//! Programs that end in the handler of a signal.

#![allow(clippy::unwrap_used, clippy::panic)] // A failed test may say so.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::ENOUGH;

/// Starts the program `times` times, waits until each says that it is ready, sends it SIGTERM a
/// little later than the one before, and gives what each wrote to stderr. Each must end by itself,
/// with the status 7.
///
/// # Panics
/// Where one does not.
#[must_use]
pub fn end_in_handler(program: &mut Command, times: u32) -> Vec<String> {
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running: Vec<(Child, Instant)> = (0..times)
        .map(|time| {
            let mut child = program.spawn().unwrap();
            let mut ready = String::new();
            let mut stdout = BufReader::new(child.stdout.take().unwrap());
            stdout.read_line(&mut ready).unwrap();
            assert_eq!(ready, "ready\n");
            thread::sleep(Duration::from_millis(u64::from(time * 7 % 40)));
            let pid = child.id().to_string();
            assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
            (child, Instant::now())
        })
        .collect();
    running
        .into_iter()
        .map(|(mut child, begun)| {
            let status = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break status;
                }
                if begun.elapsed() > ENOUGH {
                    child.kill().unwrap();
                    panic!("a process hangs in its end");
                }
                thread::sleep(Duration::from_millis(10));
            };
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            assert_eq!(status.code(), Some(7), "{status}: {said}");
            said
        })
        .collect()
}
