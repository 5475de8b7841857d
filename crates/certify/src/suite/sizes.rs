//! Lengths of iv, salt and payload, around every bound.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Instead, Suite, invalid, valid};
use super::error::GenerateError;
use super::recipe::{Recipe, SECRET};
use crate::encoding::Base64;
use crate::model::Run;

/// The salt that the first published description of the protocol shows: 31 bytes.
const SAMPLE_SALT: &str = "c2FsdDMyYnl0ZXNsb25nZm9ya2V5ZGVyaXZhdGlvbg==";

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let base = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    for len in [0, 1, 3, 8, 11, 13, 15, 16, 24] {
        let case = |operation: &str| {
            let id = format!("{operation}/iv/length-{len:02}");
            Case::must(id, "IvSize", format!("an iv of {len} bytes"))
        };
        let iv: Vec<u8> = (100..).take(len).collect();
        suite.parse(case("parse"), base.with_iv(iv.clone()).json(), invalid(Stage::Size));
        suite.open(case("open"), SECRET, &base.with_iv(iv.clone()), invalid(Stage::Size));
        let instead = Instead { iv: Some(iv), ..Instead::default() };
        let recipe = Recipe::new(Mode::Pbkdf2);
        suite.seal_refused(case("seal").should(), &recipe, instead, invalid(Stage::Size));
    }
    for len in [0, 1, 15, 16, 30, 31, 33, 34, 48, 64] {
        let case = |operation: &str| {
            let id = format!("{operation}/salt/length-{len:02}");
            Case::must(id, "SaltSize", format!("a salt of {len} bytes"))
        };
        let salt: Vec<u8> = (0..).take(len).collect();
        suite.parse(case("parse"), base.with_salt(salt.clone()).json(), invalid(Stage::Size));
        suite.open(case("open"), SECRET, &base.with_salt(salt.clone()), invalid(Stage::Size));
        let instead = Instead { salt: Some(salt), ..Instead::default() };
        let recipe = Recipe::new(Mode::Pbkdf2);
        suite.seal_refused(case("seal").should(), &recipe, instead, invalid(Stage::Size));
    }
    let sample = base.with_text("salt", SAMPLE_SALT);
    let case = |operation: &str| {
        Case::must(
            format!("{operation}/salt/published-sample"),
            "SampleSalt",
            "the sample salt of the published description says 32 bytes and has 31",
        )
    };
    suite.parse(case("parse"), sample.json(), invalid(Stage::Size));
    suite.open(case("open"), SECRET, &sample, invalid(Stage::Size));

    for (mode, shortest) in Mode::ALL.map(|mode| (mode, if mode == Mode::Hkdf { 48 } else { 16 })) {
        let base = base.with_mode(mode.number().into());
        for len in [0, 1, 12, 15, 16, 17, 31, 32, 47, 48, 49, 64] {
            let case = Case::must(
                format!("parse/mode-{}/payload/length-{len:02}", mode.number()),
                "PayloadSize",
                format!("{len} bytes; an empty message has {shortest}"),
            );
            // No letter of it could be taken for text.
            let entry = base.with_payload(vec![0x81; len]).json();
            let expect = if len < shortest { invalid(Stage::Size) } else { valid() };
            suite.parse(case.of(mode), entry, expect);
        }
    }
    add_long(suite, &base.with_text("payload", "PAYLOAD").text());
    Ok(())
}

/// Payloads around 1,048,576 characters, in runs.
fn add_long(suite: &mut Suite<'_>, entry: &str) {
    let Some((before, after)) = entry.split_once("PAYLOAD") else { return };
    let run = |bytes: &str, times| Run { b64: Base64(bytes.as_bytes().to_vec()), times };
    for (name, comment, letters, end, expect) in [
        ("longest", "1,048,576 characters, the most", 262_144, "", valid()),
        ("longest-padded", "1,048,576 characters with padding", 262_143, "gQ==", valid()),
        ("too-long", "1,048,580 characters", 262_145, "", invalid(Stage::Size)),
        (
            "too-long-padded",
            "1,048,580 characters with padding",
            262_144,
            "gQ==",
            invalid(Stage::Size),
        ),
        ("much-too-long", "4 MiB", 1_048_576, "", invalid(Stage::Size)),
    ] {
        let runs = vec![run(before, 1), run("gYGB", letters), run(end, 1), run(after, 1)];
        let case = Case::must(format!("parse/payload/{name}"), "PayloadSize", comment);
        suite.parse_runs(case, runs, expect);
    }
}
