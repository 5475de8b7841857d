//! The standard streams, whatever is behind them.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::io::ioctl_fionbio;

use crate::pty::Terminal;
use crate::run::{Call, SECRET, logflux};
use crate::server::Server;

/// A call that reaches no server, in a folder of its own.
pub(crate) fn away(folder: &std::path::Path, args: &[&str]) -> Call {
    logflux(args)
        .env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1")
        .env("LOGFLUX_API_KEY", "lf_0123456789abcdefABCDEF0123456789")
        .env("LOGFLUX_MAX_RETRIES", "0")
        .folder(folder)
}

pub(crate) const PIPE: [&str; 5] = ["pipe", "--spool-dir", "spool", "--close-timeout", "60s"];

/// What the spool of a folder holds, opened.
pub(crate) fn spooled(folder: &std::path::Path) -> Vec<u8> {
    let exported = away(folder, &["spool", "export", "spool"]).run().ok();
    logflux(&["open"]).input(exported).bytes
}

#[test]
fn an_input_that_does_not_block_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&PIPE[..], &["seal"]] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        ioctl_fionbio(&reader, true).unwrap();
        let mut call = away(folder.path(), args);
        call.0.stdin(reader).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = call.0.spawn().unwrap();
        drop(call);
        for line in ["one\n", "two\n"] {
            thread::sleep(Duration::from_millis(300));
            writer.write_all(line.as_bytes()).unwrap();
        }
        drop(writer);
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(ended.stdout.iter().filter(|byte| **byte == b'\n').count(), 2);
    }
    assert_eq!(spooled(folder.path()), b"one\ntwo\n");
    // At its end already.
    let (reader, writer) = std::io::pipe().unwrap();
    ioctl_fionbio(&reader, true).unwrap();
    drop(writer);
    let mut call = logflux(&["seal"]);
    assert!(call.0.stdin(reader).stdout(Stdio::null()).status().unwrap().success());
}

#[test]
fn an_output_that_does_not_block_gets_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let line = [&[b'x'; 90][..], b"\n"].concat();
    let data = line.repeat(5_000);
    fs::write(folder.path().join("input"), &data).unwrap();
    let input = || File::open(folder.path().join("input")).unwrap();
    let slow = |reader: &mut dyn Read| {
        thread::sleep(Duration::from_secs(1));
        let mut got = Vec::new();
        let _ = reader.read_to_end(&mut got);
        got
    };

    let (mut reader, writer) = std::io::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    let mut call = away(folder.path(), &PIPE);
    let mut child = call.0.stdin(input()).stdout(writer).stderr(Stdio::null()).spawn().unwrap();
    drop(call);
    assert!(slow(&mut reader) == data, "bytes are missing");
    assert!(child.wait().unwrap().success());

    let terminal = Terminal::new();
    let mut call = away(folder.path(), &PIPE);
    call.0.stdin(input()).stdout(terminal.side(false)).stderr(Stdio::null());
    let mut child = call.0.spawn().unwrap();
    drop(call);
    thread::sleep(Duration::from_secs(1));
    let got = terminal.read();
    assert_eq!(got.iter().filter(|byte| **byte == b'x').count(), 5_000 * 90);
    assert!(child.wait().unwrap().success());
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_stdout_is_told_by_every_command_that_prints() {
    let server = Server::start();
    let key = server.key("ingest,read,admin");
    let folder = server.folder.path();
    server.call(&key, &["send"]).input("one\ntwo\n").ok();
    away(folder, &PIPE).input("one\n");
    fs::write(folder.join("sealed"), logflux(&["seal"]).input("one\n").ok()).unwrap();
    let commands = [
        &["keygen"][..],
        &["seal", "sealed"],
        &["open", "sealed"],
        &["open", "--format", "json", "sealed"],
        &["send", "--format", "json", "sealed"],
        &["query"],
        &["query", "--sealed"],
        &["tail", "-n", "2"],
        &["keys", "list", "--data", "data"],
        &["keys", "create", "--data", "data"],
        &["store", "stats", "--data", "data"],
        &["store", "check", "--data", "data"],
        &["store", "backup", "--data", "data", "backup.db"],
        &["spool", "inspect", "spool"],
        &["spool", "export", "spool"],
        &["spool", "retry", "--format", "json", "spool"],
        &["doctor"],
        &["doctor", "--format", "json"],
        &["certify", "--list"],
        &["completions", "bash"],
        &["demo"],
        &["bench", "--help"],
        &["--help"],
        &["--version"],
    ];
    for args in commands {
        let mut call = server.call(&key, args);
        let ended = call.0.stdin(Stdio::null()).stdout(full()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{args:?}: {said}");
        assert_eq!(said.matches("standard output: No space left").count(), 1, "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn lines_are_shipped_where_stdout_is_a_full_disk() {
    for durable in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("input"), "1\n2\n3\n").unwrap();
        let args = [&PIPE[..], if durable { &["--durable"] } else { &[] }].concat();
        let mut call = away(folder.path(), &args);
        call.0.stdin(File::open(folder.path().join("input")).unwrap());
        let ended = call.0.stdout(full()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert_eq!(said.matches("standard output: No space left").count(), 1, "{said}");
        assert_eq!(spooled(folder.path()), b"1\n2\n3\n");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_stderr_ends_nothing() {
    let sealed = logflux(&["seal"]).input("one\ntwo\n").ok();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("input"), format!("nonsense\n{sealed}")).unwrap();
    let mut call = logflux(&["open", "input"]).folder(folder.path());
    let ended = call.0.stderr(full()).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stdout, b"one\ntwo\n");
    let mut call = logflux(&["nonsense"]);
    assert_eq!(call.0.stderr(full()).status().unwrap().code(), Some(2));
    let mut call = away(folder.path(), &["send", "input"]);
    assert_eq!(call.0.stderr(full()).status().unwrap().code(), Some(1));
    let kept = fs::read(folder.path().join("logflux-unsent.ndjson")).unwrap();
    assert_eq!(logflux(&["open"]).input(kept).bytes, format!("nonsense\n{sealed}").as_bytes());
}

#[test]
fn a_reader_that_is_gone_is_no_fault_and_lines_are_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "line\n".repeat(50_000);
    fs::write(folder.path().join("input"), &lines).unwrap();
    let mut call = away(folder.path(), &[&PIPE[..], &["--when-full", "block"]].concat());
    call.0.stdin(File::open(folder.path().join("input")).unwrap()).stdout(Stdio::piped());
    let mut child = call.0.stderr(Stdio::piped()).spawn().unwrap();
    child.stdout.take();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && !said.contains("standard output"), "{said}");
    assert_eq!(spooled(folder.path()).len(), lines.len());
}

#[test]
fn streams_that_are_closed_cost_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_logflux");
    let script = format!("printf 'one\\ntwo' | {program} {} >&- 2>&-", PIPE.join(" "));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder.path()).env("LOGFLUX_SECRET", SECRET);
    shell.env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1");
    shell.env("LOGFLUX_API_KEY", "lf_0123456789abcdefABCDEF0123456789");
    assert!(shell.status().unwrap().success());
    assert_eq!(spooled(folder.path()), b"one\ntwo\n");
}

#[test]
fn bytes_pass_as_they_come() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in ["", "\n", "no line end", "one\r\n\r\ntwo\r", "\0\u{1b}[31m\n\u{202e}"] {
        let ended = away(folder.path(), &PIPE).input(bytes);
        assert_eq!(
            (ended.status, ended.bytes.as_slice()),
            (0, bytes.as_bytes()),
            "{}",
            ended.stderr
        );
    }
    let durable = away(folder.path(), &[&PIPE[..], &["--durable"]].concat()).input(b"\xff\nlast");
    assert_eq!(durable.bytes, b"\xff\nlast");
    // A prompt has no line end, and somebody waits for it.
    let mut call = away(folder.path(), &PIPE);
    call.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = call.0.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"go on? ").unwrap();
    let mut prompt = [0; 7];
    child.stdout.as_mut().unwrap().read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"go on? ");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_input_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    for command in ["seal", "open", "send"] {
        let ended = away(folder.path(), &[command, "logs"]).run();
        assert_eq!(ended.status, 1);
        assert!(ended.stderr.contains("logs: Is a directory"), "{}", ended.stderr);
    }
    let mut call = away(folder.path(), &PIPE);
    let ended = call.0.stdin(File::open(folder.path()).unwrap()).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("standard input: Is a directory"));
}
