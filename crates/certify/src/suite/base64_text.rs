//! Base64 in its one canonical form; every deviation is an error of its own stage.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, invalid, message, valid};
use super::draft::Draft;
use super::error::GenerateError;
use super::recipe::{MESSAGE, Recipe, SECRET};

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    // 22 bytes of message make 38 of payload, with one `=`; 23 make 39, with none.
    let payload_padded =
        suite.draft(&Recipe::new(Mode::Pbkdf2).message("User login successful!"))?;
    let twice_padded = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    for field in ["iv", "salt", "payload"] {
        let base = if field == "payload" { &payload_padded } else { &twice_padded };
        for (name, flag, comment, text) in deviations(&base.base64(field)) {
            add_wrong(suite, field, name, flag, comment, &base.with_text(field, &text));
        }
    }
    // Letters after which bits are left over, in each field that has such.
    add_trailing_bits(suite, "salt", "two-bits", &twice_padded, 2);
    add_trailing_bits(suite, "payload", "two-bits", &payload_padded, 2);
    add_trailing_bits(suite, "payload", "four-bits", &twice_padded, 4);
    for (name, flag, comment, text) in [
        (
            "half-padding",
            "Base64Padding",
            "one `=` where two are needed",
            with_end(&twice_padded, 1, ""),
        ),
        (
            "no-padding",
            "Base64Padding",
            "no `=` where two are needed",
            with_end(&twice_padded, 2, ""),
        ),
        (
            "third-padding",
            "Base64Padding",
            "three `=` where two are needed",
            with_end(&twice_padded, 0, "="),
        ),
    ] {
        let altered = twice_padded.with_text("payload", &text);
        add_wrong(suite, "payload", &format!("twice-{name}"), flag, comment, &altered);
    }

    // Escapes are JSON's, and not of the text.
    let all = "/".repeat(16);
    let solidus =
        twice_padded.with_text("iv", &all).with_raw("iv", format!("\"{}\"", r"\/".repeat(16)));
    let case = Case::must("parse/base64/escaped-solidus", "JsonEquivalent", "`/` written as `\\/`");
    suite.parse(case, solidus.json(), valid());
    let plus = twice_padded.with_text("iv", &"+".repeat(16));
    let case = Case::must("parse/base64/all-plus", "Base64Alphabet", "`+` is a letter");
    suite.parse(case, plus.json(), valid());
    let case = Case::must("parse/base64/all-solidus", "Base64Alphabet", "`/` is a letter");
    suite.parse(case, twice_padded.with_text("iv", &all).json(), valid());
    let escaped: String = twice_padded
        .base64("payload")
        .chars()
        .map(|c| format!("\\u{:04x}", u32::from(c)))
        .collect();
    let escaped = twice_padded.with_raw("payload", format!("\"{escaped}\""));
    let case = Case::must(
        "open/base64/all-escaped",
        "JsonEquivalent",
        "every letter of the payload is a JSON escape",
    );
    suite.open(case, SECRET, &escaped, message(MESSAGE));
    Ok(())
}

fn add_wrong(
    suite: &mut Suite<'_>,
    field: &str,
    name: &str,
    flag: &'static str,
    comment: &str,
    altered: &Draft,
) {
    let case =
        |operation: &str| Case::must(format!("{operation}/base64/{field}-{name}"), flag, comment);
    suite.parse(case("parse"), altered.json(), invalid(Stage::Base64));
    suite.open(case("open"), SECRET, altered, invalid(Stage::Base64));
}

/// What can be wrong with a base64 text of any length.
fn deviations(good: &str) -> Vec<(&'static str, &'static str, &'static str, String)> {
    let body = good.trim_end_matches('=');
    let padding = good.strip_prefix(body).unwrap_or_default();
    let (first, rest) = good.split_at(1);
    let (front, back) = good.split_at(4);
    let with_first = |letter: &str| format!("{letter}{rest}");
    let mut wrong = vec![
        ("url-minus", "Base64Alphabet", "`-` of the URL-safe alphabet", with_first("-")),
        ("url-underscore", "Base64Alphabet", "`_` of the URL-safe alphabet", with_first("_")),
        ("asterisk", "Base64Alphabet", "a sign of no alphabet", with_first("*")),
        ("dot", "Base64Alphabet", "a letter of another base64", with_first(".")),
        ("non-ascii", "Base64Alphabet", "a letter beyond ASCII", with_first("Å")),
        ("full-width", "Base64Alphabet", "a full-width letter", with_first("Ａ")),
        ("nul", "Base64Alphabet", "a NUL", with_first("\0")),
        ("data-url", "Base64Alphabet", "the head of a data URL", format!("data:;base64,{good}")),
        ("leading-space", "Base64WhiteSpace", "a space in front", format!(" {good}")),
        ("trailing-space", "Base64WhiteSpace", "a space behind", format!("{good} ")),
        ("trailing-newline", "Base64WhiteSpace", "a line feed behind", format!("{good}\n")),
        ("trailing-crlf", "Base64WhiteSpace", "a line end behind", format!("{good}\r\n")),
        ("inner-newline", "Base64WhiteSpace", "a line feed within", format!("{front}\n{back}")),
        ("inner-space", "Base64WhiteSpace", "four spaces within", format!("{front}    {back}")),
        ("inner-tab", "Base64WhiteSpace", "a tab for a letter", with_first("\t")),
        ("one-letter-less", "Base64Padding", "the first letter is not there", rest.to_owned()),
        ("one-letter-more", "Base64Padding", "a letter too many", format!("A{good}")),
        ("padding-more", "Base64Padding", "another `=`", format!("{good}=")),
        ("padding-group", "Base64Padding", "four `=` more", format!("{good}====")),
        (
            "padding-first",
            "Base64Padding",
            "`=` for the first letter",
            format!("{first}={}", rest.split_at(1).1),
        ),
        ("padding-inner", "Base64Padding", "a padded group within", format!("QQ=={good}")),
    ];
    if !padding.is_empty() {
        wrong.push(("padding-less", "Base64Padding", "no padding", body.to_owned()));
        wrong.push((
            "joined",
            "Base64Padding",
            "a group behind the padding",
            format!("{good}AAAA"),
        ));
        wrong.push(("padding-escaped", "Base64Padding", "`%3D` for `=`", format!("{body}%3D")));
    }
    wrong
}

/// The payload's text without its last letters, and with others.
fn with_end(draft: &Draft, less: usize, more: &str) -> String {
    let text = draft.base64("payload");
    let (kept, _) = text.split_at(text.len() - less);
    format!("{kept}{more}")
}

/// Every value of the bits that belong to no byte, but zero.
fn add_trailing_bits(suite: &mut Suite<'_>, field: &str, name: &str, base: &Draft, bits: u32) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = base.base64(field);
    let body = text.trim_end_matches('=');
    let padding = text.strip_prefix(body).unwrap_or_default();
    let (front, last) = body.split_at(body.len() - 1);
    let value = LETTERS.iter().position(|letter| last.as_bytes() == [*letter]).unwrap_or_default();
    for wrong in 1..1 << bits {
        let Some(letter) = LETTERS.get(value | wrong) else { continue };
        let text = format!("{front}{}{padding}", char::from(*letter));
        let name = format!("trailing-{name}-{wrong:02}");
        let comment = "the last letter has bits that belong to no byte";
        add_wrong(
            suite,
            field,
            &name,
            "Base64TrailingBits",
            comment,
            &base.with_text(field, &text),
        );
    }
}
