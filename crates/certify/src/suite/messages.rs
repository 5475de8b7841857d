//! Messages: any text, of any length that an entry can hold, and what is no text.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Instead, Suite, invalid, message};
use super::error::GenerateError;
use super::recipe::{Recipe, SECRET};
use crate::encoding::Base64;
use crate::model::Run;

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let four_kib = "0123456789abcdef".repeat(256);
    let texts: &[(&str, &str, &str)] = &[
        ("empty", "the empty message: the payload is a tag alone", ""),
        ("one-byte", "one byte", "x"),
        ("block-15", "a byte less than a block", "fifteen letters"),
        ("block-16", "exactly a block", "sixteen letters."),
        ("block-17", "a byte more than a block", "sixteen letters.."),
        ("4-kib", "4,096 bytes", &four_kib),
        ("unicode", "two, three and four bytes a character", "grüße, 世界! 🌍"),
        ("nfd", "decomposed letters stay so", "gru\u{308}ße"),
        ("line-feeds", "line ends stay as they are", "a\nb\r\nc\r"),
        ("nul", "a NUL is a character as any other", "a\0b"),
        ("bom", "a byte order mark stays", "\u{feff}text"),
        ("padded", "white space at the ends stays", "  text \t\n"),
        ("json", "JSON is text as any other", r#"{"level":"info","message":"x"}"#),
        ("replacement", "U+FFFD is a character as any other", "a\u{fffd}b"),
        ("non-characters", "so are non-characters", "\u{fffe}\u{ffff}\u{10ffff}"),
    ];
    for mode in [Mode::Pbkdf2, Mode::ChaCha20Argon2, Mode::Hkdf] {
        let prefix = prefix(mode);
        for (name, comment, text) in texts {
            let recipe = Recipe::new(mode).iv_from(1).message(*text);
            let draft = suite.draft(&recipe)?;
            let case = |operation: &str| {
                let id = format!("{operation}{prefix}/message/{name}");
                Case::must(id, "MessageBytes", *comment).of(mode)
            };
            suite.seal(case("seal"), &recipe)?;
            suite.open(case("open"), SECRET, &draft, message(*text));
        }
        let broken: &[(&str, &str, &[u8])] = &[
            ("lone-byte", "a byte that no character begins with", b"a\xffb"),
            ("cut-character", "the last character is cut", b"caf\xc3"),
            ("overlong", "an overlong form", b"a\xc0\xafb"),
            ("surrogate", "a surrogate in UTF-8", b"a\xed\xa0\x80b"),
            ("latin-1", "Latin-1", b"gr\xfc\xdfe"),
            ("beyond", "beyond U+10FFFF", b"\xf4\x90\x80\x80"),
        ];
        for (name, comment, bytes) in broken {
            let draft = suite.draft(&Recipe::new(mode).iv_from(2).message(*bytes))?;
            let id = format!("open{prefix}/not-utf8/{name}");
            let case = Case::must(id, "MessageNotUtf8", *comment).of(mode);
            suite.open(case, SECRET, &draft, invalid(Stage::Utf8));
        }
        add_longest(suite, mode)?;
    }
    Ok(())
}

/// The longest message, and one byte more.
fn add_longest(suite: &mut Suite<'_>, mode: Mode) -> Result<(), GenerateError> {
    let max = if mode == Mode::Hkdf { 786_384 } else { 786_416 };
    let prefix = prefix(mode);
    let runs = |times| vec![Run { b64: Base64(b"a".to_vec()), times }];
    let recipe = Recipe::new(mode).iv_from(3).message(vec![b'a'; max]);
    let case = Case::must(
        format!("seal{prefix}/size/longest"),
        "MessageSize",
        format!("{max} bytes, the most that an entry can hold in this mode"),
    );
    let instead = Instead { message: Some(runs(max)), ..Instead::default() };
    suite.seal_instead(case.of(mode), &recipe, instead)?;
    let case = Case::must(
        format!("seal{prefix}/size/too-long"),
        "MessageSize",
        format!("{} bytes, one more than an entry can hold in this mode", max + 1),
    );
    let instead = Instead { message: Some(runs(max + 1)), ..Instead::default() };
    suite.seal_refused(case.of(mode), &recipe, instead, invalid(Stage::Size));
    Ok(())
}

fn prefix(mode: Mode) -> String {
    if mode == Mode::Pbkdf2 { String::new() } else { format!("/mode-{}", mode.number()) }
}
