//! Entries that the program `logflux` seals are opened by Python's `cryptography`, and the other
//! way round, in the standard mode.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use logflux_tests::{Failure, interpreter, logflux, workspace};

const TIMESTAMP: &str = "2024-01-17T10:30:45.120Z";

/// Messages of every kind that one line can hold, the empty one and one of 4 KiB among them.
fn messages() -> Vec<String> {
    vec![
        "User login successful".to_owned(),
        "世界! 🌍".to_owned(),
        String::new(),
        "  padded\twith tabs  ".to_owned(),
        "0123456789abcdef".repeat(256),
    ]
}

/// Runs a program with a secret and lines on its standard input.
fn run(mut command: Command, secret: &str, lines: &[u8]) -> Result<Output, Failure> {
    let mut program = command
        .env("LOGFLUX_SECRET", secret)
        .env_remove("LOGFLUX_SECRET_FILE")
        .env_remove("LOGFLUX_SECRET_COMMAND")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = program.stdin.take().ok_or("no standard input")?;
    let lines = lines.to_vec();
    // On a thread of its own, so that neither side waits for the other.
    let writer = std::thread::spawn(move || input.write_all(&lines));
    let output = program.wait_with_output()?;
    writer.join().map_err(|_| "the writer panicked")??;
    Ok(output)
}

/// The standard output of a program that must succeed.
fn lines_of(command: Command, secret: &str, lines: &[u8]) -> Result<Vec<u8>, Failure> {
    let shown = format!("{command:?}");
    let output = run(command, secret, lines)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}: {}: {errors}", output.status);
    Ok(output.stdout)
}

fn cli(args: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(logflux()?);
    command.args(args);
    Ok(command)
}

fn python(args: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(interpreter()?);
    command.arg("-B").arg(workspace().join("tests/python/independent.py")).args(args);
    Ok(command)
}

/// Seals with each and opens with the other; every message must come out as it went in.
fn both_ways(secret: &str) -> Result<(), Failure> {
    let mut lines = messages().join("\n").into_bytes();
    lines.push(b'\n');

    let seal = ["seal", "--node", "bär-01", "--level", "info", "--timestamp", TIMESTAMP];
    let sealed = lines_of(cli(&seal)?, secret, &lines)?;
    assert_eq!(sealed.iter().filter(|byte| **byte == b'\n').count(), messages().len());
    assert!(sealed.starts_with("{\"node\":\"bär-01\",\"payload\":\"".as_bytes()));
    let opened = lines_of(python(&["open"])?, secret, &sealed)?;
    assert_eq!(String::from_utf8(opened)?, String::from_utf8(lines.clone())?);

    let seal = ["seal", "--node", "bär-01", "--level", "7", "--timestamp", TIMESTAMP];
    let sealed = lines_of(python(&seal)?, secret, &lines)?;
    let opened = lines_of(cli(&["open"])?, secret, &sealed)?;
    assert_eq!(String::from_utf8(opened)?, String::from_utf8(lines)?);
    Ok(())
}

#[test]
fn with_an_ascii_secret() -> Result<(), Failure> {
    both_ways("correct horse battery staple")
}

#[test]
fn with_letters_beyond_ascii() -> Result<(), Failure> {
    both_ways("sëcrét-with-ünïcødé")
}

#[test]
fn with_decomposed_letters() -> Result<(), Failure> {
    both_ways("se\u{308}cre\u{301}t")
}

#[test]
fn with_an_astral_secret() -> Result<(), Failure> {
    both_ways("🔑🌍𝔰𝔢𝔠𝔯𝔢𝔱")
}

#[test]
fn with_a_secret_over_a_block_of_the_hash() -> Result<(), Failure> {
    both_ways(&"0123456789".repeat(7))
}

#[test]
fn with_a_padded_secret() -> Result<(), Failure> {
    both_ways("  padded secret\t ")
}

#[test]
fn with_the_extension_s_mode() -> Result<(), Failure> {
    let secret = "correct horse battery staple";
    let lines = "one\ntwo\nthree\n".as_bytes();
    let args = ["--node", "bär-01", "--timestamp", TIMESTAMP, "--mode", "128", "--level"];
    let sealed = lines_of(cli(&[&["seal"], &args[..], &["info"]].concat())?, secret, lines)?;
    assert_eq!(lines_of(python(&["open"])?, secret, &sealed)?, lines);
    let sealed = lines_of(python(&[&["seal"], &args[..], &["7"]].concat())?, secret, lines)?;
    assert_eq!(lines_of(cli(&["open"])?, secret, &sealed)?, lines);
    Ok(())
}

#[test]
fn another_secret_opens_nothing_on_either_side() -> Result<(), Failure> {
    let seal = ["seal", "--node", "n", "--level", "info", "--timestamp", TIMESTAMP];
    let sealed = lines_of(cli(&seal)?, "one secret", b"message\n")?;
    for command in [cli(&["open"])?, python(&["open"])?] {
        let output = run(command, "another secret", &sealed)?;
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("authentication"), "{errors}");
    }
    Ok(())
}
