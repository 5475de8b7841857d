//! The suite itself is tested here: subjects that are broken on purpose, a fault each, are refused,
//! and each for its own reason.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::BTreeSet;
use std::path::Path;

use logflux_tests::subjects::{certify, side_by_side};
use logflux_tests::{Failure, interpreter, workspace};

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
    ("ships-the-message-beside", Transport, Among("MessageInClear")),
    ("ships-the-secret-in-a-header", Transport, Only(&["SecretInClear"])),
    ("puts-the-key-into-the-url", Transport, Only(&["KeyElsewhere", "Path"])),
    ("ignores-the-batch-bound", Transport, Only(&["BatchBound"])),
    ("posts-elsewhere", Transport, Only(&["Path"])),
    ("sends-no-bearer", Transport, Only(&["Authorization"])),
    ("says-text-plain", Transport, Only(&["ContentType"])),
    ("never-retries", Transport, Only(&["Hold", "Retry", "RetryAfter"])),
    ("seals-again-on-retry", Transport, Only(&["Hold", "Retry"])),
    ("ignores-retry-after", Transport, Only(&["RetryAfter"])),
    ("retries-what-is-refused", Transport, Only(&["Refused", "Split"])),
    ("drops-what-waits-for-a-key", Transport, Only(&["Hold"])),
    ("drops-a-batch-for-one-entry", Transport, Only(&["Split"])),
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

/// Runs a fault; gives the exit status, and the flags of all that did not pass.
fn run(fault: &str, what: Run, keys: &Path) -> Result<(i32, BTreeSet<String>), Failure> {
    let program = workspace().join("tests/subjects/broken/subject.py");
    let parts = [interpreter()?, Path::new("-B"), &program, keys, Path::new(fault)];
    let command: Vec<String> =
        parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let options: &[&str] = match what {
        Vectors => {
            &["--only", "open/*", "--only", "parse/*", "--only", "seal/*", "--only", "derive/*"]
        }
        RoundTrips(1) => &["--only", "roundtrip/mode-1/*"],
        RoundTrips(_) => &["--only", "roundtrip/mode-128/*"],
        Transport => &["--only", "transport/*"],
    };
    let (status, report) = certify(options, &command)?;
    let cases = report["cases"].as_array().cloned().unwrap_or_default();
    let bad = cases.iter().filter(|case| case["outcome"] != "passed");
    let flags = bad.map(|case| case["flag"].as_str().unwrap_or("not run").to_owned());
    Ok((status, flags.collect()))
}

#[test]
fn every_fault_is_tried() -> Result<(), Failure> {
    let program = workspace().join("tests/subjects/broken/subject.py");
    let listed = std::process::Command::new(interpreter()?).arg("-B").arg(program).output()?;
    let listed = String::from_utf8(listed.stdout)?;
    let known: BTreeSet<&str> = FAULTS.iter().map(|(fault, ..)| *fault).chain(["honest"]).collect();
    assert_eq!(listed.lines().collect::<BTreeSet<_>>(), known);
    Ok(())
}
