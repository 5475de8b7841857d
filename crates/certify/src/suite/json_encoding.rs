//! What is one JSON object in UTF-8, and what is not.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, acceptable, invalid, message, valid};
use super::error::GenerateError;
use super::recipe::{MESSAGE, Recipe, SECRET};
use crate::encoding::Base64;
use crate::model::Run;

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let base = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    let text = base.text();
    let with_node = |node: &[u8]| replace(text.as_bytes(), b"app-server-01", node);
    let replaced = |old: &str, new: &str| text.replacen(old, new, 1).into_bytes();
    let inner = text.trim_start_matches('{').trim_end_matches('}');

    let syntax: Vec<(&str, &str, Vec<u8>)> = vec![
        ("white-space-only", "nothing but white space", b" \n".to_vec()),
        ("null", "null", b"null".to_vec()),
        ("number", "a number", b"7".to_vec()),
        ("string", "a string", b"\"entry\"".to_vec()),
        ("array-empty", "an empty array", b"[]".to_vec()),
        ("array", "an array of one entry is a batch, not an entry", format!("[{text}]").into()),
        (
            "quoted",
            "the entry within a string",
            serde_json::Value::from(text.as_str()).to_string().into(),
        ),
        ("two", "two entries in a row", format!("{text}{text}").into()),
        ("two-lines", "two entries on two lines", format!("{text}\n{text}\n").into()),
        ("trailing-comma", "a comma behind the entry", format!("{text},").into()),
        ("trailing-brace", "a brace too many", format!("{text}}}").into()),
        ("trailing-text", "text behind the entry", format!("{text} x").into()),
        ("trailing-nul", "a NUL behind the entry", format!("{text}\0").into()),
        ("leading-text", "text before the entry", format!("x{text}").into()),
        ("leading-guard", "the guard against script inclusion", format!(")]}}'\n{text}").into()),
        ("inner-trailing-comma", "a comma behind the last field", format!("{{{inner},}}").into()),
        ("inner-leading-comma", "a comma before the first field", format!("{{,{inner}}}").into()),
        ("double-comma", "two commas", replaced(",\"iv\"", ",,\"iv\"")),
        ("no-comma", "no comma between two fields", replaced(",\"iv\"", "\"iv\"")),
        ("no-colon", "no colon between key and value", replaced("\"iv\":", "\"iv\"")),
        ("equals", "`=` for a colon", replaced("\"iv\":", "\"iv\"=")),
        ("bare-key", "a key without quotation marks", replaced("\"iv\"", "iv")),
        ("bare-value", "a string without quotation marks", replaced("\"app-server-01\"", "app")),
        ("single-quotes", "single quotation marks", text.replace('"', "'").into()),
        ("comment-block", "a block comment", replaced("{", "{/* entry */")),
        ("comment-line", "a line comment", replaced("{", "{// entry\n")),
        ("comment-hash", "a comment of YAML", replaced("{", "{# entry\n")),
        ("raw-newline", "a line feed in a string", with_node(b"a\nb")),
        ("raw-tab", "a tab in a string", with_node(b"a\tb")),
        ("raw-nul", "a NUL in a string", with_node(b"a\0b")),
        ("raw-unit-separator", "U+001F in a string", with_node(b"a\x1fb")),
        ("escape-unknown", "an escape that JSON has not", with_node(br"a\xb")),
        ("escape-single-quote", "an escape that JavaScript has", with_node(br"a\'b")),
        ("escape-zero", "another that JavaScript has", with_node(br"a\0b")),
        ("escape-short", "three digits", with_node(br"a\u00e")),
        ("escape-no-hex", "no digits", with_node(br"a\u00gg")),
        ("escape-braces", "JavaScript's long escape", with_node(br"a\u{e4}")),
        ("escape-upper-u", "an upper-case U", with_node(br"a\U00e4")),
        ("number-leading-zero", "a leading zero", replaced("\"loglevel\":7", "\"loglevel\":07")),
        ("number-plus", "a plus sign", replaced("\"loglevel\":7", "\"loglevel\":+7")),
        ("number-hex", "a hexadecimal number", replaced("\"loglevel\":7", "\"loglevel\":0x7")),
        ("number-dot", "a dot without digits", replaced("\"loglevel\":7", "\"loglevel\":7.")),
        (
            "number-leading-dot",
            "a dot without a digit before",
            replaced("\"loglevel\":7", "\"loglevel\":.7"),
        ),
        (
            "number-exponent",
            "an exponent without digits",
            replaced("\"loglevel\":7", "\"loglevel\":7e"),
        ),
        ("number-minus", "a lone minus", replaced("\"loglevel\":7", "\"loglevel\":-")),
        ("number-underscore", "an underscore", replaced("\"loglevel\":7", "\"loglevel\":0_7")),
        ("number-big-int", "a number of JavaScript", replaced("\"loglevel\":7", "\"loglevel\":7n")),
        ("nan", "NaN", replaced("\"loglevel\":7", "\"loglevel\":NaN")),
        ("infinity", "Infinity", replaced("\"loglevel\":7", "\"loglevel\":Infinity")),
        ("true-upper", "True of Python", replaced("\"loglevel\":7", "\"loglevel\":True")),
        ("undefined", "undefined", replaced("\"loglevel\":7", "\"loglevel\":undefined")),
        ("value-missing", "no value", replaced("\"loglevel\":7", "\"loglevel\":")),
        ("key-only", "a key alone", replaced("\"loglevel\":7", "\"loglevel\"")),
        ("key-number", "a number for a key", replaced("{", "{7:1,")),
        ("form-feed", "a form feed is no white space of JSON", replaced("{", "{\u{c}")),
        ("no-break-space", "nor is U+00A0", replaced("{", "{\u{a0}")),
    ];
    for (name, comment, entry) in syntax {
        let case = Case::must(format!("parse/syntax/{name}"), "JsonSyntax", comment);
        suite.parse(case, entry, invalid(Stage::Json));
    }

    let utf16 = |big: bool| -> Vec<u8> {
        let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(unit).collect()
    };
    let encoding: Vec<(&str, &str, Vec<u8>)> = vec![
        ("bom", "a byte order mark in front", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("utf-16-le", "UTF-16, little end first", utf16(false)),
        ("utf-16-be", "UTF-16, big end first", utf16(true)),
        ("utf-16-bom", "UTF-16 with its mark", [vec![0xff, 0xfe], utf16(false)].concat()),
        ("latin-1", "Latin-1 in the node", with_node(b"b\xe4r")),
        ("lone-byte", "a byte that no character begins with", with_node(b"a\xffb")),
        ("lone-continuation", "a continuation byte alone", with_node(b"a\x80b")),
        ("cut-character", "a character cut short", with_node(b"a\xe4\xb8")),
        ("overlong-solidus", "an overlong form of two bytes", with_node(b"a\xc0\xafb")),
        ("overlong-nul", "the overlong NUL of Java", with_node(b"a\xc0\x80b")),
        ("overlong-three", "an overlong form of three bytes", with_node(b"a\xe0\x80\xafb")),
        ("surrogate", "a surrogate in UTF-8", with_node(b"a\xed\xa0\x80b")),
        ("cesu-8", "a pair of surrogates in UTF-8", with_node(b"a\xed\xa0\xbd\xed\xb8\x80b")),
        ("beyond", "beyond U+10FFFF", with_node(b"a\xf4\x90\x80\x80b")),
        ("in-key", "broken UTF-8 in a key", replace(text.as_bytes(), b"\"node\"", b"\"n\xffde\"")),
        (
            "in-unknown",
            "broken UTF-8 in a field that would be ignored",
            replace(text.as_bytes(), b"{", b"{\"x\":\"\xff\","),
        ),
        ("behind", "broken UTF-8 behind the entry", [text.as_bytes(), b"\xff"].concat()),
    ];
    for (name, comment, entry) in encoding {
        let case = Case::must(format!("parse/encoding/{name}"), "JsonEncoding", comment);
        suite.parse(case, entry, invalid(Stage::Json));
    }

    for (name, comment, node) in [
        ("lone-high", "a high surrogate alone", r"a\ud83cb"),
        ("lone-low", "a low surrogate alone", r"a\udf0db"),
        ("wrong-order", "a low before a high one", r"\udf0d\ud83c"),
        ("two-high", "two high ones", r"\ud83c\ud83c"),
        ("high-at-end", "a high one at the end", r"web\ud83c"),
        ("high-then-escape", "a high one and another escape", r"\ud83c\n"),
    ] {
        let case = Case::must(format!("parse/surrogate/{name}"), "JsonSurrogate", comment);
        suite.parse(case, with_node(node.as_bytes()), invalid(Stage::Json));
    }
    let case = Case::must(
        "parse/surrogate/in-unknown",
        "JsonSurrogate",
        "a surrogate alone in a field that is ignored: nobody needs to decode it",
    );
    let ignored = base.and("\"x\"", r#""\ud83c""#).json();
    suite.parse(case, ignored, acceptable(invalid(Stage::Json)));
    let case = Case::must("parse/surrogate/pair", "JsonSurrogate", "a pair is one character");
    suite.parse(case, with_node(br"web-\ud83c\udf0d"), valid());

    let spaced = text.replace(':', " :\t").replace(',', "\r\n, ");
    let spaced = spaced.replacen("10 :\t30 :\t45", "10:30:45", 1);
    let same: Vec<(&str, &str, Vec<u8>)> = vec![
        ("white-space", "white space wherever JSON has it", format!("\n{spaced}\n \t\r\n").into()),
        ("trailing-newline", "a line feed behind the entry", format!("{text}\n").into()),
        ("reversed", "the fields in another order", base.reversed().json()),
        ("escaped-key", "an escape in a key", base.with_key("node", r#""n\u006fde""#).json()),
        (
            "escaped-key-all",
            "nothing but escapes in a key",
            base.with_key("iv", r#""\u0069\u0076""#).json(),
        ),
        (
            "escaped-value",
            "escapes in values",
            base.with_raw("timestamp", r#""2024\u002d01-17T10:30:45\u005A""#).json(),
        ),
    ];
    for (name, comment, entry) in same {
        let case = |operation: &str| {
            Case::must(format!("{operation}/equivalent/{name}"), "JsonEquivalent", comment)
        };
        suite.parse(case("parse"), entry.clone(), valid());
        suite.open_bytes(case("open"), SECRET, &base, entry, message(MESSAGE));
    }
    add_deep(suite, &text);
    Ok(())
}

/// Nesting in a field that is ignored, in runs.
fn add_deep(suite: &mut Suite<'_>, text: &str) {
    let run = |bytes: &str, times| Run { b64: Base64(bytes.as_bytes().to_vec()), times };
    let start = format!("{}\"x\":", text.replacen('}', ",", 1));
    let deep = |open: &str, close: &str, times, closed: bool| {
        let closing = if closed { times } else { 0 };
        vec![run(&start, 1), run(open, times), run("1", 1), run(close, closing), run("}", 1)]
    };
    for (name, comment, runs, expect) in [
        ("arrays-50", "50 arrays", deep("[", "]", 50, true), valid()),
        ("objects-50", "50 objects", deep("{\"a\":", "}", 50, true), valid()),
        (
            "arrays-10000",
            "10,000 arrays: there may be a bound, but no crash",
            deep("[", "]", 10_000, true),
            acceptable(invalid(Stage::Json)),
        ),
        (
            "objects-10000",
            "10,000 objects: there may be a bound, but no crash",
            deep("{\"a\":", "}", 10_000, true),
            acceptable(invalid(Stage::Json)),
        ),
        (
            "unclosed-100000",
            "100,000 arrays that are not closed",
            deep("[", "]", 100_000, false),
            invalid(Stage::Json),
        ),
    ] {
        let case = Case::must(format!("parse/deep/{name}"), "JsonDepth", comment);
        suite.parse_runs(case, runs, expect);
    }
    let case = Case::must("parse/deep/bare-100000", "JsonDepth", "100,000 brackets and no entry");
    suite.parse_runs(case, vec![run("[", 100_000)], invalid(Stage::Json));
}

/// The text with the first place of `old` replaced.
fn replace(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let Some(at) = text.windows(old.len()).position(|window| window == old) else {
        return text.to_vec();
    };
    let (before, rest) = text.split_at(at);
    let (_, after) = rest.split_at(old.len());
    [before, new, after].concat()
}
