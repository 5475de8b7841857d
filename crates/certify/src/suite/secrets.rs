//! Secrets: the bytes exactly as given, of any length.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Instead, Suite, invalid, message, refused};
use super::error::GenerateError;
use super::recipe::{MESSAGE, Recipe, SECRET, counting};

const NFC: &str = "sëcrét";
const NFD: &str = "se\u{308}cre\u{301}t";

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let long = "0123456789abcdef".repeat(625);
    let digits = "0123456789".repeat(7);
    let (d63, d64, d65) = (digits.split_at(63).0, digits.split_at(64).0, digits.split_at(65).0);
    let secrets: &[(&str, &'static str, &str, &str)] = &[
        ("one-letter", "SecretLength", "one byte", "x"),
        ("length-63", "SecretLength", "one byte less than a block of SHA-256", d63),
        ("length-64", "SecretLength", "a block of SHA-256", d64),
        ("length-65", "SecretLength", "longer than a block, which HMAC hashes first", d65),
        ("length-10000", "SecretLength", "very long", &long),
        ("nfc", "SecretNormalization", "composed letters", NFC),
        ("nfd", "SecretNormalization", "the same word in decomposed letters", NFD),
        ("compatibility", "SecretNormalization", "a ligature that NFKC takes apart", "ﬁsh & chips"),
        ("case", "SecretBytes", "upper case stays", "Correct Horse Battery STAPLE"),
        ("astral", "SecretBytes", "characters beyond U+FFFF", "🔑🌍𝔰𝔢𝔠𝔯𝔢𝔱"),
        ("padded", "SecretBytes", "spaces at both ends", "  correct horse battery staple  "),
        (
            "trailing-newline",
            "SecretBytes",
            "a line feed at the end",
            "correct horse battery staple\n",
        ),
        (
            "trailing-crlf",
            "SecretBytes",
            "a line end of Windows",
            "correct horse battery staple\r\n",
        ),
        ("leading-tab", "SecretBytes", "a tab in front", "\tcorrect horse battery staple"),
        (
            "no-break-space",
            "SecretBytes",
            "white space beyond ASCII",
            "\u{a0}correct horse\u{3000}",
        ),
        ("bom", "SecretBytes", "a byte order mark in front", "\u{feff}correct horse"),
        ("inner-nul", "SecretNul", "a NUL in the middle", "correct\0horse"),
        ("before-nul", "SecretNul", "what stands before that NUL", "correct"),
        ("nul", "SecretNul", "only a NUL, which is not white space", "\0"),
        ("quotes", "SecretBytes", "characters that JSON and shells escape", r#"a"b'c\d$e`f%g"#),
        ("number", "SecretBytes", "nothing but digits", "0123456789"),
    ];
    for (name, flag, comment, secret) in secrets {
        let case = Case::must(format!("derive/secret/{name}"), flag, *comment);
        suite.derive(case, secret, Mode::Pbkdf2, counting(0))?;
    }
    for (name, flag, comment, secret) in secrets {
        let case = Case::must(format!("derive/mode-128/secret/{name}"), flag, *comment);
        suite.derive(case.should(), secret, Mode::Hkdf, counting(0))?;
    }
    for (name, flag, comment, secret) in secrets {
        let case = Case::must(format!("derive/mode-3/secret/{name}"), flag, *comment);
        suite.derive(case.should(), secret, Mode::Argon2, counting(0))?;
    }
    for wanted in ["length-65", "nfd", "astral", "padded", "trailing-newline", "inner-nul"] {
        for (name, flag, comment, secret) in secrets.iter().filter(|(name, ..)| *name == wanted) {
            let recipe = Recipe::new(Mode::Pbkdf2).secret(secret);
            suite.seal(Case::must(format!("seal/secret/{name}"), flag, *comment), &recipe)?;
            let draft = suite.draft(&recipe)?;
            let case = Case::must(format!("open/secret/{name}"), flag, *comment);
            suite.open(case, secret, &draft, message(MESSAGE));
        }
    }
    add_wrong(suite)?;
    add_refused(suite)
}

/// Secrets near the right one that do not open, and one that does.
fn add_wrong(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let right = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    for (name, flag, comment, secret) in [
        ("other", "WrongSecret", "another secret", "incorrect horse battery staple"),
        ("prefix", "WrongSecret", "all but the last letter", "correct horse battery stapl"),
        ("case", "WrongSecret", "another case", "Correct horse battery staple"),
        ("leading-space", "SecretBytes", "a space in front", " correct horse battery staple"),
        ("trailing-space", "SecretBytes", "a space behind", "correct horse battery staple "),
        ("trailing-newline", "SecretBytes", "a line feed behind", "correct horse battery staple\n"),
    ] {
        let case = Case::must(format!("open/wrong-secret/{name}"), flag, comment);
        suite.open(case, secret, &right, invalid(Stage::Authentication));
    }
    for (name, sealed, opened) in [("nfd-for-nfc", NFC, NFD), ("nfc-for-nfd", NFD, NFC)] {
        let draft = suite.draft(&Recipe::new(Mode::Pbkdf2).secret(sealed))?;
        let case = Case::must(
            format!("open/wrong-secret/{name}"),
            "SecretNormalization",
            "the same word in the other normal form is another secret",
        );
        suite.open(case, opened, &draft, invalid(Stage::Authentication));
    }
    let nul = suite.draft(&Recipe::new(Mode::Pbkdf2).secret("correct\0horse"))?;
    let case = Case::must(
        "open/wrong-secret/cut-at-nul",
        "SecretNul",
        "the secret only up to its NUL is another secret",
    );
    suite.open(case, "correct", &nul, invalid(Stage::Authentication));
    let case = Case::must(
        "open/secret/trailing-nul",
        "HmacPadding",
        "HMAC pads a short key with zeros, so that PBKDF2 cannot tell a NUL at its end from none",
    );
    suite.open(case, &format!("{SECRET}\0"), &right, message(MESSAGE));
    let argon2 = suite.draft(&Recipe::new(Mode::Argon2))?;
    let case = Case::must(
        "open/mode-3/wrong-secret/trailing-nul",
        "SecretNul",
        "Argon2 hashes the length of the secret, so that a NUL at its end counts",
    );
    let wrong = invalid(Stage::Authentication);
    suite.open(case.should(), &format!("{SECRET}\0"), &argon2, wrong);
    for mode in [Mode::Argon2, Mode::ChaCha20Argon2, Mode::Hkdf] {
        let draft = suite.draft(&Recipe::new(mode))?;
        let case = Case::must(
            format!("open/mode-{}/wrong-secret/other", mode.number()),
            "WrongSecret",
            "another secret",
        );
        let wrong = invalid(Stage::Authentication);
        suite.open(case.should(), "incorrect horse battery staple", &draft, wrong);
    }
    Ok(())
}

/// Secrets that are none.
fn add_refused(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let right = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    for (name, comment, secret) in [
        ("empty", "no secret at all", ""),
        ("space", "one space", " "),
        ("white-space", "nothing but ASCII white space", " \t\r\n"),
        ("unicode-white-space", "nothing but white space", "\u{a0}\u{2003}\u{3000}"),
    ] {
        let case = |operation: &str| {
            Case::must(format!("{operation}/refused-secret/{name}"), "SecretRefused", comment)
        };
        suite.derive_refused(case("derive"), secret, Mode::Pbkdf2, counting(0));
        let recipe = Recipe::new(Mode::Pbkdf2).secret(secret);
        suite.seal_refused(case("seal"), &recipe, Instead::default(), refused());
        suite.open(case("open"), secret, &right, refused());
    }
    Ok(())
}
