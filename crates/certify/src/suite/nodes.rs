//! Node names: 1 to 255 Unicode characters, none of them a control character.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Instead, Suite, invalid, valid};
use super::error::GenerateError;
use super::recipe::Recipe;

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let base = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    let repeated = |text: &str, times| text.repeat(times);
    let good: Vec<(&str, &str, String)> = vec![
        ("one-letter", "one character", "n".into()),
        ("space", "a space is no control character", " ".into()),
        ("padded", "nothing is trimmed", " web 1 ".into()),
        ("ascii-255", "255 characters", repeated("n", 255)),
        ("umlaut-255", "255 characters of two bytes", repeated("ä", 255)),
        ("astral-255", "255 characters of four bytes, 510 units of UTF-16", repeated("🌍", 255)),
        ("combining-255", "255 characters, though fewer are seen", repeated("\u{301}", 255)),
        ("nfd", "decomposed letters stay so", "ba\u{308}r".into()),
        ("quote", "what JSON must escape", "a\"b\\c".into()),
        ("solidus", "what JSON need not escape", "rack/1".into()),
        ("html", "what cautious writers escape", "<a href='x'>&amp;".into()),
        (
            "line-separator",
            "U+2028 and U+2029 are no control characters",
            "a\u{2028}b\u{2029}c".into(),
        ),
        ("no-break-space", "U+00A0 is the first after the controls", "a\u{a0}b".into()),
        ("format-character", "a zero-width joiner is none", "a\u{200d}b".into()),
        ("bom", "nor is U+FEFF", "\u{feff}web".into()),
        ("private-use", "nor are private characters", "\u{e000}\u{10fffd}".into()),
        ("right-to-left", "written from the right", "שרת-01".into()),
    ];
    for (name, comment, node) in &good {
        let case = Case::must(format!("parse/node/{name}"), "Node", *comment);
        suite.parse(case, base.with_text("node", node).json(), valid());
        let case = Case::must(format!("seal/node/{name}"), "Node", *comment).flag("CanonicalJson");
        suite.seal(case, &Recipe::new(Mode::Pbkdf2).node(node))?;
    }
    let mut wrong: Vec<(String, &str, String)> = vec![
        ("empty".into(), "no character", String::new()),
        ("ascii-256".into(), "256 characters", repeated("n", 256)),
        ("astral-256".into(), "256 characters of four bytes", repeated("🌍", 256)),
        ("trailing-newline".into(), "a line feed at the end", "web\n".into()),
    ];
    for control in [
        '\0', '\u{1}', '\u{8}', '\t', '\n', '\r', '\u{1b}', '\u{1f}', '\u{7f}', '\u{80}', '\u{85}',
        '\u{9f}',
    ] {
        let name = format!("control-{:04x}", u32::from(control));
        wrong.push((name, "a control character", format!("a{control}b")));
    }
    for (name, comment, node) in &wrong {
        let case = Case::must(format!("parse/node/not-{name}"), "Node", *comment);
        suite.parse(case, base.with_text("node", node).json(), invalid(Stage::Field));
        let case = Case::must(format!("seal/node/not-{name}"), "Node", *comment);
        let recipe = Recipe::new(Mode::Pbkdf2).node(node);
        suite.seal_refused(case, &recipe, Instead::default(), invalid(Stage::Field));
    }
    Ok(())
}
