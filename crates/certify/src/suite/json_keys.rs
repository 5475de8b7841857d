//! Keys that stand twice, are missing, or that no entry has.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, acceptable, invalid, message, refused, valid};
use super::draft::quoted;
use super::error::GenerateError;
use super::recipe::{MESSAGE, Recipe, SECRET};

const FIELDS: [&str; 7] =
    ["node", "payload", "loglevel", "timestamp", "encryption_mode", "iv", "salt"];

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let base = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    for field in FIELDS {
        let case =
            Case::must(format!("parse/missing/{field}"), "JsonMissingKey", format!("no {field}"));
        suite.parse(case, base.without(field).json(), invalid(Stage::Field));

        let again = base.and(&quoted(field), base.value(field));
        for (operation, open) in [("parse", false), ("open", true)] {
            let case = Case::must(
                format!("{operation}/duplicate/{field}"),
                "JsonDuplicateKey",
                format!("{field} stands twice with the same value"),
            );
            if open {
                suite.open(case, SECRET, &again, invalid(Stage::Json));
            } else {
                suite.parse(case, again.json(), invalid(Stage::Json));
            }
        }

        let mut letters = field.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        let upper: String = first.into_iter().chain(letters).collect();
        let case = Case::must(
            format!("parse/other-case/{field}"),
            "JsonMissingKey",
            format!("{upper} is not {field}"),
        );
        suite.parse(case, base.with_key(field, &quoted(&upper)).json(), invalid(Stage::Field));
    }

    let twice = [
        ("other-first", "another iv before the right one", {
            let iv = base.value("iv").to_owned();
            base.with_text("iv", "AAAAAAAAAAAAAAAA").and("\"iv\"", iv)
        }),
        (
            "other-last",
            "another iv behind the right one",
            base.and("\"iv\"", "\"AAAAAAAAAAAAAAAA\""),
        ),
        ("escaped", "the same key once with an escape", base.and(r#""\u0069v""#, base.value("iv"))),
        ("unknown", "a key that no entry has, twice", base.and("\"x\"", "1").and("\"x\"", "1")),
        (
            "unknown-escaped",
            "such a key, once with an escape",
            base.and("\"x\"", "1").and(r#""\u0078""#, "2"),
        ),
        ("level-other", "two levels", base.and("\"loglevel\"", "1")),
        ("mode-other", "two modes", base.and("\"encryption_mode\"", "3")),
    ];
    for (name, comment, altered) in twice {
        let case = |operation: &str| {
            Case::must(format!("{operation}/duplicate-key/{name}"), "JsonDuplicateKey", comment)
        };
        suite.parse(case("parse"), altered.json(), invalid(Stage::Json));
        suite.open(case("open"), SECRET, &altered, invalid(Stage::Json));
    }

    // Two faults at once: a reader may see either of them first.
    let null = base.and("\"iv\"", "null");
    let comment = "null behind the right iv: a duplicate, and a wrong type";
    let case = Case::must("parse/duplicate-key/null-last", "JsonDuplicateKey", comment);
    suite.parse(case, null.json(), refused());
    let case = Case::must("open/duplicate-key/null-last", "JsonDuplicateKey", comment);
    suite.open(case, SECRET, &null, refused());

    let unknown = [
        ("message", "a plaintext beside the entry", base.and("\"message\"", "\"User login\"")),
        ("null", "null", base.and("\"x\"", "null")),
        ("object", "an object that looks like an entry", base.and("\"x\"", base.text())),
        ("number", "a number that no machine holds", base.and("\"x\"", "1e999999")),
        ("empty-key", "an empty key", base.and("\"\"", "1")),
        ("nul-key", "a NUL in a key", base.and(r#""node\u0000""#, "1")),
        (
            "prototype",
            "a key that is special in JavaScript",
            base.and("\"__proto__\"", "{\"node\":\"x\"}"),
        ),
        (
            "many",
            "a hundred of them",
            (0..100).fold(base.clone(), |draft, i| draft.and(&format!("\"x{i}\""), "[]")),
        ),
    ];
    for (name, comment, more) in unknown {
        let id = format!("open/unknown-key/{name}");
        let case = Case::must(id, "JsonUnknownKey", format!("{comment}: an opener ignores it"));
        let opened = message(MESSAGE);
        let expect = if name == "number" { acceptable(opened) } else { opened };
        suite.open(case, SECRET, &more, expect);
        let id = format!("parse/unknown-key/{name}");
        let comment = format!("{comment}: an opener ignores it, the ingest API refuses it");
        let case = Case::must(id, "JsonUnknownKey", comment);
        suite.parse(case, more.json(), acceptable(valid()));
    }
    let case = Case::must("parse/missing/all", "JsonMissingKey", "an object with nothing in it");
    suite.parse(case, "{}", invalid(Stage::Field));
    Ok(())
}
