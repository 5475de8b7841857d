//! Lines that are too long for one message, and lines without an end.

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::run::logflux;
use crate::streams::{PIPE, away};

/// The messages of opened entries in JSON, of which parts are put together; each part is checked.
fn together(json: &str) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<(String, u64)> = None;
    for entry in json.lines() {
        let entry: Value = serde_json::from_str(entry).unwrap();
        let bytes = match &entry["message"] {
            Value::String(text) => text.clone().into_bytes(),
            _ => {
                let base64 = entry["message_base64"].as_str().unwrap();
                logflux_wire::base64::decode(base64).unwrap()
            }
        };
        let part = &entry["part"];
        if part.is_null() {
            assert_eq!(open, None, "a line has no last part");
            lines.push(bytes);
            continue;
        }
        let (line, number) = (part["line"].as_str().unwrap(), part["number"].as_u64().unwrap());
        match &open {
            None => {
                assert_eq!(number, 1);
                lines.push(bytes);
            }
            Some((name, before)) => {
                assert_eq!((line, number), (name.as_str(), before + 1));
                lines.last_mut().unwrap().extend_from_slice(&bytes);
            }
        }
        let last = part["last"].as_bool().unwrap();
        open = (!last).then(|| (line.to_owned(), number));
    }
    assert_eq!(open, None, "a line has no last part");
    lines
}

#[test]
fn a_longer_line_becomes_parts_that_say_so() {
    let text = "für ".repeat(400_000);
    let binary = [b"\xff\x00\r".as_slice(), &[0xfe; 900_000]].concat();
    let input = [b"one\n", text.as_bytes(), b"\n", &binary, b"\nlast"].concat();
    let expected = [b"one".to_vec(), text.clone().into_bytes(), binary, b"last".to_vec()];
    for mode in ["1", "128"] {
        let sealed = logflux(&["seal", "--mode", mode]).input(&input).ok();
        assert!(sealed.lines().count() > 5, "{}", sealed.lines().count());
        let opened = logflux(&["open", "--format", "json"]).input(&sealed).ok();
        assert!(together(&opened) == expected, "the lines are not the same");
        // As text, a part begins with what it is.
        let opened = logflux(&["open"]).input(&sealed);
        let second = opened.stdout.lines().nth(1).unwrap();
        assert!(
            second.starts_with("{\"line\":\"")
                && second.contains("\",\"part\":1,\"last\":false} für")
        );
        let array = format!("[{}]", sealed.trim_end().replace('\n', ","));
        let opened = logflux(&["open", "--format", "json"]).input(array).ok();
        assert!(together(&opened) == expected, "the lines are not the same");
    }
}

#[test]
fn a_line_of_the_most_bytes_is_whole() {
    for (mode, most) in [("1", 786_416), ("128", 786_384)] {
        let line = "x".repeat(most);
        let sealed = logflux(&["seal", "--mode", mode]).input(format!("{line}\n")).ok();
        assert_eq!(logflux(&["open"]).input(sealed).ok(), format!("{line}\n"));
        let sealed = logflux(&["seal", "--mode", mode]).input(format!("{line}x\n")).ok();
        assert_eq!(sealed.lines().count(), 2);
    }
}

#[test]
fn every_way_to_the_server_splits() {
    let server = crate::server::Server::start();
    let key = server.key("ingest,read");
    let line = "abc ".repeat(500_000);
    let input = format!("{line}\nnext\n");
    for (command, node) in [("send", "sent"), ("pipe", "piped")] {
        server.call(&key, &[command, "--node", node]).input(&input).ok();
        let args = ["query", "--node", node, "--order", "asc", "--limit", "0", "--format", "json"];
        let json = server.call(&key, &args).run().ok();
        assert!(together(&json) == [line.clone().into_bytes(), b"next".to_vec()], "{command}");
    }
    let demo = logflux(&["demo", "-"]).input(&input).ok();
    assert!(demo.contains("equal to the original       4 of 4 lines"), "{demo}");
}

/// The most memory that a process has had.
#[cfg(target_os = "linux")]
fn peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.map_or(0, |kib| kib.parse::<u64>().unwrap() << 10)
}

#[test]
#[cfg(target_os = "linux")]
fn a_line_without_an_end_takes_no_more_memory_than_a_message() {
    const BOUND: u64 = 100 << 20;
    const SIZE: usize = 200 << 20;
    let folder = tempfile::tempdir().unwrap();
    let commands = [
        &[&PIPE[..], &["--when-full", "block", "--spool-max-bytes", "1GiB"]].concat()[..],
        &["seal"],
        &["open"],
        // An array, which has one element.
        &["open", "-"],
        &["send"],
        &["send", "--sealed", "--unsent", "sealed.ndjson"],
    ];
    for args in commands {
        let mut call = away(folder.path(), args);
        let stdout = File::create(folder.path().join("out")).unwrap();
        call.0.stdin(Stdio::piped()).stdout(stdout).stderr(Stdio::null());
        let mut child = call.0.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        if args == ["open", "-"] {
            stdin.write_all(b"[").unwrap();
        }
        let writer = thread::spawn(move || {
            let chunk = [b'x'; 1 << 20];
            (0..SIZE >> 20).for_each(|_| stdin.write_all(&chunk).unwrap());
            stdin.write_all(b"\nthe next line\n").unwrap();
        });
        let mut most = 0;
        while child.try_wait().unwrap().is_none() {
            most = most.max(peak(child.id()));
            thread::sleep(Duration::from_millis(20));
        }
        writer.join().unwrap();
        assert!(most < BOUND, "{args:?}: {most} bytes");
        let out = folder.path().join("out");
        if args[0] == "pipe" {
            assert_eq!(fs::metadata(&out).unwrap().len(), SIZE as u64 + 15);
            let exported = away(folder.path(), &["spool", "export", "spool"]).run().ok();
            let opened = logflux(&["open"]).input(exported.lines().last().unwrap()).ok();
            assert_eq!(opened, "the next line\n");
        }
        fs::remove_file(out).unwrap();
        let _ = fs::remove_dir_all(folder.path().join("spool"));
    }
    let kept = fs::read_to_string(folder.path().join("logflux-unsent.ndjson")).unwrap();
    let opened = logflux(&["open"]).input(kept.lines().last().unwrap()).ok();
    assert_eq!(opened, "the next line\n");
    let kept = fs::metadata(folder.path().join("sealed.ndjson")).unwrap().len();
    assert!(kept >= SIZE as u64, "{kept}");
}

#[test]
fn what_is_longer_than_any_entry_is_named_and_the_others_are_opened() {
    let sealed = logflux(&["seal"]).input("one\ntwo\n").ok();
    let (one, two) = sealed.split_once('\n').unwrap();
    let long = "x".repeat(5 << 20);
    let array = format!("[{one},{{\"node\":\"{long}\"}},\n{}]", two.trim_end());
    for (input, what) in [(format!("{one}\n{long}\n{two}"), "line"), (array, "entry")] {
        let ended = logflux(&["open"]).input(input);
        assert_eq!((ended.status, ended.stdout.as_str()), (1, "one\ntwo\n"));
        assert_eq!(ended.stderr, format!("{what} 2: it is longer than any entry\n"));
    }
    // An element that is not an entry does not stop the others.
    let ended = logflux(&["open"]).input(format!("[{one}, x, {two}]"));
    assert_eq!((ended.status, ended.stdout.as_str()), (1, "one\ntwo\n"));
    assert!(ended.stderr.starts_with("entry 2: "), "{}", ended.stderr);
}
