//! Node, level and timestamp altered: modes 1 to 4 cannot tell, mode 128 refuses.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, invalid, message};
use super::draft::Draft;
use super::error::GenerateError;
use super::recipe::{MESSAGE, Recipe, SECRET};

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    for mode in Mode::ALL {
        let draft = suite.draft(&Recipe::new(mode))?;
        for (name, altered) in altered(&draft) {
            let id = format!("open/mode-{}/metadata/{name}", mode.number());
            if mode == Mode::Hkdf {
                let case = Case::must(id, "MetadataAuthenticated", "altered, and so refused");
                suite.open(case.should(), SECRET, &altered, invalid(Stage::Authentication));
            } else {
                let case = Case::must(id, "MetadataUnauthenticated", "altered, and still opens");
                suite.open(case.of(mode), SECRET, &altered, message(MESSAGE));
            }
        }
    }
    let draft = suite.draft(&Recipe::new(Mode::Hkdf))?;
    // The same moment in other words is the same.
    for (name, timestamp) in [
        ("offset-east", "2024-01-17T12:30:45+02:00"),
        ("offset-west", "2024-01-16T23:00:45-11:30"),
        ("offset-minus-zero", "2024-01-17T10:30:45-00:00"),
        ("one-zero", "2024-01-17T10:30:45.0Z"),
        ("nine-zeros", "2024-01-17T10:30:45.000000000Z"),
    ] {
        let case = Case::must(
            format!("open/mode-128/timestamp/{name}"),
            "MetadataAuthenticated",
            "the moment is authenticated, not its spelling",
        );
        let same = draft.with_text("timestamp", timestamp);
        suite.open(case.should(), SECRET, &same, message(MESSAGE));
    }
    // What the associated data must hold exactly.
    let long = "n".repeat(255);
    let astral = "🌍".repeat(255);
    for (name, comment, recipe) in [
        (
            "fraction",
            "nanoseconds",
            Recipe::new(Mode::Hkdf).timestamp("2024-01-17T10:30:45.123456789Z"),
        ),
        (
            "milliseconds",
            "milliseconds",
            Recipe::new(Mode::Hkdf).timestamp("2024-01-17T10:30:45.120Z"),
        ),
        (
            "before-epoch",
            "negative seconds with a positive fraction",
            Recipe::new(Mode::Hkdf).timestamp("1969-12-31T23:59:58.500Z"),
        ),
        (
            "earliest",
            "the earliest time",
            Recipe::new(Mode::Hkdf).timestamp("0001-01-01T00:00:00Z"),
        ),
        (
            "latest",
            "the latest time",
            Recipe::new(Mode::Hkdf).timestamp("9999-12-31T23:59:59.999999999Z"),
        ),
        ("node-255", "a node of 255 bytes", Recipe::new(Mode::Hkdf).node(&long)),
        (
            "node-1020",
            "a node of 255 characters and 1,020 bytes",
            Recipe::new(Mode::Hkdf).node(&astral),
        ),
        (
            "node-quoted",
            "the node's characters, not their escapes",
            Recipe::new(Mode::Hkdf).node("a\"b\\c/d"),
        ),
        (
            "node-nfd",
            "the node's bytes, not normalised",
            Recipe::new(Mode::Hkdf).node("ba\u{308}r"),
        ),
        ("level-1", "the level's number", Recipe::new(Mode::Hkdf).loglevel(1)),
        ("level-8", "the level's number", Recipe::new(Mode::Hkdf).loglevel(8)),
    ] {
        let case = |operation: &str| {
            let id = format!("{operation}/mode-128/associated/{name}");
            Case::must(id, "MetadataAuthenticated", comment).should()
        };
        suite.seal(case("seal"), &recipe)?;
        let draft = suite.draft(&recipe)?;
        suite.open(case("open"), SECRET, &draft, message(MESSAGE));
    }
    let escaped = draft.with_raw("node", r#""\u0061pp-server-01""#);
    let case = Case::must(
        "open/mode-128/associated/node-escaped",
        "MetadataAuthenticated",
        "an escape that need not be changes nothing",
    );
    suite.open(case.should(), SECRET, &escaped, message(MESSAGE));
    Ok(())
}

fn altered(draft: &Draft) -> Vec<(String, Draft)> {
    let mut altered: Vec<(String, Draft)> = (1..=8)
        .filter(|level| *level != 7)
        .map(|level| (format!("level-{level}"), draft.with_raw("loglevel", level.to_string())))
        .collect();
    for (name, timestamp) in [
        ("time-second-later", "2024-01-17T10:30:46Z"),
        ("time-nanosecond-later", "2024-01-17T10:30:45.000000001Z"),
        ("time-other-zone", "2024-01-17T10:30:45+01:00"),
        ("time-year-1", "0001-01-01T00:00:00Z"),
    ] {
        altered.push((name.to_owned(), draft.with_text("timestamp", timestamp)));
    }
    for (name, node) in [
        ("node-other", "app-server-02"),
        ("node-case", "App-server-01"),
        ("node-shorter", "app-server-0"),
        ("node-longer", "app-server-011"),
        ("node-padded", "app-server-01 "),
    ] {
        altered.push((name.to_owned(), draft.with_text("node", node)));
    }
    altered
}
