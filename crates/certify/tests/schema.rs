//! The committed vectors fit `schema.json`, and the schema refuses what does not fit.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

fn read(name: &str) -> Value {
    let path = folder().join(name);
    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
}

fn schema() -> jsonschema::Validator {
    let schema = read("schema.json");
    assert!(jsonschema::meta::is_valid(&schema), "schema.json is no JSON Schema");
    jsonschema::draft202012::new(&schema).unwrap()
}

#[test]
fn every_vector_file_fits_the_schema() {
    let schema = schema();
    let mut files = 0;
    for entry in folder().read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".json") || name == "schema.json" {
            continue;
        }
        files += 1;
        let file = read(&name);
        let errors: Vec<String> = schema
            .iter_errors(&file)
            .take(10)
            .map(|error| format!("{name}: {}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
    assert_eq!(files, 5);
}

/// A file of one test, which is changed before it is validated.
fn file(operation: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut test = json!({
        "id": format!("{operation}/topic/case"), "level": "MUST", "flags": ["Flag"],
        "comment": "what it is", "entry_b64": "e30=",
        "expect": {"result": "valid", "message_hex": "00"}
    });
    change(&mut test);
    json!({
        "schema": "logflux-vectors-1", "suite_version": "1.0.0",
        "notes": {"Flag": {"effect": "what goes wrong", "rule": "the rule",
            "spec": "where the rule is", "remedy": "where to look"}},
        "groups": [{"operation": operation, "secret_hex": "00", "tests": [test]}]
    })
}

#[test]
fn the_schema_refuses_what_does_not_fit() {
    let schema = schema();
    let good = file("open", |_| {});
    assert!(schema.is_valid(&good), "{:?}", schema.validate(&good));
    for (what, wrong) in [
        ("a part that no test has", file("open", |t| t["extra"] = json!(1))),
        ("a part of another operation", file("open", |t| t["iv_hex"] = json!("00"))),
        ("no outcome", file("open", |t| t["expect"] = json!({"result": "valid"}))),
        ("no such result", file("open", |t| t["expect"] = json!({"result": "maybe"}))),
        ("no such stage", {
            file("open", |t| t["expect"] = json!({"result": "invalid", "stage": "tls"}))
        }),
        ("a valid test with a stage", file("open", |t| t["expect"]["stage"] = json!("json"))),
        ("an invalid test with an outcome", {
            file("open", |t| t["expect"]["result"] = json!("invalid"))
        }),
        ("no flag", file("open", |t| t["flags"] = json!([]))),
        ("hexadecimal in upper case", file("open", |t| t["expect"]["message_hex"] = json!("AA"))),
        ("base64 without padding", file("open", |t| t["entry_b64"] = json!("e30"))),
        ("two entries", file("open", |t| t["entry_runs"] = json!([{"b64": "", "times": 1}]))),
        ("an id of another operation", file("open", |t| t["id"] = json!("parse/a/b"))),
        ("a secret without need", file("parse", |t| t["expect"] = json!({"result": "valid"}))),
        ("nothing to seal", file("seal", |_| {})),
        ("nothing to derive", file("derive", |_| {})),
    ] {
        assert!(!schema.is_valid(&wrong), "{what}: {wrong}");
    }
}
