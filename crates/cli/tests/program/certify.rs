//! `logflux certify`: what it says of subjects that do not behave, its exit statuses and its reports.
//! The subjects here are a few words of shell; those that can do something are in `tests/subjects`.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{Ended, logflux};

const HELLO: &str = r#""name":"shell","version":"1","language":"sh","operations":["open"],"modes":[1],"key_policy":"unique""#;

/// A subject in shell that says hello, refuses everything at stage authentication, and stops.
fn refuser(otherwise: &str) -> String {
    format!(
        r#"while read -r line; do
            id=${{line#*\"id\":}}; id=${{id%%,*}}; id=${{id%\}}}}
            case $line in
            *'"op":"hello"'*) echo "{{\"id\":$id,\"ok\":{{{}}}}}";;
            *'"op":"stop"'*) echo "{{\"id\":$id,\"ok\":{{}}}}"; exit 0;;
            *) {otherwise};;
            esac
        done"#,
        HELLO.replace('"', "\\\"")
    )
}

const REFUSAL: &str = r#"echo "{\"id\":$id,\"error\":{\"stage\":\"authentication\"}}""#;

fn certify(options: &[&str], script: &str) -> Ended {
    let args = [&["certify"], options, &["--", "sh", "-c", script]].concat();
    logflux(&args).run()
}

#[test]
fn a_subject_that_misbehaves_gets_a_plain_sentence_and_status_3() {
    let hello_then = |then: &str| {
        let hello = format!(r#"{{"id":1,"ok":{{{HELLO}}}}}"#);
        format!("read -r line; echo '{hello}'; read -r line; {then}")
    };
    let mute = r#"echo '{"id":1}'"#;
    for (script, sentences) in [
        ("exit 7", &["exited with status 7 at once, before it answered `hello`"][..]),
        ("echo oh no >&2; exit 1", &["exited with status 1 at once", "standard error ends: oh no"]),
        ("kill -SEGV $$", &["was killed by signal 11 at once, before it answered `hello`"]),
        (
            "read -r l; echo Hello, world",
            &["answered `hello` with what is no JSON: \"Hello, world\""],
        ),
        ("read -r l; sleep 600", &["did not answer `hello` within 5 s"]),
        ("read -r l; echo '{\"id\":2,\"ok\":{}}'", &["with the id of another request, \"2\""]),
        ("read -r l; echo '{\"ok\":{}}'", &["answered `hello` with no id"]),
        (
            "exec 1>&-; exec sleep 600",
            &["closed its standard output before it answered `hello`, and runs on"],
        ),
        ("read -r l; yes 1>&2", &["flooded its standard error at `hello`: more than 1 MiB came"]),
        (
            "read -r l; head -c 9000000 /dev/zero | tr '\\0' x; sleep 600",
            &["a line of more than 8 MiB"],
        ),
        (&format!("read -r l; {mute}"), &["neither an object `ok`, nor an object `error`"]),
        (
            "read -r l; echo '{\"id\":1,\"ok\":{\"name\":\"x\"}}'",
            &["says too little", "missing field"],
        ),
        (
            &format!(
                "read -r l; exec 0<&-; echo '{{\"id\":1,\"ok\":{{{HELLO}}}}}'; exec sleep 600"
            ),
            &["closed its standard input before it answered `open` (request 2), and runs on"],
        ),
        (&hello_then("exit 3"), &["exited with status 3, before it answered `open` (request 2)"]),
        (&hello_then("sleep 600"), &["did not answer `open` (request 2) within 5 s"]),
        (
            &hello_then("echo '{\"id\":1,\"ok\":{}}'"),
            &["`open` (request 2) with the id of another"],
        ),
        (
            &hello_then("echo '{\"id\":2,\"ok\":{}}'"),
            &["`open` (request 2) with ok and no message_hex"],
        ),
        (
            &hello_then("echo '{\"id\":2,\"error\":{\"stage\":\"tls\"}}'"),
            &["`open` (request 2) with an error at a stage that is none, \"\\\"tls\\\"\""],
        ),
    ] {
        let begun = Instant::now();
        let ended =
            certify(&["--timeout", "5s", "--jobs", "1", "--only", "open/known/mode-1"], script);
        assert_eq!(ended.status, 3, "{script}: {}{}", ended.stdout, ended.stderr);
        for sentence in sentences {
            assert!(ended.stdout.contains(sentence), "{script}: {sentence}\n--\n{}", ended.stdout);
        }
        assert!(ended.stdout.contains("not certified: 1 "), "{}", ended.stdout);
        assert!(begun.elapsed() < Duration::from_secs(300), "{script}");
    }
}

#[test]
fn a_run_goes_on_after_a_crash_and_is_broken_off_after_the_third() {
    // It crashes at every second request.
    let script = refuser(&format!("[ \"$n\" ] && exit 9; n=1; {REFUSAL}"));
    let ended = certify(&["--jobs", "1", "--format", "json", "--only", "open/tag/*"], &script);
    assert_eq!(ended.status, 3, "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let count = |outcome: &str| {
        let cases = report["cases"].as_array().unwrap();
        cases.iter().filter(|case| case["outcome"] == outcome).count()
    };
    assert_eq!(count("crashed"), 3);
    // hello, and one request before every crash.
    assert_eq!(count("passed"), 1 + 3);
    assert!(count("not_run") > 100);
    let text = certify(&["--jobs", "1", "--only", "open/tag/*"], &script).stdout;
    assert!(text.contains("after the third such thing nothing more is asked"), "{text}");
    assert!(text.contains("not certified: 3 crashed, "), "{text}");
}

#[test]
fn a_subject_that_does_not_stop_is_told_so() {
    for (script, sentence) in [
        ("exit 4", "answered `stop`, and then exited with status 4"),
        ("exec sleep 600", "answered `stop`, and had not ended 5 s later"),
    ] {
        let script = refuser(REFUSAL).replace("exit 0", script);
        let ended = certify(&["--jobs", "1", "--only", "open/tag/flip-000"], &script);
        assert_eq!(ended.status, 3);
        assert!(ended.stdout.contains(sentence), "{}", ended.stdout);
    }
}

#[test]
fn every_exit_status_has_its_reason() {
    let refuser = refuser(REFUSAL);
    let status = |options: &[&str]| certify(options, &refuser).status;
    // What must be refused there, it refuses.
    assert_eq!(status(&["--only", "open/tag/*"]), 0);
    assert_eq!(status(&["--only", "open/known/mode-1"]), 1);
    assert_eq!(status(&["--only", "no/such/*"]), 2);
    assert_eq!(status(&["--only", "["]), 2);
    assert_eq!(status(&["--timeout", "0s"]), 2);
    // It says that it cannot parse, which every implementation must.
    assert_eq!(status(&["--only", "parse/level/*"]), 4);
    // It says that it has no mode 3, which it need not have.
    assert_eq!(status(&["--only", "open/known/mode-3"]), 0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known.txt");
    let file = file.to_str().unwrap();
    std::fs::write(file, "# a comment\n\nopen/known/mode-1 # it refuses everything\n").unwrap();
    assert_eq!(status(&["--only", "open/known/mode-1", "--expected-failures", file]), 0);
    std::fs::write(file, "open/tag/flip-000\n").unwrap();
    let ended = certify(&["--only", "open/tag/*", "--expected-failures", file], &refuser);
    assert_eq!(ended.status, 5);
    assert!(ended.stdout.contains("PASSED open/tag/flip-000, which was expected to fail"));
    std::fs::write(file, "open/no/such\n").unwrap();
    let ended = certify(&["--expected-failures", file], &refuser);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("no case fits open/no/such"), "{}", ended.stderr);
    std::fs::write(file, "open/*\nopen/[\n").unwrap();
    let ended = certify(&["--expected-failures", file], &refuser);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("known.txt: line 2: "), "{}", ended.stderr);
    let ended = logflux(&["certify", "--", "no-such-subject"]).run();
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("no-such-subject cannot be started"), "{}", ended.stderr);
    assert_eq!(logflux(&["certify"]).run().status, 2);
}

#[test]
fn a_failure_says_what_was_expected_why_it_matters_and_what_to_do() {
    let ended = certify(&["--only", "open/known/mode-1"], &refuser(REFUSAL));
    for part in [
        "FAILED open/known/mode-1 (MUST): ",
        "  expected: valid, message \"User login successful\"",
        "  got:      refused at stage authentication",
        "  rule:     With secret, message, salt, iv, node, level and timestamp given, every",
        "(PROTOCOL 2 to 5)",
        "  matters:  An honest entry does not open: the key, the cipher, or what it authenticates",
        "  fix:      ",
        "Begin here: derive the key",
        "not certified: 1 failed, 3 passed",
    ] {
        assert!(ended.stdout.contains(part), "{part}\n--\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn reports_for_programs_and_a_badge() {
    let script = refuser(REFUSAL);
    let two = &["--only", "open/known/mode-[13]", "--only", "open/tag/flip-00[01]"];
    let json = certify(&[&two[..], &["--format", "json"]].concat(), &script);
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report["schema"], "logflux-certificate-1");
    assert_eq!(report["verdict"], "not_certified");
    assert_eq!(report["exit_status"], json.status);
    assert_eq!(report["subject"]["name"], "shell");
    assert_eq!(report["counts"]["failed"], 1);
    assert_eq!(report["parts"]["vectors"]["unsupported"], 1);
    let junit = certify(&[&two[..], &["--format", "junit"]].concat(), &script).stdout;
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"shell\"",
        "<testsuite name=\"vectors\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\">",
        "<testcase classname=\"open.tag\" name=\"flip-000\"/>",
        "<testcase classname=\"open.known\" name=\"mode-1\"><failure type=\"refused\" message=\"expected valid, ",
        "<skipped message=\"mode 3 (SHOULD) is not supported\"/>",
        "</testsuites>\n",
    ] {
        assert!(junit.contains(part), "{part}\n--\n{junit}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("badge.svg");
    // It refuses everything: most of the suite fails, and it is quick.
    let ended = certify(&["--badge", file.to_str().unwrap(), "--jobs", "1"], &script);
    assert_eq!(ended.status, 1, "{}", ended.stdout);
    let badge = std::fs::read_to_string(&file).unwrap();
    assert!(badge.starts_with("<svg ") && badge.ends_with("</svg>\n"), "{badge}");
    assert!(badge.contains("LogFlux 1.1.0: not certified: "), "{badge}");
    let part = certify(&["--badge", "x.svg", "--only", "open/*"], &script);
    assert_eq!(part.status, 2, "a part of the suite earns no badge");
}

#[test]
fn the_list_names_every_case_with_its_level_and_its_sentence() {
    let list = logflux(&["certify", "--list"]).run().ok();
    assert!(list.lines().count() > 2_100, "{}", list.lines().count());
    for (id, level, sentence) in [
        (
            "open/tag/flip-007",
            "MUST",
            "An opener refuses whatever the cipher does not authenticate",
        ),
        ("open/known/mode-3", "SHOULD", "[PROTOCOL 2 to 5]"),
        ("roundtrip/mode-1/no-shared-salt", "MUST", "every entry has its own salt and key"),
        ("transport/redirect/307-to-http", "MUST", "Redirects are not followed"),
    ] {
        let line = list.lines().find(|line| line.split(' ').next() == Some(id)).unwrap();
        assert!(line.contains(level) && line.contains(sentence), "{line}");
    }
    let some = logflux(&["certify", "--list", "--only", "transport/tls/*", "--format", "json"]);
    let some: Value = serde_json::from_str(&some.run().ok()).unwrap();
    assert_eq!(some.as_array().unwrap().len(), 8);
    assert!(some[0]["rule"].is_string() && some[0]["remedy"].is_string());
}

#[test]
fn a_case_is_shown_with_its_requests_and_how_to_repeat_it() {
    let shown = logflux(&["certify", "--show", "open/tag/flip-007"]).run().ok();
    for part in [
        "open/tag/flip-007 (MUST): bit 7 of byte 0 of the tag is flipped",
        "expected: invalid at stage authentication",
        "logflux certify --only 'open/tag/flip-007' -- COMMAND",
        "logflux certify --show 'open/tag/flip-007' | grep '^{' | COMMAND",
    ] {
        assert!(shown.contains(part), "{part}\n--\n{shown}");
    }
    let requests: Vec<Value> = shown
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let operations: Vec<&str> = requests.iter().map(|r| r["op"].as_str().unwrap()).collect();
    assert_eq!(operations, ["hello", "open", "stop"]);
    assert!(requests[1]["entry_b64"].is_string() && requests[1]["secret_hex"].is_string());
    for (id, operations) in [
        ("roundtrip/mode-1/opens-ours", &["hello", "open", "open", "open", "open", "stop"][..]),
        ("roundtrip/mode-128/canonical", &["hello", "seal", "seal", "seal", "seal", "stop"]),
        ("transport/retry/status-503", &["hello", "ship", "flush", "stop"]),
        ("protocol/hello", &["hello", "stop"]),
    ] {
        let shown = logflux(&["certify", "--format", "json", "--show", id]).run().ok();
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let requests = shown["requests"].as_array().unwrap();
        let found: Vec<&str> = requests.iter().map(|r| r["op"].as_str().unwrap()).collect();
        assert_eq!(found, operations, "{id}");
        assert_eq!(shown["needs_endpoint"], id.starts_with("transport/"), "{id}");
    }
    let ended = logflux(&["certify", "--show", "no/such"]).run();
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("no case fits no/such"), "{}", ended.stderr);
}

#[test]
fn every_case_can_be_shown() {
    // In-process: there are two thousand of them.
    for case in logflux_certify::cases().unwrap().iter().step_by(41) {
        let shown = logflux_certify::show(&case.id).unwrap();
        assert!(shown.requests.len() >= 2 && !shown.expected.is_empty(), "{}", case.id);
    }
}

#[test]
fn an_endpoint_is_kept_only_for_a_case_that_has_one() {
    let keep = |id: &str| {
        logflux(&["certify", "--keep-endpoint", id, "--", "sh", "-c", &refuser(REFUSAL)]).run()
    };
    let ended = keep("open/known/mode-1");
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("open/known/mode-1 has no endpoint"), "{}", ended.stderr);
    assert_eq!(keep("no/such").status, 2);
    // It says that it cannot ship.
    let ended = keep("transport/path");
    assert_eq!(ended.status, 4, "{}", ended.stderr);
    assert!(ended.stdout.contains("lacks operation ship"), "{}", ended.stdout);
}

#[test]
fn a_profile_asks_for_its_operations_alone() {
    let list = |profile: &str| logflux(&["certify", "--list", "--profile", profile]).run().ok();
    let (reader, sender, full) = (list("reader"), list("sender"), list("full"));
    let begins = |list: &str, with: &str| list.lines().any(|line| line.starts_with(with));
    assert!(begins(&reader, "open/") && begins(&reader, "parse/"));
    assert!(!begins(&reader, "seal/") && !begins(&reader, "transport/"));
    assert!(begins(&sender, "seal/") && begins(&sender, "transport/"));
    assert!(!begins(&sender, "open/") && !begins(&sender, "parse/"));
    assert!(full.lines().count() > reader.lines().count().max(sender.lines().count()));
    let script = refuser(REFUSAL);
    let ended = certify(&["--profile", "sender", "--only", "open/*"], &script);
    assert_eq!(ended.status, 2, "{}", ended.stdout);
    assert!(ended.stderr.contains("belongs to the profile sender"), "{}", ended.stderr);
}
