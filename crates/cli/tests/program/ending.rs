//! Signals to `pipe`.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::run::{Call, logflux};
use crate::streams::{away, spooled};

const ENOUGH: Duration = Duration::from_secs(60);

/// A `pipe` that runs, and has passed its first line.
struct Pipe {
    folder: TempDir,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Pipe {
    fn start(args: &[&str]) -> Self {
        Self::start_by(|call| call, args)
    }

    fn start_by(change: impl Fn(Call) -> Call, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let call = change(away(folder.path(), &[&["pipe"], args].concat()));
        let mut call = call.through_env(&["--default-signal=INT,TERM"]);
        call.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = call.0.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut pipe = Self { folder, child, stdin, stdout };
        pipe.write("one\n");
        assert_eq!(pipe.line(), "one\n");
        pipe
    }

    fn write(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
        thread::sleep(Duration::from_millis(300));
    }

    /// A second signal, once more where the first has not been noticed yet.
    fn signal_to_the_end(&mut self, name: &str) {
        let begun = Instant::now();
        while self.is_running() {
            assert!(begun.elapsed() < ENOUGH, "it goes on");
            self.signal(name);
        }
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How it ended, and what it said.
    fn ended(mut self) -> (ExitStatus, String, TempDir) {
        let begun = Instant::now();
        while self.is_running() {
            assert!(begun.elapsed() < ENOUGH, "it goes on");
            thread::sleep(Duration::from_millis(20));
        }
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said, self.folder)
    }
}

#[test]
fn behind_a_signal_it_reads_on_to_the_end_of_its_input() {
    for signal in ["INT", "TERM"] {
        let mut pipe = Pipe::start(&["--spool-dir", "spool", "--close-timeout", "60s"]);
        pipe.signal(signal);
        pipe.write("two\n");
        assert_eq!(pipe.line(), "two\n");
        pipe.write("the last");
        pipe.stdin = None;
        assert_eq!(pipe.line(), "the last");
        let (status, said, folder) = pipe.ended();
        assert!(status.success(), "{said}");
        assert_eq!(spooled(folder.path()), b"one\ntwo\nthe last\n");
    }
}

#[test]
fn an_input_that_does_not_end_is_given_its_time() {
    let mut pipe = Pipe::start(&["--spool-dir", "spool", "--close-timeout", "2s"]);
    pipe.signal("TERM");
    pipe.write("two\nhalf a line");
    let (status, said, folder) = pipe.ended();
    assert!(status.success(), "{said}");
    assert!(said.contains("the input has not ended: it is read on for 2s at most"), "{said}");
    assert_eq!(spooled(folder.path()), b"one\ntwo\nhalf a line\n");

    // Without a spool what is lost is counted.
    let mut pipe = Pipe::start(&["--close-timeout", "500ms"]);
    pipe.write("two\n");
    pipe.signal("TERM");
    let (status, said, _folder) = pipe.ended();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("2 lines were not delivered"), "{said}");
}

#[test]
fn an_input_without_an_end_does_not_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut call = away(folder.path(), &["pipe", "--close-timeout", "500ms"]);
    let mut yes = Command::new("yes").stdout(Stdio::piped()).spawn().unwrap();
    call.0.stdin(yes.stdout.take().unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = call.0.spawn().unwrap();
    drop(call);
    thread::sleep(Duration::from_secs(1));
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < ENOUGH, "it goes on");
        thread::sleep(Duration::from_millis(20));
    }
    yes.kill().unwrap();
    yes.wait().unwrap();
}

#[test]
fn a_stdout_that_nobody_reads_does_not_keep_it() {
    let mut pipe = Pipe::start(&["--close-timeout", "500ms", "--spool-dir", "spool"]);
    // More than a pipe holds.
    let text = format!("{}\n", "x".repeat(99)).repeat(3_000);
    let mut stdin = pipe.stdin.take().unwrap();
    let writer = thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
    thread::sleep(Duration::from_secs(1));
    pipe.signal("TERM");
    let (status, said, folder) = pipe.ended();
    writer.join().unwrap();
    // What was read is in the spool, or counted.
    let spooled = spooled(folder.path()).len();
    let lost = said.lines().find_map(|line| line.split_once(" bytes at the end were not shipped"));
    let lost = lost.map_or(0, |(count, _)| count.parse::<usize>().unwrap());
    assert_eq!(status.code(), Some(i32::from(lost > 0)), "{said}");
    assert!(spooled >= 64 << 10 && spooled + lost <= 300_004, "{spooled} {lost}");
}

#[test]
fn a_second_signal_ends_it_at_once_and_says_what_is_lost() {
    let mut pipe = Pipe::start(&["--close-timeout", "10m"]);
    pipe.write("two\nthree\nhalf");
    assert_eq!((pipe.line(), pipe.line()), ("two\n".to_owned(), "three\n".to_owned()));
    pipe.signal("INT");
    assert!(pipe.is_running());
    pipe.signal_to_the_end("INT");
    let (status, said, _folder) = pipe.ended();
    assert_eq!(status.signal(), Some(2), "{said}");
    assert!(said.contains("3 lines were not delivered"), "{said}");
    assert!(said.contains("4 bytes at the end were not shipped"), "{said}");

    // While it delivers, too.
    let mut pipe = Pipe::start_by(
        |call| call.env("LOGFLUX_MAX_RETRIES", "1000000"),
        &["--close-timeout", "10m", "--retry-deadline", "7d"],
    );
    pipe.stdin = None;
    thread::sleep(Duration::from_secs(1));
    pipe.signal("TERM");
    pipe.signal_to_the_end("TERM");
    let (status, said, _folder) = pipe.ended();
    assert_eq!(status.signal(), Some(15), "{said}");
    assert!(said.contains("1 line was not delivered"), "{said}");
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    for signal in ["HUP", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let call = away(folder.path(), &[]);
        let mut shell = Command::new("sh");
        let script = format!(
            "trap '' {signal}; exec \"$LOGFLUX\" pipe --spool-dir spool --close-timeout 60s"
        );
        shell.args(["-c", &script]).env("LOGFLUX", env!("CARGO_BIN_EXE_logflux"));
        shell.current_dir(folder.path());
        for (name, value) in call.0.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = shell.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut pass = |line: &str| {
            stdin.write_all(line.as_bytes()).unwrap();
            let mut passed = String::new();
            stdout.read_line(&mut passed).unwrap();
            assert_eq!(passed, line);
        };
        pass("one\n");
        for _ in 0..2 {
            let id = child.id().to_string();
            Command::new("kill").args(["-s", signal, &id]).status().unwrap();
            thread::sleep(Duration::from_millis(500));
            pass("more\n");
        }
        drop(stdin);
        assert!(child.wait().unwrap().success());
        assert_eq!(spooled(folder.path()), b"one\nmore\nmore\n");
    }
    assert!(logflux(&["pipe", "--help"]).run().ok().contains("second signal"));
}

/// Runs a command whose input goes on until it ends, which SIGTERM asks for. Gives what it has read.
fn fed(mut call: Call) -> Vec<u8> {
    let (mut left, mut writer) = std::io::pipe().unwrap();
    call.0.stdin(left.try_clone().unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = call.0.spawn().unwrap();
    drop(call);
    let (over, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let feeder = scope.spawn(|| {
            let mut fed = Vec::new();
            for number in 0.. {
                let lines = format!("{number:0>999}\n").repeat(16);
                if over.load(Ordering::Relaxed) || writer.write_all(lines.as_bytes()).is_err() {
                    break;
                }
                fed.extend_from_slice(lines.as_bytes());
                written.store(fed.len(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
            drop(writer);
            fed
        });
        // More than it reads ahead, so that it is at work.
        let begun = Instant::now();
        while written.load(Ordering::Relaxed) < 2 << 20 {
            assert!(begun.elapsed() < ENOUGH, "it reads nothing");
            thread::sleep(Duration::from_millis(5));
        }
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        child.wait().unwrap();
        over.store(true, Ordering::Relaxed);
        let mut unread = Vec::new();
        left.read_to_end(&mut unread).unwrap();
        let mut fed = feeder.join().unwrap();
        fed.truncate(fed.len() - unread.len());
        fed
    })
}

#[test]
fn of_an_input_that_goes_on_nothing_is_lost_that_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--mode", "128", "--close-timeout", "500ms", "--when-full", "block"];
    let call = away(folder.path(), &[&["pipe", "--spool-dir", "spool"], &args[..]].concat());
    let read = fed(call);
    // The last line may have come in part.
    let spooled = spooled(folder.path());
    assert!(spooled == read || spooled == [&read[..], b"\n"].concat(), "{}", spooled.len());
    let call = away(folder.path(), &["send", "--mode", "128", "--max-retries", "0"]);
    let read = fed(call);
    let kept = logflux(&["open", "logflux-unsent.ndjson"]).folder(folder.path()).run().bytes;
    assert!(kept == read || kept == [&read[..], b"\n"].concat(), "{}", kept.len());
}
