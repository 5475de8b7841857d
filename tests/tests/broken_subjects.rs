//! The suite itself is tested here: subjects that are broken on purpose, a fault each, are refused,
//! and each for its own reason.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::BTreeSet;
use std::path::Path;

use logflux_tests::subjects::{certify, side_by_side};
use logflux_tests::{Failure, interpreter, workspace};
use serde_json::Value;

/// What is run against a fault.
#[derive(Clone, Copy)]
enum Run {
    Vectors,
    /// Of mode 1, or of mode 128.
    RoundTrips(u8),
    Transport,
}
use Run::{RoundTrips, Transport, Vectors};

/// The flags of the cases that must fail.
#[derive(Clone, Copy)]
enum Reason {
    /// These, and no others.
    Only(&'static [&'static str]),
    /// Nearly everything fails, and this one at least.
    Among(&'static str),
}
use Reason::{Among, Only};

const FAULTS: &[(&str, Run, Reason)] = &[
    ("ignores-tag", Vectors, Among("ModifiedTag")),
    ("trims-secret", Vectors, Only(&["SecretBytes"])),
    ("normalises-secret", Vectors, Only(&["SecretNormalization"])),
    ("cuts-secret-at-nul", Vectors, Only(&["SecretNul"])),
    ("cuts-secret-at-64", Vectors, Only(&["SecretLength"])),
    ("lowers-secret", Vectors, Only(&["SecretBytes", "WrongSecret"])),
    ("takes-empty-secrets", Vectors, Only(&["SecretRefused"])),
    ("iterates-100000-times", Vectors, Among("KeyDerivation")),
    ("adds-associated-data", Vectors, Among("MetadataUnauthenticated")),
    ("omits-associated-data", Vectors, Among("MetadataAuthenticated")),
    ("ignores-commitment", Vectors, Only(&["ModifiedCommitment"])),
    ("falls-back-to-mode-1", Vectors, Only(&["UnknownMode"])),
    ("takes-url-safe-base64", Vectors, Only(&["Base64Alphabet"])),
    ("takes-base64-without-padding", Vectors, Only(&["Base64Padding"])),
    ("takes-white-space-in-base64", Vectors, Only(&["Base64WhiteSpace"])),
    ("ignores-trailing-bits", Vectors, Only(&["Base64TrailingBits"])),
    ("keeps-last-of-two-keys", Vectors, Only(&["JsonDuplicateKey"])),
    ("takes-whole-floats", Vectors, Only(&["JsonType"])),
    ("stops-at-the-first-object", Vectors, Only(&["JsonSyntax"])),
    ("refuses-unknown-fields", Vectors, Only(&["JsonDepth", "JsonUnknownKey"])),
    ("replaces-broken-utf8", Vectors, Only(&["JsonEncoding"])),
    ("skips-byte-order-mark", Vectors, Only(&["JsonEncoding"])),
    ("takes-half-surrogates", Vectors, Only(&["JsonSurrogate"])),
    ("cuts-to-microseconds", Vectors, Only(&["MetadataAuthenticated", "Timestamp"])),
    ("takes-leap-seconds", Vectors, Only(&["Timestamp"])),
    ("takes-lower-case-times", Vectors, Only(&["Timestamp"])),
    ("counts-node-in-bytes", Vectors, Only(&["MetadataAuthenticated", "Node"])),
    ("takes-any-level", Vectors, Only(&["Level"])),
    ("replaces-broken-messages", Vectors, Only(&["MessageNotUtf8"])),
    ("pads-salts", Vectors, Only(&["SaltSize", "SampleSalt"])),
    ("escapes-what-is-not-ascii", RoundTrips(128), Only(&["OwnCanonical"])),
    ("writes-spaces", RoundTrips(128), Only(&["OwnCanonical"])),
    ("reuses-iv", RoundTrips(128), Only(&["RandomIv"])),
    ("counts-ivs", RoundTrips(128), Only(&["RandomIv"])),
    ("shares-salt-and-says-unique", RoundTrips(1), Only(&["RandomSalt", "SharedSalt"])),
    (
        "seeds-its-generator",
        RoundTrips(128),
        Only(&["RepeatedSaltAndIv", "SaltAfterRestart", "SharedSalt"]),
    ),
    ("draws-half-a-salt", RoundTrips(128), Only(&["RandomSalt"])),
    ("ships-text-as-payload", Transport, Among("TextAsPayload")),
    ("ships-the-message-beside", Transport, Among("MessageInClear")),
    ("ships-the-secret-in-a-header", Transport, Only(&["SecretInClear"])),
    ("puts-the-key-into-the-url", Transport, Only(&["KeyElsewhere", "Path"])),
    ("ignores-the-batch-bound", Transport, Only(&["BatchBound"])),
    ("posts-elsewhere", Transport, Only(&["Path"])),
    ("sends-no-bearer", Transport, Only(&["Authorization"])),
    ("says-text-plain", Transport, Only(&["ContentType"])),
    ("never-retries", Transport, Only(&["FlushTruth", "Hold", "Retry", "RetryAfter"])),
    ("seals-again-on-retry", Transport, Only(&["FlushTruth", "Hold", "Retry", "RetryAfter"])),
    ("ignores-retry-after", Transport, Only(&["RetryAfter"])),
    ("retries-what-is-refused", Transport, Only(&["Refused", "Split"])),
    ("drops-what-waits-for-a-key", Transport, Only(&["FlushTruth", "Hold"])),
    ("drops-a-batch-for-one-entry", Transport, Only(&["FlushTruth", "Split"])),
    ("drops-on-unknown-statuses", Transport, Only(&["Hold"])),
    ("believes-the-body", Transport, Only(&["Retry"])),
    ("takes-every-200", Transport, Only(&["FlushTruth", "Hold", "Refused"])),
    ("flush-always-fails", Transport, Among("FlushTruth")),
    (
        "flush-always-succeeds",
        Transport,
        Only(&["FlushTruth", "Redirect", "Refused", "Split", "Tls"]),
    ),
    ("flush-before-delivery", Transport, Among("FlushTruth")),
    ("ships-one-by-one-and-once", Transport, Among("Retry")),
    ("names-another-stage", Vectors, Among("ModifiedTag")),
    ("opens-nothing", Vectors, Among("KnownAnswer")),
    ("refuses-to-seal", RoundTrips(1), Among("RepeatedSaltAndIv")),
    ("follows-redirects", Transport, Only(&["KeyElsewhere", "Redirect"])),
    ("checks-no-certificate", Transport, Only(&["Tls"])),
    ("checks-no-host", Transport, Only(&["Tls"])),
    ("speaks-plain-http", Transport, Only(&["KeyElsewhere", "PlainHttp"])),
];

#[test]
fn every_broken_subject_is_refused_for_its_own_reason() -> Result<(), Failure> {
    let keys = tempfile::tempdir()?;
    // Fills the folder of keys, so that the others derive next to nothing.
    let (status, flags) = run("honest", Vectors, keys.path())?;
    assert_eq!((status, flags), (0, BTreeSet::new()));
    let results = side_by_side(FAULTS, |(fault, what, _)| run(fault, *what, keys.path()));
    let mut wrong = Vec::new();
    for ((fault, _, reason), result) in FAULTS.iter().zip(results) {
        let (status, flags) = result?;
        let right = match reason {
            Only(expected) => flags.iter().eq(expected.iter().copied()),
            Among(expected) => flags.contains(*expected),
        };
        if status != 1 || !right {
            wrong.push(format!("{fault}: status {status}, failures about {flags:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What `logflux certify` makes of a fault.
fn report(fault: &str, options: &[&str], keys: &Path) -> Result<(i32, Value), Failure> {
    let program = workspace().join("tests/subjects/broken/subject.py");
    let parts = [interpreter()?, Path::new("-B"), &program, keys, Path::new(fault)];
    let command: Vec<String> =
        parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    certify(options, &command)
}

/// Runs a fault; gives the exit status, and the flags of all that did not pass.
fn run(fault: &str, what: Run, keys: &Path) -> Result<(i32, BTreeSet<String>), Failure> {
    let options: &[&str] = match what {
        Vectors => VECTORS,
        RoundTrips(1) => &["--jobs", "1", "--only", "roundtrip/mode-1/*"],
        RoundTrips(_) => &["--jobs", "1", "--only", "roundtrip/mode-128/*"],
        Transport => TRANSPORT,
    };
    let (status, report) = report(fault, options, keys)?;
    let bad = cases(&report).into_iter().filter(|case| case["outcome"] != "passed");
    let flags = bad.map(|case| case["flag"].as_str().unwrap_or("not run").to_owned());
    Ok((status, flags.collect()))
}

const VECTORS: &[&str] = &[
    "--jobs", "1", "--only", "open/*", "--only", "parse/*", "--only", "seal/*", "--only",
    "derive/*",
];

fn cases(report: &Value) -> Vec<Value> {
    report["cases"].as_array().cloned().unwrap_or_default()
}

/// The cases with an outcome.
fn with(report: &Value, outcome: &str) -> Vec<Value> {
    cases(report).into_iter().filter(|case| case["outcome"] == outcome).collect()
}

/// What is said of the failures with a reason.
fn texts(report: &Value, reason: &str, part: &str) -> BTreeSet<String> {
    let failed = with(report, "failed").into_iter().filter(|case| case["reason"] == reason);
    failed.map(|case| case[part].as_str().unwrap_or_default().to_owned()).collect()
}

/// A fault, the options of the run, and whether status and report are right.
type Seen<'a> = (&'a str, &'a [&'a str], fn(i32, &Value) -> bool);

/// Runs faults side by side, each with what is to be seen in its report.
fn each(faults: &[Seen<'_>]) -> Result<(), Failure> {
    let keys = tempfile::tempdir()?;
    let results = side_by_side(faults, |(fault, options, _)| report(fault, options, keys.path()));
    for ((fault, _, right), result) in faults.iter().zip(results) {
        let (status, report) = result?;
        let bad = cases(&report).into_iter().filter(|case| case["outcome"] != "passed");
        let shown: Vec<String> = bad.take(3).map(|case| case.to_string()).collect();
        let counts = &report["counts"];
        assert!(
            right(status, &report),
            "{fault}: status {status}, {counts}, {}\n{}",
            report["causes"],
            shown.join("\n")
        );
    }
    Ok(())
}

/// The cases wait for most of their time.
const TRANSPORT: &[&str] = &["--jobs", "8", "--only", "transport/*"];

#[test]
fn what_is_said_of_a_failure_follows_from_what_came_out() -> Result<(), Failure> {
    each(&[
        ("names-another-stage", VECTORS, |status, report| {
            let effects = texts(report, "wrong_stage", "effect");
            let tag = with(report, "failed").into_iter().find(|case| case["flag"] == "ModifiedTag");
            status == 1
                && effects.len() == 1
                && !effects.iter().any(|effect| effect.contains("forged"))
                && tag.is_some_and(|tag| tag["said"] == "json: the tag is wrong")
                && with(report, "failed").iter().all(|case| case["reason"] == "wrong_stage")
                && report["causes"][0]["sentence"].as_str().unwrap().starts_with(
                    "`open` names stage json where it refuses at stage authentication, in ",
                )
        }),
        ("opens-nothing", VECTORS, |status, report| {
            let first = &report["causes"][0];
            status == 1
                && first["sentence"].as_str().unwrap().starts_with("No valid entry opened: ")
                && first["cases"].as_array().unwrap().len() == with(report, "failed").len()
                && first["cases"][0] == "open/known/mode-1"
        }),
        ("refuses-to-seal", &["--jobs", "1", "--only", "roundtrip/mode-1/*"], |status, report| {
            let failed = with(report, "failed");
            let sealed = failed.iter().filter(|case| case["reason"] == "not_sealed");
            status == 1
                && sealed.count() >= 7
                && failed.iter().all(|case| case["said"] == "None: no keys today")
                && !report.to_string().contains("Two messages under one key")
                && report["causes"][0]["sentence"] == "Nothing was sealed in mode 1"
        }),
        ("flush-always-fails", TRANSPORT, |status, report| {
            let said = texts(report, "flush_failed", "said");
            status == 1
                && said.iter().any(|said| said.ends_with("this flush [31m never succeeds"))
                && with(report, "failed").iter().all(|case| case["reason"] == "flush_failed")
                && report["causes"].as_array().unwrap().len() == 1
        }),
        ("flush-always-succeeds", TRANSPORT, |status, report| {
            let failed = with(report, "failed");
            status == 1 && failed.iter().all(|case| case["reason"] == "flush_untrue")
        }),
        ("flush-before-delivery", TRANSPORT, |status, report| {
            let first = report["causes"][0]["sentence"].as_str().unwrap();
            status == 1 && first.starts_with("No request arrived, in ")
        }),
        ("never-retries", TRANSPORT, |status, report| {
            let got = texts(report, "not_retried", "got");
            let doubled = "Logs are stored twice";
            status == 1
                && got.iter().all(|got| got.contains("never came again"))
                && !texts(report, "not_retried", "effect").iter().any(|e| e.contains(doubled))
                && !report.to_string().contains("\"got\":\"others\"")
                && texts(report, "resealed", "got").is_empty()
        }),
        ("ships-one-by-one-and-once", TRANSPORT, |status, report| {
            let got = texts(report, "not_retried", "got");
            status == 1
                && got.iter().any(|got| got.ends_with("other entries came"))
                && texts(report, "resealed", "got").is_empty()
        }),
        ("seals-again-on-retry", TRANSPORT, |status, report| {
            status == 1
                && !texts(report, "resealed", "got").is_empty()
                && texts(report, "not_retried", "got").is_empty()
        }),
    ])
}

#[test]
fn a_subject_that_is_only_different_passes() -> Result<(), Failure> {
    each(&[
        ("ships-one-by-one", TRANSPORT, |status, _| status == 0),
        // 250 keys of 60 ms and more take longer than any request may: there is time for each.
        (
            "derives-slowly",
            &["--timeout", "8s", "--jobs", "2", "--only", "transport/[bd]*"],
            |status, report| status == 0 && report["counts"]["passed"] == 5,
        ),
        ("reads-only", &["--profile", "reader", "--jobs", "2"], |status, report| {
            status == 0
                && report["profile"] == "reader"
                && report["verdict"] == "certified"
                && report["parts"]["transport"]["total"] == 0
        }),
        ("reads-only", &["--only", "parse/*", "--only", "transport/path"], |status, _| status == 4),
        ("sends-only", &["--profile", "sender", "--jobs", "4"], |status, report| {
            status == 0
                && report["verdict"] == "certified"
                && !report.to_string().contains("\"open/known")
        }),
    ])
}

#[test]
fn what_no_subject_may_do_is_named_and_the_rest_is_judged() -> Result<(), Failure> {
    const PARSE: &str = "parse/level/*";
    const ONE: &str = "open/known/mode-1";
    each(&[
        ("answers-twice", &["--only", PARSE, "--only", ONE], |status, report| {
            let broken = with(report, "broke_protocol");
            status == 3
                && broken.len() == 1
                && broken[0]["id"] == "protocol/answers"
                && broken[0]["sentence"].as_str().unwrap().contains("it answers twice")
                && report["counts"]["not_run"] == 0
        }),
        ("logs-to-stdout", &["--only", PARSE, "--only", ONE], |status, report| {
            let broken = with(report, "broke_protocol");
            status == 3
                && broken.len() == 1
                && broken[0]["sentence"].as_str().unwrap().contains("DEBUG: an answer follows")
                && report["counts"]["not_run"] == 0
        }),
        ("answers-ok-and-nothing", &["--only", "open/*", "--only", PARSE], |status, report| {
            let broken = with(report, "broke_protocol");
            status == 3
                && broken.len() > 100
                && report["counts"]["not_run"] == 0
                && broken.iter().all(|case| {
                    case["sentence"].as_str().unwrap().contains("with ok and no message_hex")
                })
        }),
        ("dies-at-a-long-secret", &["--only", "derive/secret/*"], |status, report| {
            let crashed = with(report, "crashed");
            status == 3
                && !crashed.is_empty()
                && report["counts"]["not_run"] == 0
                && crashed[0]["sentence"].as_str().unwrap().contains("was killed by signal 11")
        }),
        (
            "answers-late",
            &["--timeout", "15s", "--jobs", "1", "--only", ONE, "--only", PARSE],
            |status, report| {
                let late = with(report, "timed_out");
                status == 3
                    && late.len() == 1
                    && late[0]["sentence"].as_str().unwrap().contains("within 15 s")
                    && late[0]["remedy"].as_str().unwrap().contains("--timeout")
                    && report["counts"]["not_run"] == 0
            },
        ),
        ("floods-stdout", &["--only", ONE, "--only", PARSE], |status, report| {
            let broken = with(report, "broke_protocol");
            status == 3
                && broken.len() == 1
                && broken[0]["sentence"].as_str().unwrap().contains("flooded its standard output")
                && report["counts"]["not_run"] == 0
        }),
        ("floods-stderr", &["--only", ONE, "--only", PARSE], |status, report| {
            let broken = with(report, "broke_protocol");
            status == 3
                && broken.len() == 1
                && broken[0]["sentence"].as_str().unwrap().contains("flooded its standard error")
        }),
        ("dies-at-ship", TRANSPORT, |status, report| {
            status == 3 && with(report, "crashed").len() == 3 && !with(report, "not_run").is_empty()
        }),
        // All four at a time hang: three are counted, and the others were not run.
        (
            "hangs-at-ship",
            &["--timeout", "15s", "--jobs", "4", "--only", "transport/*"],
            |status, report| {
                status == 3
                    && with(report, "timed_out").len() == 3
                    && report["counts"]["timed_out"] == 3
                    && with(report, "not_run").len() > 60
            },
        ),
    ])
}

#[test]
fn a_time_out_can_be_an_expected_failure() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let known = folder.path().join("known.txt");
    std::fs::write(&known, "transport/path\ntransport/delivers\ntransport/[ac]*-*\n")?;
    let known = known.to_string_lossy().into_owned();
    let options = [
        &["--timeout", "15s", "--jobs", "4", "--expected-failures", &known][..],
        &[
            "--only",
            "transport/path",
            "--only",
            "transport/delivers",
            "--only",
            "transport/[ac]*-*",
        ],
        &["--only", "parse/level/*"],
    ]
    .concat();
    let (status, report) = report("hangs-at-ship", &options, folder.path())?;
    assert_eq!((status, &report["verdict"]), (0, &"known_failures".into()), "{report}");
    assert_eq!(report["counts"]["timed_out"], 4, "{report}");
    assert_eq!(report["counts"]["not_run"], 0, "{report}");
    Ok(())
}

#[test]
fn every_fault_is_tried() -> Result<(), Failure> {
    let program = workspace().join("tests/subjects/broken/subject.py");
    let listed = std::process::Command::new(interpreter()?).arg("-B").arg(program).output()?;
    let listed = String::from_utf8(listed.stdout)?;
    let source = std::fs::read_to_string(workspace().join(file!()))?;
    let tried = |fault: &&str| source.contains(&format!("\"{fault}\""));
    let untried: Vec<&str> = listed.lines().filter(|fault| !tried(fault)).collect();
    assert!(untried.is_empty(), "{untried:?}");
    let known: BTreeSet<&str> = listed.lines().collect();
    assert!(FAULTS.iter().all(|(fault, ..)| known.contains(fault)));
    Ok(())
}
