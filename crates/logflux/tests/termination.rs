//! Signals that end a process: what it logged before arrives, and it ends as it would have.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)] // A failed test may say so.

mod place;

use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use place::Place;
use tokio::signal::unix::{SignalKind, signal};

const TERM: i32 = 15;

/// A process of one of the tests below that are ignored, which says when it is ready.
struct Program {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Runs `before` in a shell, and then the program in its place.
    fn start(before: &str, test: &str, place: &Place) -> Self {
        // The signals have their default actions, whatever this test was started with: a shell ignores
        // SIGINT in what it runs in the background.
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP,INT,TERM", "sh", "-c"]);
        command.arg(format!("{before} exec \"$0\" \"$@\""));
        command.arg(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--ignored", "--nocapture"]);
        command.env_clear().envs(place.environment());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut program = Self { child, input, lines };
        program.wait_for("ready");
        program
    }

    /// The test harness writes on the same line as the program.
    fn wait_for(&mut self, word: &str) {
        let found = self.lines.find(|line| line.as_ref().unwrap().ends_with(word));
        assert!(found.is_some(), "the program ended before it said {word:?}");
    }

    fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        assert!(kill.args(["-s", name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Whether it still does what it is asked for.
    fn answers(&mut self) {
        self.input.write_all(b"ping\n").unwrap();
        self.wait_for("pong");
    }

    fn end(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

/// Says that it is ready, and answers until it is ended.
fn answer() -> ! {
    println!("ready");
    for line in std::io::stdin().lines() {
        assert_eq!(line.unwrap(), "ping");
        println!("pong");
    }
    panic!("nobody asks any more");
}

fn log_twenty_lines() -> logflux::Guard {
    // No batch leaves by itself before the end.
    let config = logflux::Config::from_env().unwrap().flush_interval(Duration::from_secs(60));
    let guard = logflux::init(config.close_within(place::ENOUGH)).unwrap();
    (0..20).for_each(|line| logflux::info!("line {line}"));
    guard
}

fn twenty_lines() -> Vec<String> {
    (0..20).map(|line| format!("line {line}")).collect()
}

#[test]
#[ignore = "a process of the tests below"]
fn closes_on_termination() {
    let _guard = log_twenty_lines();
    logflux::close_on_termination().unwrap();
    logflux::close_on_termination().unwrap();
    answer();
}

#[test]
fn what_was_logged_arrives_and_the_status_is_that_of_the_signal() {
    for (name, number) in [("TERM", TERM), ("INT", 2), ("HUP", 1)] {
        let place = Place::new();
        let program = Program::start("", "closes_on_termination", &place);
        program.signal(name);
        assert_eq!(program.end().signal(), Some(number), "{name}");
        assert_eq!(place.texts(), twenty_lines(), "{name}");
    }
}

#[test]
fn a_signal_that_is_ignored_stays_so() {
    let place = Place::new();
    let mut program = Program::start("trap '' HUP;", "closes_on_termination", &place);
    program.signal("HUP");
    program.answers();
    program.signal("TERM");
    assert_eq!(program.end().signal(), Some(TERM));
    assert_eq!(place.texts(), twenty_lines());
}

/// A host that ends by itself, with a status of its own, when it gets the signal.
fn host(before: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let guard = log_twenty_lines();
    runtime.block_on(async {
        if before {
            logflux::close_on_termination().unwrap();
        }
        let mut term = signal(SignalKind::terminate()).unwrap();
        if !before {
            logflux::close_on_termination().unwrap();
        }
        println!("ready");
        term.recv().await;
        logflux::info!("the host shuts down");
    });
    drop(guard);
    std::process::exit(7);
}

#[test]
#[ignore = "a process of the tests below"]
fn closes_on_termination_and_then_has_a_handler() {
    host(true);
}

#[test]
#[ignore = "a process of the tests below"]
fn has_a_handler_and_then_closes_on_termination() {
    host(false);
}

#[test]
fn a_handler_of_the_host_has_precedence_whenever_it_was_set() {
    for test in [
        "closes_on_termination_and_then_has_a_handler",
        "has_a_handler_and_then_closes_on_termination",
    ] {
        let place = Place::new();
        let program = Program::start("", test, &place);
        program.signal("TERM");
        assert_eq!(program.end().code(), Some(7), "{test}");
        let mut expected = twenty_lines();
        expected.push("the host shuts down".to_owned());
        assert_eq!(place.texts(), expected, "{test}");
    }
}

#[test]
#[ignore = "a process of the tests below"]
fn closes_for_an_hour() {
    let settings = "https://127.0.0.1:1".parse().unwrap();
    let key = std::env::var("LOGFLUX_API_KEY").unwrap().parse().unwrap();
    let settings = logflux::ClientConfig::new(settings, key);
    let config = logflux::Config::new(settings, place::secret());
    let config = config.close_within(Duration::from_secs(3_600));
    let _guard = logflux::init(config.retry_deadline(Duration::from_secs(3_600))).unwrap();
    logflux::info!("never delivered");
    logflux::close_on_termination().unwrap();
    answer();
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let place = Place::new();
    let program = Program::start("", "closes_for_an_hour", &place);
    program.signal("TERM");
    program.signal("INT");
    assert!(matches!(program.end().signal(), Some(TERM | 2)));
}

#[test]
#[ignore = "a process of the tests below"]
fn forks() {
    let _guard = log_twenty_lines();
    logflux::close_on_termination().unwrap();
    match fork::fork().unwrap() {
        fork::Fork::Child => loop {
            std::thread::sleep(Duration::from_secs(60));
        },
        fork::Fork::Parent(child) => {
            let mut kill = Command::new("kill");
            let killed = kill.args(["-s", "TERM", &child.to_string()]).status().unwrap();
            assert!(killed.success());
            fork::waitpid(child).unwrap();
            answer();
        }
    }
}

#[test]
fn the_signal_of_a_child_is_not_its_parent_s() {
    let place = Place::new();
    let mut program = Program::start("", "forks", &place);
    program.answers();
    program.signal("TERM");
    assert_eq!(program.end().signal(), Some(TERM));
    assert_eq!(place.texts(), twenty_lines());
}
