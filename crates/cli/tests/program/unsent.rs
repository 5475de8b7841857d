//! The file of entries that the server did not take.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::run::{Call, Ended, logflux};
use crate::server::Server;
use crate::streams::away;

const NAME: &str = "logflux-unsent.ndjson";

fn opened(path: &Path) -> String {
    logflux(&["open"]).input(fs::read(path).unwrap()).stdout
}

/// Runs a shell's line with the settings of a call.
fn shell(call: &Call, script: &str) -> Ended {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).env("LOGFLUX", env!("CARGO_BIN_EXE_logflux"));
    shell.current_dir(call.0.get_current_dir().unwrap());
    for (name, value) in call.0.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Call(shell).run()
}

#[test]
fn a_file_that_cannot_be_made_is_found_out_before_a_line_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("fifo")).status().unwrap().success());
    for path in ["nowhere/unsent", "folder", "/proc/unsent", "fifo"] {
        let script = format!("seq 3 | {{ $LOGFLUX send --unsent {path}; echo status $?; cat; }}");
        let ended = shell(&away(folder.path(), &[]), &script);
        assert_eq!(ended.stdout, "status 1\n1\n2\n3\n", "{path}");
        assert!(ended.stderr.contains("--unsent"), "{}", ended.stderr);
    }
}

#[test]
fn a_file_that_is_not_needed_is_not_left() {
    let server = Server::start();
    let key = server.key("ingest");
    server.call(&key, &["send"]).input("one\n").ok();
    assert!(!server.folder.path().join(NAME).exists());
    fs::write(server.folder.path().join(NAME), "").unwrap();
    server.call(&key, &["send"]).input("one\n").ok();
    assert!(server.folder.path().join(NAME).exists(), "it is somebody's");
}

#[test]
fn what_comes_from_the_file_itself_is_not_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let lines: String = (1..=10).map(|i| format!("{i}\n")).collect();
    fs::write(&path, logflux(&["seal"]).input(&lines).ok()).unwrap();
    std::os::unix::fs::symlink(NAME, folder.path().join("symbolic")).unwrap();
    fs::hard_link(&path, folder.path().join("hard")).unwrap();
    let before = fs::read(&path).unwrap();
    for input in [
        &format!("send --sealed {NAME}"),
        &format!("send --sealed ./{NAME}"),
        &format!("send --sealed {}", path.display()),
        "send --sealed symbolic",
        "send --sealed hard",
        "send --sealed --unsent symbolic hard",
        &format!("send --sealed < {NAME}"),
        &format!("send --sealed - < {NAME}"),
    ] {
        let ended = shell(&away(folder.path(), &[]), &format!("$LOGFLUX {input}"));
        assert_eq!(ended.status, 1);
        assert!(ended.stderr.contains("no connection"), "{}", ended.stderr);
        assert!(ended.stderr.contains("10 lines are still in "), "{}", ended.stderr);
        assert!(fs::read(&path).unwrap() == before, "{input}");
    }
    // Through a pipe it is not known where they come from, and yet they are in the file already.
    let script =
        format!("cat {NAME} | $LOGFLUX send --sealed; cat {NAME} {NAME} | $LOGFLUX send --sealed");
    shell(&away(folder.path(), &[]), &script);
    assert!(fs::read(&path).unwrap() == before);
    // Lines that are to be sealed would never end.
    let ended = away(folder.path(), &["send", NAME]).run();
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("--sealed"), "{}", ended.stderr);
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn half_a_line_at_the_end_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let torn = r#"{"node":"n","payload":"AAAA"#;
    fs::write(&path, torn).unwrap();
    away(folder.path(), &["send"]).input("one\n");
    away(folder.path(), &["send"]).input("two");
    let kept = fs::read_to_string(&path).unwrap();
    assert_eq!(kept.lines().next().unwrap(), torn);
    assert_eq!(kept.lines().count(), 3);
    assert_eq!(opened(&path), "one\ntwo\n");
}

/// The shell bounds what a file may have, as a full disk does.
#[test]
#[cfg(target_os = "linux")]
fn a_write_that_fails_is_cut_back_and_the_entries_go_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    away(folder.path(), &["send"]).input("first\n");
    let before = fs::read(&path).unwrap();
    let script = "trap '' XFSZ; ulimit -f 2; seq 100 | $LOGFLUX send";
    let ended = shell(&away(folder.path(), &[]), script);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains(&format!("{NAME}: File too large")), "{}", ended.stderr);
    assert!(ended.stderr.contains("100 lines are on stdout"), "{}", ended.stderr);
    assert!(fs::read(&path).unwrap() == before, "half a line is left");
    let lines: String = (1..=100).map(|i| format!("{i}\n")).collect();
    assert_eq!(logflux(&["open"]).input(&ended.stdout).ok(), lines);
    // Where stdout takes nothing either, it is said what is lost, and nothing more is read.
    let script = "trap '' XFSZ; ulimit -f 2; seq 100 | $LOGFLUX send > /dev/full";
    let ended = shell(&away(folder.path(), &[]), script);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("100 lines are lost"), "{}", ended.stderr);
}

/// It comes in pieces of 2 MiB, of which the file takes some.
#[test]
#[cfg(target_os = "linux")]
fn a_line_longer_than_any_entry_leaves_no_half_a_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("long"), "x".repeat(24 << 20)).unwrap();
    // The shell's unit is 512 or 1,024 bytes.
    let script = "trap '' XFSZ; ulimit -f 14000; $LOGFLUX send --sealed long";
    let ended = shell(&away(folder.path(), &[]), script);
    assert_eq!(ended.status, 1);
    let (kept, rest) = (fs::read_to_string(folder.path().join(NAME)).unwrap(), ended.stdout);
    assert!(kept.ends_with('\n') && rest.ends_with('\n'));
    assert_eq!(ended.stderr.matches("what it does not take goes to stdout").count(), 1);
    let pieces = |text: &str| text.lines().map(str::len).sum::<usize>();
    assert!(pieces(&kept) > 0 && pieces(&rest) > 0);
    assert_eq!(pieces(&kept) + pieces(&rest), 24 << 20);
    // Where there is room, the same once more adds what the file lacks, and doubles nothing. How many
    // pieces come together, and so how many the bound let in, differs from run to run.
    shell(&away(folder.path(), &[]), "$LOGFLUX send --sealed long");
    let all = fs::read_to_string(folder.path().join(NAME)).unwrap();
    assert!(all.starts_with(&kept));
    assert_eq!(pieces(&all), 24 << 20);
}

#[test]
fn several_processes_append_whole_lines_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let at_once = |from: u32| {
        let folder = folder.path().to_owned();
        thread::spawn(move || {
            let lines: String = (from..from + 500).map(|i| format!("{i}\n")).collect();
            away(&folder, &["send"]).input(lines).status
        })
    };
    let threads: Vec<_> = (0..4).map(|i| at_once(1_000 * i)).collect();
    threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 1));
    let text = opened(&folder.path().join(NAME));
    let mut lines: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    lines.sort_unstable();
    let expected: Vec<u32> = (0..4).flat_map(|i| 1_000 * i..1_000 * i + 500).collect();
    assert!(lines == expected, "{} lines", lines.len());
}

#[test]
fn an_input_without_an_end_is_kept_as_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let mut call = away(folder.path(), &["send"]);
    call.0.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = call.0.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let path = folder.path().join(NAME);
    let begun = std::time::Instant::now();
    let mut line = 0;
    // It has kept more than it reads ahead, and its input goes on.
    while fs::metadata(&path).map_or(0, |file| file.len()) < 5 << 20 {
        let text = format!("line {line} {}\n", "x".repeat(1_000));
        std::io::Write::write_all(&mut stdin, text.as_bytes()).unwrap();
        line += 1;
        assert!(begun.elapsed().as_secs() < 120, "nothing is kept after {line} lines");
    }
    drop(stdin);
    child.wait().unwrap();
    assert_eq!(opened(&path).lines().count(), line);
}

#[test]
fn one_bad_sealed_line_is_named_and_kept_alone() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let sealed = |from: u32, to: u32| {
        let lines: String = (from..=to).map(|i| format!("{i}\n")).collect();
        logflux(&["seal"]).input(lines).bytes
    };
    let good = sealed(1_000, 1_000);
    let unknown = String::from_utf8(good).unwrap().replace("\"}\n", "\",\"message\":\"x\"}");
    let wrong_type = unknown.replace("\"node\":\"", "\"node\":5,\"x\":\"");
    let wrong_type = wrong_type.get(..wrong_type.len() - 9).unwrap();
    let long = "x".repeat(3 << 20);
    let bad: [&[u8]; 9] = [
        b"{\"node\":\"n\",\"payl",
        b"nonsense",
        b"\xff\xfe",
        b"{\"node\":\"n\0\"}",
        b"[]",
        b"5",
        unknown.as_bytes(),
        wrong_type.as_bytes(),
        long.as_bytes(),
    ];
    for (i, bad) in bad.into_iter().enumerate() {
        let (first, unsent) = (u32::try_from(i).unwrap() * 100, format!("unsent-{i}"));
        let input = [
            &sealed(first + 1, first + 25)[..],
            b"\r\n\n",
            bad,
            b"\n",
            &sealed(first + 26, first + 50),
        ]
        .concat();
        let ended = server.call(&key, &["send", "--sealed", "--unsent", &unsent]).input(input);
        let shown = String::from_utf8_lossy(bad.get(..20.min(bad.len())).unwrap());
        assert_eq!(ended.status, 1, "{shown}: {}", ended.stderr);
        assert!(ended.stderr.contains("line 28: "), "{shown}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("50 entries stored (0 duplicates, "),
            "{shown}: {}",
            ended.stderr
        );
        let kept = fs::read(server.folder.path().join(&unsent)).unwrap();
        let kept: Vec<u8> = kept.into_iter().filter(|byte| *byte != b'\n').collect();
        assert!(kept == bad, "{shown}: {:?}", String::from_utf8_lossy(&kept).get(..80));
        let stored = server.call(&key, &["query", "--limit", "0"]).run().ok();
        assert_eq!(stored.lines().count(), (i + 1) * 50, "{shown}");
    }
}

#[test]
fn a_file_that_may_only_be_written_takes_entries_as_well() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let file = File::create(&path).unwrap();
    std::io::Write::write_all(&mut &file, b"{\"torn").unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o200)).unwrap();
    away(folder.path(), &["send"]).input("one\n");
    file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(opened(&path), "one\n");
}

#[test]
fn what_was_read_and_not_sent_is_kept_at_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    // A server that takes connections and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let mut call = away(folder.path(), &["send", "--server-url", &url, "--http-timeout", "4s"]);
    call.0.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = call.0.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"one\n").unwrap();
    listener.accept().unwrap();
    // It is about to send this line, and has read the next ones meanwhile.
    std::io::Write::write_all(&mut stdin, b"two\nthree").unwrap();
    thread::sleep(std::time::Duration::from_millis(500));
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("3 lines are kept in "), "{said}");
    assert_eq!(opened(&path), "one\ntwo\nthree\n");
    drop(stdin);

    // Nothing was read: it ends at once.
    let mut call = away(folder.path(), &["send"]);
    call.0.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = call.0.spawn().unwrap();
    let stdin = child.stdin.take();
    thread::sleep(std::time::Duration::from_secs(1));
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    child.wait().unwrap();
    drop(stdin);
}

#[test]
fn a_reader_of_the_report_that_is_gone_makes_no_line_stored() {
    let server = Server::start();
    let key = server.key("ingest");
    let call = server.call(&key, &[]);
    let script =
        "{ echo 'no entry' | $LOGFLUX send --sealed --format json; echo $? > status; } | true";
    shell(&call, script);
    assert_eq!(fs::read_to_string(server.folder.path().join("status")).unwrap(), "1\n");
}
