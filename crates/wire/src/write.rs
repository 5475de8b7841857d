//! Canonical JSON (PROTOCOL 2): the fields in their order, no white space, and only the escapes
//! that JSON requires.

use crate::level::Level;
use crate::mode::Mode;
use crate::node::Node;
use crate::timestamp::Timestamp;
use crate::{Iv, Salt, base64};

/// The parts of an entry, borrowed: what a sealer writes without making an
/// [`Entry`](crate::Entry) first.
#[derive(Clone, Copy, Debug)]
pub struct EntryParts<'a> {
    /// The sender's name.
    pub node: &'a Node,
    /// The sealed bytes. Their length is the caller's to keep within a [`Payload`](crate::Payload)'s.
    pub payload: &'a [u8],
    /// The severity.
    pub level: Level,
    /// The time.
    pub timestamp: Timestamp,
    /// How it is sealed.
    pub mode: Mode,
    /// The initialisation vector.
    pub iv: &'a Iv,
    /// The salt.
    pub salt: &'a Salt,
}

impl EntryParts<'_> {
    /// Appends the canonical JSON to `out`, allocating at most once.
    pub fn append_json(&self, out: &mut Vec<u8>) {
        append_entry(self, out);
    }
}

/// What an entry has beside its node and its payload, at most: names, punctuation, the longest
/// timestamp, iv and salt.
const FRAME_MAX: usize = 220;

pub(crate) fn append_entry(parts: &EntryParts<'_>, out: &mut Vec<u8>) {
    out.reserve(
        FRAME_MAX + 2 * parts.node.as_str().len() + base64::encoded_len(parts.payload.len()),
    );
    out.extend_from_slice(b"{\"node\":\"");
    append_escaped(parts.node.as_str(), out);
    out.extend_from_slice(b"\",\"payload\":\"");
    base64::encode_append(parts.payload, out);
    out.extend_from_slice(b"\",\"loglevel\":");
    out.push(b'0' + parts.level.number());
    out.extend_from_slice(b",\"timestamp\":\"");
    parts.timestamp.append_to(out);
    out.extend_from_slice(b"\",\"encryption_mode\":");
    out.extend_from_slice(match parts.mode {
        Mode::Pbkdf2 => b"1",
        Mode::Scrypt => b"2",
        Mode::Argon2 => b"3",
        Mode::ChaCha20Argon2 => b"4",
        Mode::Hkdf => b"128",
    });
    out.extend_from_slice(b",\"iv\":\"");
    base64::encode_append(parts.iv.as_bytes(), out);
    out.extend_from_slice(b"\",\"salt\":\"");
    base64::encode_append(parts.salt.as_bytes(), out);
    out.extend_from_slice(b"\"}");
}

/// Appends a node's name. It holds no control character, so that two escapes are all.
fn append_escaped(name: &str, out: &mut Vec<u8>) {
    for byte in name.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Entry, Payload};

    fn entry(node: &str, payload: Vec<u8>, mode: Mode, timestamp: Timestamp) -> Entry {
        Entry::new(
            Node::new(node).unwrap(),
            Payload::new(payload).unwrap(),
            Level::Info,
            timestamp,
            mode,
            Iv::new(*b"defghijklmno"),
            Salt::new(std::array::from_fn(|i| u8::try_from(i).unwrap())),
        )
        .unwrap()
    }

    #[test]
    fn the_canonical_form_is_this_byte_for_byte() {
        let entry = entry(
            "app \"α\\β\" / 🌍",
            vec![0xff; 16],
            Mode::Pbkdf2,
            "2024-01-17T10:30:45.12Z".parse().unwrap(),
        );
        assert_eq!(
            entry.to_json(),
            concat!(
                r#"{"node":"app \"α\\β\" / 🌍","payload":"/////////////////////w==","loglevel":7,"#,
                r#""timestamp":"2024-01-17T10:30:45.120Z","encryption_mode":1,"#,
                r#""iv":"ZGVmZ2hpamtsbW5v","salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#
            )
        );
    }

    #[test]
    fn one_allocation_is_enough_for_the_longest_frame() {
        let mut out = Vec::new();
        let entry = entry("\"", vec![0; 48], Mode::Hkdf, Timestamp::MAX);
        entry.append_json(&mut out);
        assert!(out.len() <= FRAME_MAX + 2 + 64);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_is_what_serde_json_would_write(
            node in "\\PC{1,255}",
            payload in proptest::collection::vec(any::<u8>(), 48..400),
            mode in proptest::sample::select(&Mode::ALL[..]),
        ) {
            let entry = entry(&node, payload, mode, Timestamp::now());
            let json = entry.to_json();
            let theirs: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(theirs["node"].as_str(), Some(node.as_str()));
            prop_assert!(json.contains(&serde_json::to_string(&node).unwrap()));
            prop_assert_eq!(Entry::parse_strict(json.as_bytes()), Ok(entry));
        }
    }
}
