//! The vectors, confirmed by an implementation that shares no code with this project: Python's
//! `cryptography`, `hashlib` and `argon2-cffi`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::process::Command;

use logflux_tests::{Failure, interpreter, workspace};
use serde_json::Value;

#[test]
fn python_agrees_with_every_vector() -> Result<(), Failure> {
    let output = Command::new(interpreter()?)
        .arg("-B")
        .arg(workspace().join("tests/python/independent.py"))
        .arg("vectors")
        .arg(workspace().join("vectors"))
        .output()?;
    let counts = String::from_utf8_lossy(&output.stdout);
    let differ = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{counts}{differ}");
    assert!(counts.contains(" accepted, ") && counts.contains(" 0 differ"), "{counts}");
    // Every one of them: none was left out, and so every positive one was confirmed.
    let done: usize = counts.split(' ').take(3).filter_map(|word| word.parse::<usize>().ok()).sum();
    assert_eq!(done, every_test()?.len());
    let positive = every_test()?.iter().filter(|t| t["expect"]["result"] == "valid").count();
    assert!(counts.split(' ').next().is_some_and(|n| n.parse::<usize>().unwrap() >= positive));
    Ok(())
}

/// Every test of every file.
fn every_test() -> Result<Vec<Value>, Failure> {
    let mut tests = Vec::new();
    for name in ["derive", "known_answers", "open", "parse", "seal"] {
        let path = workspace().join("vectors").join(name).with_extension("json");
        let file: Value = serde_json::from_slice(&std::fs::read(path)?)?;
        for group in file["groups"].as_array().into_iter().flatten() {
            tests.extend(group["tests"].as_array().into_iter().flatten().cloned());
        }
    }
    Ok(tests)
}

/// An expectation that Python must see to be wrong: the check itself can fail.
#[test]
fn python_reports_a_vector_that_is_wrong() -> Result<(), Failure> {
    let vectors = std::fs::read_to_string(workspace().join("vectors/known_answers.json"))?;
    // The message of the first open test, with another first letter.
    let right = "\"message_hex\": \"55736572";
    assert!(vectors.contains(right));
    let folder = tempfile::tempdir()?;
    let wrong = vectors.replace(right, "\"message_hex\": \"56736572");
    std::fs::write(folder.path().join("known_answers.json"), wrong)?;
    let output = Command::new(interpreter()?)
        .arg("-B")
        .arg(workspace().join("tests/python/independent.py"))
        .arg("vectors")
        .arg(folder.path())
        .output()?;
    assert_eq!(output.status.code(), Some(1));
    let differ = String::from_utf8_lossy(&output.stderr);
    assert!(differ.contains("known_answers.json: open/known/mode-1: expected"), "{differ}");
    Ok(())
}
