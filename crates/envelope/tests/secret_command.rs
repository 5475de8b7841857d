//! The command that prints a secret: what it may do, and what it may not do to the process that runs
//! it.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Secret, SecretError, SecretSource, SecretSourceError};

/// Longer than any of these commands takes on a busy machine.
const ENOUGH: Duration = Duration::from_secs(120);

fn load_within(command: &str, limit: Duration) -> Result<Secret, SecretSourceError> {
    SecretSource::Command(command.to_owned()).load_within(limit)
}

fn load(command: &str) -> Result<Secret, SecretSourceError> {
    load_within(command, ENOUGH)
}

/// The number that a command has written into a file, once it is there.
fn pid(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.strip_suffix('\n').map(str::to_owned)
}

/// Whether a process runs; one that is dead and not yet waited for does not.
fn runs(pid: &str) -> bool {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(ps.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[test]
fn a_command_gives_a_secret_or_says_how_it_failed() {
    assert_eq!(load("echo ' sëcrét'").unwrap().expose(), " sëcrét");
    assert_eq!(load(r"printf 'one\ntwo\n\n'").unwrap().expose(), "one\ntwo\n");
    assert_eq!(load("cat; echo nothing on stdin").unwrap().expose(), "nothing on stdin");
    assert_eq!(load("exec echo by exec").unwrap().expose(), "by exec");
    assert_eq!(load(r#"echo "$#$0""#).unwrap().expose(), "0sh");
    for (command, reason) in [
        ("echo hunter2; exit 3", "exit status 3"),
        ("echo hunter2; if", "exit status 2"),
        ("echo hunter2; no-such-program-of-logflux", "exit status 127"),
        ("echo hunter2; kill -9 $$", "signal 9"),
        ("echo hunter2; kill -15 0; exec sleep 1000", "signal 15"),
        // The shell around it is killed alone, and the command still holds its stdout.
        ("echo hunter2; kill -9 $PPID; sleep 1", "signal 9"),
    ] {
        let error = load(command).unwrap_err();
        assert!(matches!(error, SecretSourceError::CommandFailed(_)), "{command}: {error:?}");
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains("LOGFLUX_SECRET_COMMAND"), "{text}");
        assert!(!format!("{text}{error:?}").contains("hunter2"), "{error:?}");
    }
    assert!(matches!(load("true"), Err(SecretSourceError::Secret(SecretError::Empty))));
    assert!(matches!(load(r"printf '\377'"), Err(SecretSourceError::Secret(SecretError::NotUtf8))));
}

// A command that waited for the agent would reach its time limit.
#[test]
fn a_process_left_behind_is_not_waited_for_and_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let agent = folder.path().join("agent");
    let command = format!(
        "sh -c 'echo $$ > {0}; exec sleep 1000' & until test -s {0}; do sleep 0.01; done; echo one-two",
        agent.display()
    );
    assert_eq!(load(&command).unwrap().expose(), "one-two");
    let agent = pid(&agent).unwrap();
    assert!(runs(&agent), "an agent is meant to stay");
    assert!(Command::new("kill").arg(agent).status().unwrap().success());
}

#[test]
fn what_an_agent_prints_later_is_not_the_secret() {
    // It waits until the shell around the command is gone.
    let command = "(while kill -0 $PPID 2> /dev/null; do sleep 0.01; done; echo later) & echo now";
    assert_eq!(load(command).unwrap().expose(), "now");
}

#[test]
fn a_command_without_an_end_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let (parent, child) = (folder.path().join("parent"), folder.path().join("child"));
    let command = format!(
        "echo $$ > {}; sh -c 'echo $$ > {}; exec sleep 1000' & echo hunter2; sleep 1000",
        parent.display(),
        child.display()
    );
    let mut limit = Duration::from_millis(50);
    // On a busy machine the shells need longer to begin.
    let pids = loop {
        let error = load_within(&command, limit).unwrap_err();
        let SecretSourceError::CommandTimedOut { limit: told } = error else { panic!("{error:?}") };
        assert_eq!(told, limit);
        let text = error.to_string();
        assert!(text.contains("LOGFLUX_SECRET_COMMAND") && text.contains(&format!("{limit:?}")));
        assert!(!format!("{text}{error:?}").contains("hunter2"), "{error:?}");
        if let (Some(parent), Some(child)) = (pid(&parent), pid(&child)) {
            break [parent, child];
        }
        limit *= 2;
    };
    let begun = Instant::now();
    for pid in pids {
        while runs(&pid) {
            assert!(begun.elapsed() < ENOUGH, "process {pid} lives on");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_flood_is_no_secret() {
    let error = load("exec yes hunter2").unwrap_err();
    assert!(matches!(error, SecretSourceError::CommandOutput), "{error:?}");
    let of = |length: usize| load(&format!("printf '%{length}s' x"));
    assert_eq!(of(64 << 10).unwrap().expose().len(), 64 << 10);
    for length in [1, 11, 12, 20, 40, 4_096] {
        let error = of((64 << 10) + length).unwrap_err();
        assert!(matches!(error, SecretSourceError::CommandOutput), "{length}: {error:?}");
    }
}

/// This test runs itself again in a process that ignores SIGCHLD, where no child can be waited for.
#[test]
fn a_command_works_where_the_process_ignores_sigchld() {
    const AGAIN: &str = "LOGFLUX_TEST_SIGCHLD_IS_IGNORED";
    if std::env::var_os(AGAIN).is_none() {
        // Not `sh`: some shells of that name take the signal back.
        let status = Command::new("bash")
            .args(["-c", "trap '' CHLD; exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg("a_command_works_where_the_process_ignores_sigchld")
            .env(AGAIN, "1")
            .status()
            .unwrap();
        assert!(status.success(), "{status}");
        return;
    }
    let status = Command::new("true").status();
    assert!(status.is_err(), "SIGCHLD is not ignored: {status:?}");
    assert_eq!(load("echo one; echo two | cat").unwrap().expose(), "one\ntwo");
    let folder = tempfile::tempdir().unwrap();
    let agent = folder.path().join("agent");
    let leaving = format!("sleep 1000 & echo $! > {}; echo one", agent.display());
    assert_eq!(load(&leaving).unwrap().expose(), "one");
    Command::new("kill").arg(pid(&agent).unwrap()).status().unwrap_err();
    for (command, reason) in [
        ("echo hunter2; exit 3", "exit status 3"),
        ("echo hunter2; kill -9 $$", "signal 9"),
        ("echo hunter2; kill -9 $PPID; sleep 1", "without an exit status"),
    ] {
        let error = load(command).unwrap_err();
        assert!(matches!(error, SecretSourceError::CommandFailed(_)), "{command}: {error:?}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    let limit = Duration::from_millis(50);
    let error = load_within("sleep 1000", limit).unwrap_err();
    assert!(matches!(error, SecretSourceError::CommandTimedOut { .. }), "{error:?}");
}

#[test]
fn a_command_leaves_no_zombie() {
    let children = || {
        let mine = std::process::id().to_string();
        let ps = Command::new("ps").args(["-o", "stat=,comm=", "--ppid", &mine]).output().unwrap();
        let text = String::from_utf8(ps.stdout).unwrap();
        text.lines().filter(|line| line.starts_with('Z')).count()
    };
    load("echo x").unwrap();
    load("sleep 2 & echo x").unwrap();
    load("exit 1").unwrap_err();
    load("exec yes").unwrap_err();
    load_within("sleep 1000", Duration::from_millis(50)).unwrap_err();
    // Other tests of this process may have a child that has just ended.
    let begun = Instant::now();
    while children() > 0 {
        assert!(begun.elapsed() < ENOUGH, "{} zombies", children());
        thread::sleep(Duration::from_millis(5));
    }
}
