//! Every vector through C.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::thread;

use logflux_certify::model::{Expect, Group, Operation, Test, VectorFile, Verdict, expand};
use logflux_tests::workspace;
use sha2::{Digest as _, Sha256};

use crate::toolchain::{Link, build, command};

#[test]
fn the_c_library_agrees_with_every_vector() {
    let mut questions = String::new();
    let mut tests: Vec<Test> = Vec::new();
    for name in ["known_answers", "open", "parse", "seal", "derive"] {
        let path = workspace().join("vectors").join(name).with_extension("json");
        let file: VectorFile = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for group in &file.groups {
            for test in &group.tests {
                question(group, test, &mut questions);
                tests.push(test.clone());
            }
        }
    }
    assert!(tests.len() >= 600, "{}", tests.len());
    let program = build("c/tests/vectors.c", Link::Shared, &["-O2"]);
    // Half of them each: derivations are most of the time.
    let lines: Vec<&str> = questions.lines().collect();
    let halves = lines.split_at(lines.len() / 2);
    let answers = thread::scope(|scope| {
        let other = scope.spawn(|| ask(&program, halves.1));
        [ask(&program, halves.0), other.join().unwrap()].concat()
    });
    assert_eq!(answers.lines().count(), tests.len());
    let wrong: Vec<String> = tests
        .iter()
        .zip(answers.lines())
        .filter(|(test, answer)| !is_right(test, answer))
        .map(|(test, answer)| format!("{}: {:.200}: {:?}", test.id, answer, test.expect.result))
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), tests.len(), wrong.join("\n"));
    println!("{} vectors", tests.len());
}

fn ask(program: &std::path::Path, questions: &[&str]) -> String {
    let mut child = command(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let questions = questions.join("\n") + "\n";
    let writer = thread::spawn(move || input.write_all(questions.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn question(group: &Group, test: &Test, out: &mut String) {
    let secret = group.secret_hex.as_ref().map(|secret| hex(&secret.0)).unwrap_or_default();
    let entry = || match (&test.entry_b64, &test.entry_runs) {
        (Some(entry), _) => hex(&entry.0),
        (None, runs) => hex(&expand(runs.as_deref().unwrap())),
    };
    let salt = || hex(&test.salt_hex.as_ref().unwrap().0);
    let (operation, id) = (group.operation, &test.id);
    match operation {
        Operation::Open => writeln!(out, "{operation} {id} {secret} {}", entry()),
        Operation::Parse => writeln!(out, "{operation} {id} {}", entry()),
        Operation::Derive => {
            writeln!(out, "{operation} {id} {secret} {} {}", test.mode.unwrap(), salt())
        }
        Operation::Seal => {
            let message = match (&test.message_hex, &test.message_runs) {
                (Some(message), _) => hex(&message.0),
                (None, runs) => hex(&expand(runs.as_deref().unwrap())),
            };
            let (mode, level) = (test.mode.unwrap(), test.loglevel.unwrap());
            let iv = hex(&test.iv_hex.as_ref().unwrap().0);
            let node = hex(test.node.as_ref().unwrap().as_bytes());
            let time = hex(test.timestamp.as_ref().unwrap().as_bytes());
            let salt = salt();
            writeln!(
                out,
                "{operation} {id} {secret} {mode} {salt} {iv} {node} {level} {time} {message}"
            )
        }
    }
    .unwrap();
}

fn is_right(test: &Test, answer: &str) -> bool {
    let words: Vec<&str> = answer.split(' ').collect();
    let [id, result, value] = words[..] else { return false };
    let Expect { result: expected, stage, message_hex, key_hex, entry_b64, entry_sha256_hex } =
        &test.expect;
    let accepted = || {
        let fits = |wanted: &[u8]| value == hex(wanted);
        message_hex.as_ref().is_none_or(|message| fits(&message.0))
            && key_hex.as_ref().is_none_or(|key| fits(&key.0))
            && entry_b64.as_ref().is_none_or(|entry| fits(&entry.0))
            && entry_sha256_hex
                .as_ref()
                .is_none_or(|digest| digest.0 == Sha256::digest(unhex(value)).as_slice())
    };
    let refused = || stage.is_none_or(|stage| value == stage.name());
    id == test.id
        && match (expected, result) {
            (Verdict::Valid | Verdict::Acceptable, "ok") => accepted(),
            (Verdict::Invalid | Verdict::Acceptable, "error") => refused(),
            _ => false,
        }
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(text.get(at..at + 2).unwrap(), 16).unwrap();
    (0..text.len() / 2).map(|byte| digits(byte * 2)).collect()
}
