//! Bodies that are wrong in ten thousand ways: always refused with a code, never stored.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::common::{TestServer, array, entries, entry};

/// A change to a body.
#[derive(Clone, Debug)]
enum Change {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Drop(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<prop::sample::Index>;
        let pieces =
            ["\"", "{", "}", "[", "]", ",", "null", "\\u0000", "\\ud800", "1e999", "\"\":0,"];
        let piece = prop_oneof![
            prop::sample::select(pieces.map(|piece| piece.as_bytes().to_vec()).to_vec()),
            prop::collection::vec(any::<u8>(), 1..8),
            Just(b"[".repeat(10_000)),
        ];
        prop_oneof![
            (at(), 1_u8..=255).prop_map(|(at, mask)| Self::Flip(at, mask)),
            at().prop_map(Self::Cut),
            (at(), 1_usize..30).prop_map(|(at, len)| Self::Drop(at, len)),
            (at(), piece).prop_map(|(at, piece)| Self::Insert(at, piece)),
            (at(), 1_usize..40).prop_map(|(at, len)| Self::Repeat(at, len)),
        ]
    }

    fn apply(&self, body: &mut Vec<u8>) {
        if body.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, mask) => {
                let at = at.index(body.len());
                body[at] ^= mask;
            }
            Self::Cut(at) => body.truncate(at.index(body.len())),
            Self::Drop(at, len) => {
                let at = at.index(body.len());
                body.drain(at..(at + len).min(body.len()));
            }
            Self::Insert(at, piece) => {
                let at = at.index(body.len());
                body.splice(at..at, piece.iter().copied());
            }
            Self::Repeat(at, len) => {
                let at = at.index(body.len());
                let piece = body[at..(at + len).min(body.len())].to_vec();
                body.splice(at..at, piece);
            }
        }
    }
}

/// Whether wire's own reader finds anything good in a body. A change may well hit nothing that
/// matters, such as a letter of the node's name.
fn has_a_good_entry(body: &[u8], form: logflux_wire::request::Form) -> bool {
    use logflux_wire::request::Body;
    match Body::parse(body, form, 100) {
        Ok(Body::Single(entry)) => entry.is_ok(),
        Ok(Body::Batch(entries)) => entries.iter().any(Result::is_ok),
        Err(_) => false,
    }
}

#[test]
fn ten_thousand_malformed_bodies_are_refused_and_none_is_stored() {
    let server = TestServer::start();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| send_malformed(&server, 2_500));
        }
    });
    assert_eq!(server.stored(), [""; 0]);
}

fn send_malformed(server: &TestServer, cases: u32) {
    let forms = ["/v1/ingest", "/v1/batch"];
    let body = (any::<bool>(), 0..3_usize, prop::collection::vec(Change::any(), 1..4));
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..Config::default()
    });
    runner
        .run(&body, |(batch_path, kind, changes)| {
            let mut body = match kind {
                0 => entry(),
                1 => array(&entries(1)),
                _ => format!("{{\"entries\":{}}}", array(&entries(1))),
            }
            .into_bytes();
            changes.iter().for_each(|change| change.apply(&mut body));
            let form = match batch_path {
                true => logflux_wire::request::Form::Batch,
                false => logflux_wire::request::Form::Ingest,
            };
            prop_assume!(!has_a_good_entry(&body, form));
            let answer = server.post(forms[usize::from(batch_path)], &body);
            prop_assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text);
            let code = answer.json()["error"]["code"].as_str().unwrap().to_owned();
            let known = [
                "invalid_json",
                "invalid_entry",
                "unknown_field",
                "unsupported_mode",
                "payload_too_large",
                "batch_too_large",
            ];
            prop_assert!(known.contains(&code.as_str()), "{code}");
            Ok(())
        })
        .unwrap();
}
