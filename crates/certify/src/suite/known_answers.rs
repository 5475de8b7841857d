//! Known answers of every mode, both ways, and the key between them.

use logflux_envelope::Mode;

use super::builder::{Case, Suite, message};
use super::error::GenerateError;
use super::recipe::{Recipe, counting};

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    for mode in Mode::ALL {
        add_recipe(suite, &format!("mode-{}", mode.number()), &Recipe::new(mode))?;
    }
    // Nothing in it is ASCII where it need not be.
    let unicode = |mode| {
        Recipe::new(mode)
            .secret("sëcrét-with-ünïcødé")
            .salt_from(200)
            .iv_from(0)
            .node("bär-01")
            .loglevel(4)
            .timestamp("2024-01-17T10:30:45.120Z")
            .message("世界! 🌍")
    };
    for mode in Mode::ALL {
        add_recipe(suite, &format!("unicode-mode-{}", mode.number()), &unicode(mode))?;
    }
    let salts = [("zeros", [0; 32]), ("ones", [0xff; 32]), ("from-128", counting(128))];
    for (name, salt) in salts {
        for mode in Mode::ALL {
            let case = Case::must(
                format!("derive/salt/{name}-mode-{}", mode.number()),
                "KeyDerivation",
                format!("{mode} with an unusual salt"),
            );
            suite.derive(case.of(mode), "correct horse battery staple", mode, salt)?;
        }
    }
    // Keys of one epoch, and one entry salt in two epochs.
    for (name, epoch, entry) in [("a", 1, 1), ("b", 1, 2), ("c", 2, 1)] {
        let mut salt = [epoch; 32];
        if let Some((_, half)) = salt.split_first_chunk_mut::<16>() {
            half.fill(entry);
        }
        let case = Case::must(
            format!("derive/epoch/{name}"),
            "KeyDerivation",
            format!("epoch salt of {epoch}s, entry salt of {entry}s"),
        );
        suite.derive(case.should(), "correct horse battery staple", Mode::Hkdf, salt)?;
    }
    Ok(())
}

fn add_recipe(suite: &mut Suite<'_>, name: &str, recipe: &Recipe) -> Result<(), GenerateError> {
    let mode = recipe.mode;
    let case = |operation: &str, comment: String| {
        Case::must(format!("{operation}/known/{name}"), "KeyDerivation", comment)
            .of(mode)
            .known_answer()
    };
    suite.derive(case("derive", format!("{mode}: the key")), &recipe.secret, mode, recipe.salt)?;
    suite.seal(case("seal", format!("{mode}: the canonical entry")), recipe)?;
    let draft = suite.draft(recipe)?;
    let opened = message(recipe.message.clone());
    suite.open(case("open", format!("{mode}: the message")), &recipe.secret, &draft, opened);
    Ok(())
}
