//! Values of a type that the field has not.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, invalid};
use super::error::GenerateError;
use super::recipe::{Recipe, SECRET};

/// Not a string.
const NO_TEXT: &[(&str, &str)] = &[
    ("null", "null"),
    ("number", "7"),
    ("true", "true"),
    ("array", "[]"),
    ("array-of-text", "[\"x\"]"),
    ("object", "{}"),
];

/// Not a JSON integer, though many a parser would take it for one.
const NO_INTEGER: &[(&str, &str)] = &[
    ("null", "null"),
    ("fraction-zero", "1.0"),
    ("fraction", "1.5"),
    ("exponent", "1e0"),
    ("exponent-upper", "1E0"),
    ("exponent-minus", "10e-1"),
    ("string", "\"1\""),
    ("string-name", "\"info\""),
    ("string-empty", "\"\""),
    ("true", "true"),
    ("false", "false"),
    ("array", "[1]"),
    ("object", "{}"),
];

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let base = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    let mut add = |field: &str, name: &str, value: &str| {
        let comment = format!("{field} is {value}");
        let altered = base.with_raw(field, value);
        let case = |operation: &str| {
            Case::must(format!("{operation}/type/{field}-{name}"), "JsonType", &comment)
        };
        suite.parse(case("parse"), altered.json(), invalid(Stage::Field));
        if name == "null" {
            suite.open(case("open"), SECRET, &altered, invalid(Stage::Field));
        }
    };
    for field in ["node", "payload", "timestamp", "iv", "salt"] {
        for (name, value) in NO_TEXT {
            add(field, name, value);
        }
    }
    for field in ["loglevel", "encryption_mode"] {
        for (name, value) in NO_INTEGER {
            add(field, name, value);
        }
    }
    // The bytes as numbers, as a serialiser writes that knows no base64.
    add("iv", "byte-array", "[100,101,102,103,104,105,106,107,108,109,110,111]");
    add("loglevel", "seven-fraction", "7.0");
    add("loglevel", "seven-exponent", "7e0");
    add("loglevel", "seven-string", "\"7\"");
    Ok(())
}
