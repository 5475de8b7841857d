//! Modes that do not exist, and entries under another mode's number.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Instead, Suite, invalid, refused};
use super::error::GenerateError;
use super::recipe::{Recipe, SECRET};

/// Numbers at the edges of what exists.
const NONE: &[u64] = &[0, 5, 6, 16, 64, 100, 126, 127, 129, 130, 254, 255, 256, 257, 384, 65_537];

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let standard = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    for &number in NONE {
        let altered = standard.with_mode(number);
        let comment = format!("a valid entry of mode 1 that says mode {number}");
        let case = Case::must(format!("open/unknown-mode/{number:05}"), "UnknownMode", &comment);
        suite.open(case, SECRET, &altered, invalid(Stage::Mode));
        let case = Case::must(format!("parse/unknown-mode/{number:05}"), "UnknownMode", comment);
        suite.parse(case, altered.json(), invalid(Stage::Mode));
        let case = Case::must(
            format!("seal/unknown-mode/{number:05}"),
            "UnknownMode",
            format!("sealing in mode {number}: there is no fallback"),
        );
        let instead = Instead { mode: Some(number), ..Instead::default() };
        suite.seal_refused(case, &Recipe::new(Mode::Pbkdf2), instead, invalid(Stage::Mode));
    }
    for (name, value) in [("minus-1", "-1"), ("minus-128", "-128"), ("4294967297", "4294967297")] {
        let altered = standard.with_raw("encryption_mode", value);
        let case = Case::must(
            format!("parse/unknown-mode/{name}"),
            "UnknownMode",
            format!("mode {value}, which is 1 or 128 in too few bits"),
        );
        suite.parse(case, altered.json(), invalid(Stage::Mode));
    }
    for (name, value) in [("2-to-the-64", "18446744073709551616"), ("minus-zero", "-0")] {
        // No mode; many a reader of JSON does not have it as an integer, either.
        let altered = standard.with_raw("encryption_mode", value);
        let case = Case::must(
            format!("parse/unknown-mode/{name}"),
            "UnknownMode",
            format!("mode {value}, at the edge of what readers take for an integer"),
        );
        suite.parse(case, altered.json(), refused());
    }

    for (sealed, said) in [
        (Mode::Pbkdf2, Mode::Scrypt),
        (Mode::Pbkdf2, Mode::Argon2),
        (Mode::Argon2, Mode::Pbkdf2),
        (Mode::Argon2, Mode::ChaCha20Argon2),
        (Mode::ChaCha20Argon2, Mode::Argon2),
        (Mode::Hkdf, Mode::Pbkdf2),
    ] {
        let altered = suite.draft(&Recipe::new(sealed))?.with_mode(said.number().into());
        let case = Case::must(
            format!("open/other-mode/{}-as-{}", sealed.number(), said.number()),
            "OtherMode",
            format!("sealed in mode {}, and says {}", sealed.number(), said.number()),
        );
        suite.open(case.of(said), SECRET, &altered, invalid(Stage::Authentication));
    }
    let long = Recipe::new(Mode::Pbkdf2).message("a message as long as a commitment is");
    let altered = suite.draft(&long)?.with_mode(128);
    let case = Case::must(
        "open/other-mode/1-as-128",
        "OtherMode",
        "sealed in mode 1, long enough for mode 128, and says 128",
    );
    suite.open(case.should(), SECRET, &altered, invalid(Stage::Authentication));
    Ok(())
}
