//! The eight levels, and what is none.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, invalid, valid};
use super::error::GenerateError;
use super::recipe::Recipe;

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let base = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    for level in 1..=8_u64 {
        let case = Case::must(format!("parse/level/{level}"), "Level", "a level that exists");
        suite.parse(case, base.with_raw("loglevel", level.to_string()).json(), valid());
        let case = Case::must(format!("seal/level/{level}"), "Level", "a level that exists");
        suite.seal(case, &Recipe::new(Mode::Pbkdf2).loglevel(level))?;
    }
    for wrong in [
        "0",
        "9",
        "10",
        "-1",
        "-7",
        "-0",
        "256",
        "263",
        "65543",
        "4294967303",
        "18446744073709551615",
        "18446744073709551616",
        "100000000000000000000000000000007",
    ] {
        let case = Case::must(
            format!("parse/level/not-{wrong}"),
            "Level",
            "a number that is no level, nor one in too few bits",
        );
        suite.parse(case, base.with_raw("loglevel", wrong).json(), invalid(Stage::Field));
    }
    for level in [0, 9, 256] {
        let case = Case::must(format!("seal/level/not-{level}"), "Level", "no level: not sealed");
        let recipe = Recipe::new(Mode::Pbkdf2).loglevel(level);
        suite.seal_refused(case, &recipe, <_>::default(), invalid(Stage::Field));
    }
    Ok(())
}
