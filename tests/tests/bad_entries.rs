//! Every rule of an entry and of a secret (PROTOCOL 2 and 3), broken once: `logflux open` names the
//! line and says what is wrong with it, and a good entry beside them still comes out.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use logflux_tests::{Failure, logflux};

const GOOD: &str = concat!(
    r#"{"node":"app-server-01","payload":"Rlo7MNMHCwq/4kAl20RIVAdybL/NQQrkkZSYs/kmQ/JyHqnNdA==","#,
    r#""loglevel":7,"timestamp":"2024-01-17T10:30:45Z","encryption_mode":1,"#,
    r#""iv":"ZGVmZ2hpamtsbW5v","salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#
);
const SECRET: &str = "correct horse battery staple";

/// What is replaced in the good entry, by what, and what the error says.
fn broken() -> Vec<(&'static str, String, &'static str)> {
    let table: &[(&str, &str, &str)] = &[
        // JSON.
        ("{", "", "an entry is one JSON object"),
        ("}", "", "not valid JSON"),
        ("}", "}}", "not valid JSON"),
        ("}", "} trailing", "not valid JSON"),
        ("\"node\":", "\"iv\":\"\",\"node\":", "field \"iv\" stands more than once"),
        ("\"node\":", "\"x\":1,\"x\":2,\"node\":", "field \"x\" stands more than once"),
        ("\"node\":", "\"nod\":", "node is missing"),
        ("\"salt\":", "\"Salt\":", "salt is missing"),
        // Types.
        ("\"app-server-01\"", "null", "node must be a string"),
        ("\"loglevel\":7", "\"loglevel\":7.0", "loglevel must be an integer"),
        ("\"loglevel\":7", "\"loglevel\":7e0", "loglevel must be an integer"),
        ("\"loglevel\":7", "\"loglevel\":\"7\"", "loglevel must be an integer"),
        ("_mode\":1", "_mode\":\"1\"", "encryption_mode must be an integer"),
        ("_mode\":1", "_mode\":null", "encryption_mode must be an integer"),
        // Node, level, timestamp, mode.
        ("app-server-01", "", "node is empty"),
        ("app-server-01", r"app\u0007", "node has a control character"),
        ("\"loglevel\":7", "\"loglevel\":0", "loglevel must be 1 to 8"),
        ("\"loglevel\":7", "\"loglevel\":9", "loglevel must be 1 to 8"),
        ("2024-01-17T10", "2024-01-17 10", "timestamp is not RFC 3339"),
        ("45Z", "45", "timestamp is not RFC 3339"),
        ("45Z", "45.1234567890Z", "timestamp is not RFC 3339"),
        ("45Z", "60Z", "timestamp has a part out of range"),
        ("2024-01-17", "2023-02-29", "timestamp has a part out of range"),
        ("_mode\":1", "_mode\":0", "encryption_mode"),
        ("_mode\":1", "_mode\":5", "encryption_mode"),
        ("_mode\":1", "_mode\":129", "encryption_mode"),
        // Base64.
        ("ZGVm", "ZG-m", "iv is not canonical base64: a character at 2"),
        ("ZGVm", "ZG m", "iv is not canonical base64: a character at 2"),
        ("Hh8=", "Hh8", "salt is not canonical base64: the length is not a multiple of 4"),
        ("Hh8=", "Hh9=", "salt is not canonical base64: the last letter has non-zero bits"),
        ("Rlo7", "Rl=7", "payload is not canonical base64: padding stands at 2"),
        // Sizes; the second salt is the sample of the published description.
        ("ZGVmZ2hpamtsbW5v", "ZGVmZ2hpamts", "iv must be 12 bytes and is 9"),
        (
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "c2FsdDMyYnl0ZXNsb25nZm9ya2V5ZGVyaXZhdGlvbg==",
            "salt must be 32 bytes and is 31",
        ),
        (
            "Rlo7MNMHCwq/4kAl20RIVAdybL/NQQrkkZSYs/kmQ/JyHqnNdA==",
            "Rlo7",
            "payload has 3 bytes, fewer than the 16 of an empty message",
        ),
        // Authentication, under the key that the good entry needs anyway.
        ("Rlo7", "Slo7", "authentication failed"),
        ("nNdA==", "nNdQ==", "authentication failed"),
        ("ZGVm", "ZGVn", "authentication failed"),
    ];
    let mut broken: Vec<_> =
        table.iter().map(|(old, new, error)| (*old, (*new).to_owned(), *error)).collect();
    broken.push(("app-server-01", "n".repeat(256), "node has more than 255 characters"));
    let payload = "Rlo7MNMHCwq/4kAl20RIVAdybL/NQQrkkZSYs/kmQ/JyHqnNdA==";
    broken.push((payload, "AAAA".repeat(262_145), "payload is longer than 1,048,576"));
    broken
}

fn run(args: &[&str], secret: Option<&str>, input: &[u8]) -> Result<Output, Failure> {
    let mut command = Command::new(logflux()?);
    command.args(args).env_remove("LOGFLUX_SECRET_FILE").env_remove("LOGFLUX_SECRET_COMMAND");
    match secret {
        Some(secret) => command.env("LOGFLUX_SECRET", secret),
        None => command.env_remove("LOGFLUX_SECRET"),
    };
    let mut program =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = program.stdin.take().ok_or("no standard input")?;
    let input = input.to_vec();
    // It may end without having read, where the secret is refused.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = program.wait_with_output()?;
    writer.join().map_err(|_| "the writer panicked")?;
    Ok(output)
}

#[test]
fn each_is_named_by_line_and_reason_and_the_good_one_still_opens() -> Result<(), Failure> {
    let broken = broken();
    let mut input = Vec::new();
    for (old, new, _) in &broken {
        assert!(GOOD.contains(old), "{old}");
        input.extend_from_slice(GOOD.replacen(old, new, 1).as_bytes());
        input.push(b'\n');
    }
    input.extend_from_slice(b"{\"node\":\"\xff\"}\n");
    input.extend_from_slice(GOOD.as_bytes());

    let output = run(&["open", "--verbose"], Some(SECRET), &input)?;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout)?, "User login successful\n");
    let errors = String::from_utf8(output.stderr)?;
    let told = |line: usize| {
        let start = format!("line {line}: ");
        errors.lines().find_map(|error| error.strip_prefix(&start)).unwrap_or_default()
    };
    for (at, (old, new, expected)) in broken.iter().enumerate() {
        let new: String = new.chars().take(40).collect();
        let error = told(at + 1);
        assert!(error.contains(expected), "{old} → {new}: {error:?}, not {expected:?}\n{errors}");
    }
    assert!(told(broken.len() + 1).contains("not valid UTF-8 at byte 9"), "{errors}");
    assert_eq!(told(broken.len() + 2), "");
    // What was wrong is said without showing it.
    assert!(!errors.contains("Slo7") && !errors.contains(SECRET), "{errors}");
    Ok(())
}

#[test]
fn a_secret_that_is_none_is_refused_before_anything_is_sealed() -> Result<(), Failure> {
    for (secret, expected) in [
        (Some(""), "secret is empty"),
        (Some(" \t"), "secret is nothing but white space"),
        (Some("\u{a0}\u{3000}"), "secret is nothing but white space"),
        (None, "LOGFLUX_SECRET"),
    ] {
        for command in ["seal", "open"] {
            let output = run(&[command], secret, b"line\n")?;
            let errors = String::from_utf8(output.stderr)?;
            assert!(!output.status.success(), "{command} with {secret:?}");
            assert!(output.stdout.is_empty(), "{command} with {secret:?}");
            assert!(errors.contains(expected), "{command} with {secret:?}: {errors}");
        }
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_secret_that_is_not_utf_8_is_refused() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("secret");
    std::fs::write(&file, b"secret \xff")?;
    let file = file.to_str().ok_or("the folder's name is not UTF-8")?;
    let output = run(&["seal", "--secret-file", file], None, b"line\n")?;
    let errors = String::from_utf8(output.stderr)?;
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(errors.contains("not UTF-8"), "{errors}");
    Ok(())
}
