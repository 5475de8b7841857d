//! What an implementation answered, and whether that is what was expected.

use std::fmt;

use logflux_wire::Stage;
use sha2::{Digest as _, Sha256};

use crate::encoding::{Base64, Hex};
use crate::finding::{Finding, Reason};
use crate::model::{Expect, Verdict};

/// What came of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted(Outcome),
    /// Refused, and where, if the refusal is that of an entry.
    Refused(Option<Stage>),
}

/// What an accepted task gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The entry is good, and nothing more was asked.
    Read,
    Message(Vec<u8>),
    Entry(Vec<u8>),
    Key(Vec<u8>),
}

/// Says what is wrong with an answer; `None` where it is right.
pub(crate) fn judge(expect: &Expect, answer: &Answer) -> Option<Finding> {
    let right = match (expect.result, answer) {
        (Verdict::Valid | Verdict::Acceptable, Answer::Accepted(outcome)) => fits(expect, outcome),
        (Verdict::Invalid | Verdict::Acceptable, Answer::Refused(stage)) => {
            expect.stage.is_none() || expect.stage == *stage
        }
        (Verdict::Valid, Answer::Refused(_)) | (Verdict::Invalid, Answer::Accepted(_)) => false,
    };
    if right {
        return None;
    }
    let reason = match (expect.result, answer, expect.stage) {
        (Verdict::Valid, Answer::Refused(stage), _) => Reason::Refused(*stage),
        (_, Answer::Refused(stage), Some(expected)) => Reason::WrongStage { expected, got: *stage },
        _ => Reason::Rule,
    };
    let mut got = answer.to_string();
    if let (Some(Base64(wanted)), Answer::Accepted(Outcome::Entry(entry))) =
        (&expect.entry_b64, answer)
    {
        let same = wanted.iter().zip(entry).take_while(|(a, b)| a == b).count();
        got = format!("{got}: it differs from byte {} on", same + 1);
    }
    Some(Finding::new(expected(expect), got).because(reason))
}

fn fits(expect: &Expect, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Read => true,
        Outcome::Message(message) => {
            expect.message_hex.as_ref().is_none_or(|expected| expected.0 == *message)
        }
        Outcome::Key(key) => expect.key_hex.as_ref().is_none_or(|expected| expected.0 == *key),
        Outcome::Entry(entry) => {
            let digest = |expected: &Hex| expected.0 == Sha256::digest(entry).as_slice();
            expect.entry_b64.as_ref().is_none_or(|expected| expected.0 == *entry)
                && expect.entry_sha256_hex.as_ref().is_none_or(digest)
        }
    }
}

/// What must come out, in words.
pub(crate) fn expected(expect: &Expect) -> String {
    let outcome = if let Some(message) = &expect.message_hex {
        format!(", message {}", shown(&message.0))
    } else if let Some(key) = &expect.key_hex {
        format!(", key {key}")
    } else if let Some(Base64(entry)) = &expect.entry_b64 {
        format!(", entry {}", shown(entry))
    } else if let Some(digest) = &expect.entry_sha256_hex {
        format!(", entry with SHA-256 {digest}")
    } else {
        String::new()
    };
    let stage = expect.stage.map_or_else(String::new, |stage| format!(" at stage {stage}"));
    format!("{}{stage}{outcome}", expect.result)
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(None) => f.write_str("refused without a stage"),
            Self::Refused(Some(stage)) => write!(f, "refused at stage {stage}"),
            Self::Accepted(Outcome::Read) => f.write_str("accepted"),
            Self::Accepted(Outcome::Message(message)) => write!(f, "message {}", shown(message)),
            Self::Accepted(Outcome::Entry(entry)) => write!(f, "entry {}", shown(entry)),
            Self::Accepted(Outcome::Key(key)) => write!(f, "key {}", Hex(key.clone())),
        }
    }
}

/// The start of what may be long. Vectors hold no secrets.
fn shown(bytes: &[u8]) -> String {
    const SHOWN: usize = 300;
    let text = String::from_utf8_lossy(bytes);
    let start: String = text.chars().take(SHOWN).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{more} ({} bytes)", bytes.len())
}
