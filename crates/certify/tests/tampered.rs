//! The suite itself can fail: a wrong expectation, a broken file and an edit by hand are each
//! reported, by name.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use logflux_certify::{CheckError, LoadError, check, run};
use serde_json::{Value, json};
use tempfile::TempDir;

fn vectors(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(name)).unwrap()
}

/// A folder with the known answers, after a change.
fn changed(change: impl FnOnce(&mut Value)) -> TempDir {
    let mut file: Value = serde_json::from_slice(&vectors("known_answers.json")).unwrap();
    change(&mut file);
    let folder = TempDir::new().unwrap();
    let bytes = serde_json::to_vec(&file).unwrap();
    std::fs::write(folder.path().join("known_answers.json"), bytes).unwrap();
    folder
}

/// The test with this id.
fn test<'v>(file: &'v mut Value, id: &str) -> &'v mut Value {
    let groups = file["groups"].as_array_mut().unwrap();
    let mut tests = groups.iter_mut().flat_map(|group| group["tests"].as_array_mut().unwrap());
    tests.find(|test| test["id"] == id).unwrap()
}

/// One test of the standard mode, so that a run is quick.
fn only(file: &mut Value, id: &str) {
    for group in file["groups"].as_array_mut().unwrap() {
        group["tests"].as_array_mut().unwrap().retain(|test| test["id"] == id);
    }
}

#[test]
fn a_wrong_expectation_fails_the_run_and_is_named() {
    for (id, change, expected, got) in [
        (
            "open/known/mode-1",
            json!({"result": "valid", "message_hex": "00"}),
            "expected valid, message \"\\0\"",
            "got message \"User login successful\"",
        ),
        (
            "open/known/mode-1",
            json!({"result": "invalid", "stage": "authentication"}),
            "expected invalid at stage authentication",
            "got message",
        ),
        (
            "derive/known/mode-1",
            json!({"result": "valid", "key_hex": "00".repeat(32)}),
            "expected valid, key 0000",
            "got key 613a4c3411394e24fffe6c51994307724572e574bcd98ea8cf457c64899bfbfe",
        ),
        ("seal/known/mode-1", json!({"result": "valid", "entry_b64": "e30="}), "{}", "app-server"),
    ] {
        let folder = changed(|file| {
            only(file, id);
            test(file, id)["expect"] = change.clone();
        });
        let report = run(folder.path()).unwrap();
        assert_eq!((report.passed, report.failures.len()), (0, 1), "{id}");
        assert!(!report.is_success());
        let shown = report.failures[0].to_string();
        assert!(shown.contains(id) && shown.contains("known_answers.json"), "{shown}");
        assert!(shown.contains(expected) && shown.contains(got), "{shown}");
        assert!(!report.failures[0].effects.is_empty());
    }
}

#[test]
fn a_refusal_at_another_stage_fails_the_run() {
    let folder = changed(|file| {
        only(file, "open/known/mode-1");
        let test = test(file, "open/known/mode-1");
        test["entry_b64"] = json!("e30="); // {}
        test["expect"] = json!({"result": "invalid", "stage": "json"});
    });
    let report = run(folder.path()).unwrap();
    let failure = report.failures[0].to_string();
    assert!(failure.contains("at stage json; got refused at stage field"), "{failure}");
}

#[test]
fn acceptable_takes_a_refusal_and_the_right_outcome_but_no_other() {
    for (expect, passed) in [
        (json!({"result": "acceptable"}), 1),
        (json!({"result": "acceptable", "message_hex": "00"}), 0),
    ] {
        let folder = changed(|file| {
            only(file, "open/known/mode-1");
            test(file, "open/known/mode-1")["expect"] = expect.clone();
        });
        assert_eq!(run(folder.path()).unwrap().passed, passed, "{expect}");
    }
}

#[test]
fn a_check_finds_every_fault_at_once_and_says_what_to_do() {
    let folder = changed(|file| {
        test(file, "open/known/mode-1")["id"] = json!("seal/known/mode-1");
        test(file, "open/known/mode-2")["flags"] = json!(["Unheard"]);
        test(file, "open/known/mode-3")["iv_hex"] = json!("00");
        test(file, "derive/known/mode-1")["expect"] = json!({"result": "valid"});
        file["notes"]["Unused"] =
            json!({"effect": "none", "rule": "none", "spec": "none", "remedy": "none"});
    });
    std::fs::write(folder.path().join("open.json"), b"{\"schema\":").unwrap();
    std::fs::write(folder.path().join("seal.json"), vectors("seal.json")).unwrap();
    let none = json!({"schema": "logflux-vectors-1", "suite_version": "1.0.0",
        "notes": {}, "groups": []});
    std::fs::write(folder.path().join("other.json"), none.to_string()).unwrap();
    let error = check(folder.path()).unwrap_err();
    assert!(matches!(error, CheckError::Problems(_)), "{error:?}");
    let shown = error.to_string();
    for expected in [
        "known_answers.json: seal/known/mode-1: another test has this id: give it its own",
        "known_answers.json: seal/known/mode-1: ids of open tests begin with open/",
        "known_answers.json: open/known/mode-2: flag Unheard has no note: add one",
        "known_answers.json: open/known/mode-3: open tests have no iv_hex",
        "known_answers.json: derive/known/mode-1: valid derive tests expect exactly one outcome",
        "known_answers.json: no test has the flag of note Unused: remove it",
        "known_answers.json: line 1 is not what the generator writes: edit the generator",
        "open.json: not a vector file: EOF",
        "other.json: the generator makes no such file: remove it",
        "parse.json: missing: run `logflux vectors generate`",
    ] {
        assert!(shown.contains(expected), "{expected}\n--\n{shown}");
    }
    assert!(!shown.contains("\nseal.json"), "{shown}");
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let nowhere = Path::new("no/such/folder");
    assert!(run(nowhere).unwrap_err().to_string().starts_with("no/such/folder: "));
    let empty = TempDir::new().unwrap();
    let error = run(empty.path()).unwrap_err();
    assert!(matches!(error, LoadError::Empty { .. }));
    assert!(error.to_string().contains("logflux vectors generate"), "{error}");
    let other = changed(|file| file["schema"] = json!("logflux-vectors-2"));
    let error = run(other.path()).unwrap_err().to_string();
    assert!(error.contains("known_answers.json: schema is \"logflux-vectors-2\""), "{error}");
    let unknown = changed(|file| test(file, "open/known/mode-1")["extra"] = json!(1));
    assert!(run(unknown.path()).unwrap_err().to_string().contains("unknown field `extra`"));
}
