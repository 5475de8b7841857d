//! What must not be seen by anyone on the way, in whatever spelling: a message, the secret, and the
//! key anywhere but in its header.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use super::shipment::{CANARY, KEY, SECRET};
use crate::case::Plan;
use crate::certificate::Outcome;
use crate::encoding::Hex;
use crate::endpoint::Request as Arrived;
use crate::finding::{Finding, Reason};
use crate::floor::Floor;

const MESSAGE_CASE: &str = "transport/leaks/message";
const SECRET_CASE: &str = "transport/leaks/secret";
const KEY_CASE: &str = "transport/leaks/key";
const TEXT_CASE: &str = "transport/leaks/text-as-payload";

pub(super) const CASES: &[(&str, Plan)] = &[
    (
        MESSAGE_CASE,
        Plan {
            flag: "MessageInClear",
            comment: "no message stands in anything that came, neither plain nor encoded",
            effect: "The server, and whoever reads its disk, reads the logs.",
            rule: "The ingest API refuses them, since that is how plain text would leak by mistake.",
            spec: "PROTOCOL 2, reading; PROTOCOL 7",
            remedy: "Send the seven fields and nothing else; no message belongs into a header, a URL or a node.",
        },
    ),
    (
        SECRET_CASE,
        Plan {
            flag: "SecretInClear",
            comment: "the secret stands in nothing that came, neither plain nor encoded",
            effect: "Everything that was ever sealed is open.",
            rule: "A secret is its UTF-8 bytes exactly as given: nothing trimmed, nothing normalised, any length from 1.",
            spec: "PROTOCOL 1 and 3",
            remedy: "The secret goes into the key derivation and nowhere else.",
        },
    ),
    (
        KEY_CASE,
        Plan {
            flag: "KeyElsewhere",
            comment: "the API key stands in the header Authorization alone",
            effect: "A key in a URL or a body ends in the logs of proxies and servers.",
            rule: "`Authorization: Bearer lf_…` with 32 of `[A-Za-z0-9]`; `Content-Type: application/json`; TLS 1.2 or 1.3.",
            spec: "PROTOCOL 7",
            remedy: "Set the header, and put the key nowhere else.",
        },
    ),
    (
        TEXT_CASE,
        Plan {
            flag: "TextAsPayload",
            comment: "no payload is text, whatever text it is: neither as it is nor in base64",
            effect: "What looks sealed is not, and the server refuses it as `plaintext_payload`.",
            rule: "A payload that is text is `plaintext_payload`, whatever its script.",
            spec: "PROTOCOL 7",
            remedy: "The payload is base64 of ciphertext and tag: encrypt first, and then encode.",
        },
    ),
];

/// What was found so far.
#[derive(Default)]
pub(super) struct Leaks {
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    requests: usize,
    message: Option<String>,
    secret: Option<String>,
    key: Option<String>,
    text: Option<String>,
}

impl Leaks {
    /// Looks through what came to an endpoint: its requests, and all bytes below TLS and above it.
    pub(super) fn look(&self, requests: &[Arrived], everything: &(Vec<u8>, Vec<u8>)) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.requests += requests.len();
        let (below, above) = everything;
        for (place, bytes) in [("the bytes below TLS", below), ("the requests", above)] {
            if let Some(how) = seen_in(bytes, CANARY) {
                found.message.get_or_insert(format!("it in {place}, {how}"));
            }
            if let Some(how) = seen_in(bytes, SECRET) {
                found.secret.get_or_insert(format!("it in {place}, {how}"));
            }
        }
        if seen_in(below, KEY).is_some() {
            found.key.get_or_insert("it outside of TLS".to_owned());
        }
        for request in requests {
            for entry in request.entries() {
                if let Some(how) = text_as_payload(entry.get()) {
                    found.text.get_or_insert(how);
                }
            }
            // What base64 hides, and what JSON escapes hide.
            for text in strings(&request.body) {
                let decoded =
                    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).unwrap_or_default();
                for bytes in [text.as_bytes(), &decoded] {
                    if let Some(how) = seen_in(bytes, CANARY) {
                        found.message.get_or_insert(format!("it in a field of the body, {how}"));
                    }
                    if let Some(how) = seen_in(bytes, SECRET) {
                        found.secret.get_or_insert(format!("it in a field of the body, {how}"));
                    }
                }
            }
            let elsewhere = request
                .head
                .lines()
                .filter(|line| !line.to_ascii_lowercase().starts_with("authorization:"));
            if elsewhere.clone().any(|line| line.contains(KEY)) {
                found.key.get_or_insert("it in another header, or in the URL".to_owned());
            }
            if seen_in(&request.body, KEY).is_some() {
                found.key.get_or_insert("it in a body".to_owned());
            }
        }
    }

    pub(super) fn judge(&self, floor: &Floor<'_>) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let cases = [
            (MESSAGE_CASE, "no message in clear", &found.message),
            (SECRET_CASE, "no secret in clear", &found.secret),
            (KEY_CASE, "the API key in its header alone", &found.key),
            (TEXT_CASE, "payloads of ciphertext", &found.text),
        ];
        for (id, expected, seen) in cases {
            let finding = match seen {
                Some(got) => Some(Finding::new(expected, got)),
                None => (found.requests == 0).then(|| {
                    Finding::new(expected, "no request in any case").because(Reason::NothingArrived)
                }),
            };
            floor.put(id, finding.map_or(Outcome::Passed, Outcome::Failed));
        }
    }
}

/// How an entry's payload is text.
fn text_as_payload(entry: &str) -> Option<String> {
    const LEAST: usize = 32;
    let value: Value = serde_json::from_str(entry).ok()?;
    let payload = value.get("payload")?.as_str()?;
    let printable = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    match STANDARD_NO_PAD.decode(payload.trim_end_matches('=')) {
        Ok(bytes) if bytes.len() >= LEAST && printable(&bytes) => {
            Some(format!("a payload of {} bytes of printable ASCII in base64", bytes.len()))
        }
        Ok(_) => None,
        Err(_) => Some("a payload that is no base64".to_owned()),
    }
}

/// In which spelling a text stands in bytes.
fn seen_in(bytes: &[u8], text: &str) -> Option<&'static str> {
    let contains = |needle: &[u8]| {
        !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
    };
    let hex = Hex(text.as_bytes().to_vec()).to_string();
    let reversed: Vec<u8> = text.bytes().rev().collect();
    if contains(text.as_bytes()) {
        return Some("as it is");
    }
    if contains(hex.as_bytes()) || contains(hex.to_uppercase().as_bytes()) {
        return Some("in hexadecimal");
    }
    if contains(&reversed) {
        return Some("backwards");
    }
    // At each of the three places that it may begin at within a group of three bytes.
    for before in 0..3 {
        let shifted = [b"\0\0".get(..before).unwrap_or_default(), text.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(&shifted);
        let begin = before * 8 / 6 + usize::from(before > 0);
        let inner = encoded.get(begin..encoded.len() - 2).unwrap_or_default();
        if contains(inner.as_bytes()) {
            return Some("in base64");
        }
    }
    None
}

/// Every string of a JSON text, keys too.
fn strings(body: &[u8]) -> Vec<String> {
    fn walk(value: Value, out: &mut Vec<String>) {
        match value {
            Value::String(text) => out.push(text),
            Value::Array(values) => values.into_iter().for_each(|value| walk(value, out)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    out.push(key);
                    walk(value, out);
                }
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    if let Ok(value) = serde_json::from_slice(body) {
        walk(value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_text_is_seen_in_every_spelling_and_at_every_place() {
        for before in 0..6 {
            let hidden = format!("{}{CANARY} and more", "x".repeat(before));
            assert_eq!(seen_in(hidden.as_bytes(), CANARY), Some("as it is"));
            let base64 = STANDARD.encode(&hidden);
            assert_eq!(seen_in(base64.as_bytes(), CANARY), Some("in base64"), "{before}");
            let hex = Hex(hidden.into_bytes()).to_string();
            assert_eq!(seen_in(hex.as_bytes(), CANARY), Some("in hexadecimal"));
        }
        assert_eq!(seen_in(b"canary", CANARY), None);
        assert_eq!(strings(br#"{"a":["\u0062",{"c":1}]}"#), ["a", "b", "c"]);
    }
}
