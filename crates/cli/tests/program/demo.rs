//! `demo` takes a log the whole way, and `bench` measures.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::run::logflux;

#[test]
fn the_sample_comes_back_as_it_was_and_the_stored_row_is_sealed() {
    let ended = logflux(&["demo"]).run();
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("equal to the original       24 of 24 lines"),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("as the server holds it"), "{}", ended.stderr);
    assert!(ended.stderr.contains("payload"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("GET /health"), "{}", ended.stderr);
}

#[test]
fn a_file_and_standard_input_go_the_whole_way_in_every_mode_the_server_takes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    let lines: String = (0..1_234).map(|i| format!("{i} \u{1f30d} \t line\r\n")).collect();
    fs::write(&file, format!("{lines}without an end")).unwrap();
    let ended = logflux(&["demo", file.to_str().unwrap(), "--mode", "128"]).run().ok();
    assert!(ended.contains("1235 of 1235 lines"), "{ended}");
    let ended = logflux(&["demo", "-", "--key-policy", "bounded"]).input(lines).ok();
    assert!(ended.contains("1234 of 1234 lines"), "{ended}");
}

#[test]
fn a_folder_with_entries_and_an_empty_log_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let args = ["demo", "--data", data.to_str().unwrap()];
    logflux(&args).run().ok();
    let again = logflux(&args).run();
    assert_eq!(again.status, 1);
    assert!(again.stderr.contains("fresh folder"), "{}", again.stderr);
    let empty = logflux(&["demo", "-"]).run();
    assert!(empty.stderr.contains("the log is empty"), "{}", empty.stderr);
}

#[test]
fn kept_it_leaves_a_server_that_other_programs_can_use() {
    let mut call = logflux(&["demo", "--keep"]);
    let mut child =
        call.0.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut exports = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(export) = line.strip_prefix("export ") {
            let (name, value) = export.split_once('=').unwrap();
            exports.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        }
        if exports.len() == 4 {
            break;
        }
    }
    let call = |args: &[&str]| {
        exports.iter().fold(logflux(args), |call, (name, value)| call.env(name, value))
    };
    let last = call(&["query", "--limit", "1"]).run();
    let sent = call(&["send"]).input("one more\n");
    let first = call(&["query", "--limit", "1"]).run();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(last.ok().contains("GET /health"));
    assert_eq!(sent.status, 0, "{}", sent.stderr);
    assert_eq!(first.ok(), "one more\n");
}

#[test]
fn the_bench_prints_its_figures_for_programs() {
    let ended = logflux(&["bench", "--format", "json"]).run().ok();
    let figures: serde_json::Value = serde_json::from_str(&ended).unwrap();
    assert!(figures["backend"].is_string());
    for name in ["derive_one_ms", "derive_many_ms_per_key", "seal_256b_per_second"] {
        assert!(figures[name].as_f64().unwrap() > 0.0, "{name}");
    }
}
