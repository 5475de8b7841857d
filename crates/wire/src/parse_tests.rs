//! Every rule of reading, broken one at a time.

use super::*;
use crate::base64::Base64Error;
use crate::error::Stage;
use crate::node::NodeError;
use crate::timestamp::TimestampError;

const GOOD: &str = concat!(
    r#"{"node":"app-server-01","payload":"AAAAAAAAAAAAAAAAAAAAAA==","loglevel":7,"#,
    r#""timestamp":"2024-01-17T10:30:45Z","encryption_mode":1,"iv":"ZGVmZ2hpamtsbW5v","#,
    r#""salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#
);

fn read(json: &str) -> Result<Entry, EntryError> {
    entry(json.as_bytes(), UnknownFields::Ignore)
}

/// The fault of the good entry with one part replaced.
fn fault(part: &str, by: &str) -> EntryError {
    assert!(GOOD.contains(part), "{part}");
    read(&GOOD.replacen(part, by, 1)).unwrap_err()
}

#[test]
fn the_good_entry_is_read_in_any_order_and_with_white_space_and_escapes() {
    let good = read(GOOD).unwrap();
    assert_eq!(good.to_json(), GOOD);
    let mut value: serde_json::Map<_, _> = serde_json::from_str(GOOD).unwrap();
    let node = value.remove("node").unwrap();
    value.insert("node".to_owned(), node);
    assert_eq!(read(&serde_json::to_string_pretty(&value).unwrap()), Ok(good.clone()));
    assert_eq!(read(&GOOD.replace("\"node\"", r#""n\u006fde""#)), Ok(good.clone()));
    assert_eq!(read(&GOOD.replace("app-", r"\u0061pp\u002d")), Ok(good));
}

#[test]
fn what_is_not_one_json_object_in_utf_8_fails_at_the_json() {
    for text in [
        String::new(),
        " ".to_owned(),
        "{".to_owned(),
        GOOD[..GOOD.len() - 1].to_owned(),
        format!("{GOOD}{GOOD}"),
        format!("{GOOD},"),
        format!("\u{feff}{GOOD}"),
        GOOD.replace("\"loglevel\":7", "\"loglevel\":07"),
        GOOD.replace("\"loglevel\":7", "\"loglevel\":+7"),
        GOOD.replace("\"}", "\",}"),
        GOOD.replace('"', "'"),
        GOOD.replace("app", r"\ud800"),
        GOOD.replace("app", r"\udc00\ud800"),
        GOOD.replace("app", "a\np"),
        GOOD.replace("{", "{/*x*/"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(matches!(error, EntryError::Json { .. }), "{text}: {error:?}");
        assert_eq!(error.stage(), Stage::Json);
    }
    for text in ["null", "7", "\"x\"", "[]", &format!("[{GOOD}]")] {
        assert_eq!(read(text), Err(EntryError::NotAnObject), "{text}");
    }
    let broken = [b"{\"node\":\"", &[0xff][..], b"\"}"].concat();
    let error = entry(&broken, UnknownFields::Ignore).unwrap_err();
    assert_eq!(error, EntryError::NotUtf8 { at: 9 });
}

#[test]
fn every_field_is_needed_once_and_of_its_type() {
    for field in Field::ALL {
        let mut value: serde_json::Map<_, _> = serde_json::from_str(GOOD).unwrap();
        let own = value.remove(field.name()).unwrap();
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(read(&text), Err(EntryError::MissingField { field }));

        let twice = GOOD.replace("\"}", &format!("\",\"{field}\":{own}}}"));
        let name = field.name().to_owned();
        assert_eq!(read(&twice), Err(EntryError::DuplicateField { name }));
        assert_eq!(read(&twice).unwrap_err().field(), Some(field));

        let others = if own.is_string() {
            ["null", "7", "true", "[]", "{}"]
        } else {
            ["null", "7.0", "\"7\"", "7e0", "[7]"]
        };
        for other in others {
            let text = GOOD.replace(&format!("{field}\":{own}"), &format!("{field}\":{other}"));
            let error = read(&text).unwrap_err();
            assert!(
                matches!(error, EntryError::WrongType { field: f, .. } if f == field),
                "{field} as {other}: {error:?}"
            );
        }
    }
}

#[test]
fn unknown_fields_are_ignored_by_openers_and_refused_by_the_api() {
    let more = GOOD.replace("\"}", "\",\"message\":{\"deep\":[1,2.5,null]}}");
    assert!(read(&more).is_ok());
    let name = "message".to_owned();
    assert_eq!(
        entry(more.as_bytes(), UnknownFields::Reject),
        Err(EntryError::UnknownField { name })
    );
    let twice = more.replace("\"message\"", "\"x\":1,\"\\u0078\":2,\"message\"");
    let name = "x".to_owned();
    assert_eq!(read(&twice), Err(EntryError::DuplicateField { name }));
    let long = GOOD.replace("\"}", &format!("\",\"{}\":1}}", "k".repeat(1000)));
    let shown = entry(long.as_bytes(), UnknownFields::Reject).unwrap_err().to_string();
    assert!(shown.len() < 200, "{shown}");
}

#[test]
fn deep_nesting_in_an_unknown_field_neither_fails_nor_overflows_the_stack() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(read(&GOOD.replace("\"}", &format!("\",\"x\":{deep}}}"))).is_ok());
    let unclosed = "[".repeat(200_000);
    let error = read(&GOOD.replace("\"}", &format!("\",\"x\":{unclosed}}}"))).unwrap_err();
    assert_eq!(error.stage(), Stage::Json);
}

#[test]
fn levels_and_modes_have_their_ranges() {
    for wrong in ["0", "9", "-1", "256", "18446744073709551615"] {
        let error = fault("\"loglevel\":7", &format!("\"loglevel\":{wrong}"));
        assert!(matches!(error, EntryError::Level(_)), "{wrong}: {error:?}");
        let error = fault("mode\":1", &format!("mode\":{wrong}"));
        assert_eq!((error.stage(), error.code().as_str()), (Stage::Mode, "unsupported_mode"));
    }
    for wrong in ["-0", "18446744073709551616", "1e0"] {
        let error = fault("\"loglevel\":7", &format!("\"loglevel\":{wrong}"));
        assert!(matches!(error, EntryError::WrongType { .. }), "{wrong}: {error:?}");
    }
    for wrong in [5, 127, 129, 255] {
        assert_eq!(fault("mode\":1", &format!("mode\":{wrong}")).stage(), Stage::Mode);
    }
}

#[test]
fn lengths_are_exact() {
    assert_eq!(
        fault(
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "c2FsdDMyYnl0ZXNsb25nZm9ya2V5ZGVyaXZhdGlvbg=="
        ),
        EntryError::Length { field: Field::Salt, expected: 32, got: 31 },
        "the sample salt of the first published description has 31 bytes"
    );
    assert_eq!(
        fault("ZGVmZ2hpamtsbW5v", "ZGVmZ2hpamtsbW4="),
        EntryError::Length { field: Field::Iv, expected: 12, got: 11 }
    );
    assert_eq!(
        fault("AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA"),
        EntryError::Payload(PayloadError::TooShort { at_least: 16, got: 15 })
    );
    assert_eq!(
        fault("mode\":1", "mode\":128"),
        EntryError::Payload(PayloadError::TooShort { at_least: 48, got: 16 })
    );
    let biggest = "A".repeat(PAYLOAD_BASE64_MAX);
    assert!(read(&GOOD.replace("AAAAAAAAAAAAAAAAAAAAAA==", &biggest)).is_ok());
    let error = fault("AAAAAAAAAAAAAAAAAAAAAA==", &format!("{biggest}AAAA"));
    assert_eq!(error, EntryError::Payload(PayloadError::TooLong));
    assert_eq!(error.code().as_str(), "payload_too_large");
}

#[test]
fn base64_that_is_not_canonical_is_named_with_its_field() {
    for (part, by, field, reason) in [
        ("ZGVmZ2hpamtsbW5v", "ZGVmZ2hpamtsbW5-", Field::Iv, Base64Error::Character(15)),
        ("ZGVmZ2hpamtsbW5v", "ZGVmZ2hpamtsbW5", Field::Iv, Base64Error::Length),
        ("AAAAAA==", "AAAAAB==", Field::Payload, Base64Error::TrailingBits),
        ("Hh8=", "Hh9=", Field::Salt, Base64Error::TrailingBits),
        ("Hh8=", "Hh8", Field::Salt, Base64Error::Length),
        ("ZGVm", r"\nZGVm", Field::Iv, Base64Error::Character(0)),
    ] {
        assert_eq!(fault(part, by), EntryError::Base64 { field, reason }, "{by}");
    }
}

#[test]
fn nodes_and_timestamps_are_checked() {
    assert_eq!(fault("app-server-01", ""), EntryError::Node(NodeError::Empty));
    assert_eq!(fault("app-server-01", r"a\u0000"), EntryError::Node(NodeError::ControlCharacter));
    assert_eq!(fault("app-server-01", &"x".repeat(256)), EntryError::Node(NodeError::TooLong));
    assert_eq!(fault("45Z", "45"), EntryError::Timestamp(TimestampError::Form));
    assert_eq!(fault("45Z", "60Z"), EntryError::Timestamp(TimestampError::Range));
}

#[test]
fn no_error_shows_anything_of_a_value() {
    let canary = "hunter2";
    for (part, by) in [
        ("app-server-01", format!("{canary}\\u0000")),
        ("2024-01-17T10:30:45Z", canary.to_owned()),
        ("ZGVmZ2hpamtsbW5v", canary.to_owned()),
        ("\"loglevel\":7", format!("\"loglevel\":\"{canary}\"")),
        ("AAAAAAAAAAAAAAAAAAAAAA==", canary.to_owned()),
        ("\"app-server-01\"", format!("{{\"{canary}\":1}}")),
    ] {
        let error = fault(part, &by);
        assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
    }
}
