//! The messages that are sealed, and what a subject is asked about them.

use std::time::Duration;

use logflux_envelope::{KeyPolicy, Level, Message, Mode, Node, Sealer, Secret, Timestamp};

use crate::encoding::{Base64, Hex};
use crate::finding::{Finding, Reason};
use crate::own_sealing::Wanted;
use crate::subject::{Misbehaviour, Reply, Request, Subject, answer_base64, answer_hex};

const SECRET: &str = "round trip: correct horse battery staple";

/// A message and what goes with it.
pub(super) struct Sample {
    node: &'static str,
    loglevel: u64,
    timestamp: &'static str,
    pub(super) message: Vec<u8>,
}

impl Sample {
    pub(super) fn wanted(&self, mode: u64) -> Wanted<'_> {
        Wanted {
            secret: SECRET.as_bytes(),
            mode,
            node: self.node,
            loglevel: self.loglevel,
            timestamp: self.timestamp,
            message: &self.message,
        }
    }

    pub(super) fn request(&self, mode: u64) -> Request {
        Request::new("seal")
            .with("secret_hex", secret_hex())
            .with("mode", mode)
            .with("node", self.node)
            .with("loglevel", self.loglevel)
            .with("timestamp", self.timestamp)
            .with("message_hex", Hex(self.message.clone()).to_string())
    }
}

fn secret_hex() -> String {
    Hex(SECRET.as_bytes().to_vec()).to_string()
}

pub(super) fn samples() -> Vec<Sample> {
    let sample = |node, loglevel, timestamp, message: &[u8]| Sample {
        node,
        loglevel,
        timestamp,
        message: message.to_vec(),
    };
    vec![
        sample("app-server-01", 7, "2024-01-17T10:30:45Z", b"User login successful"),
        sample("n", 1, "0001-01-01T00:00:00Z", b""),
        sample(
            "Größe \"\\/\u{1f600}",
            8,
            "9999-12-31T23:59:59.999999999Z",
            "ünï\u{0}\r\n\u{1f600}\u{7f}".as_bytes(),
        ),
        sample("app-server-01", 4, "2024-01-17T10:30:45.120Z", &b"0123456789abcde\n".repeat(6_400)),
    ]
}

/// What came of sealing: a refusal is a finding.
pub(super) type Sealed = Result<Vec<u8>, Finding>;

pub(super) fn seal(subject: &mut Subject, request: &Request) -> Result<Sealed, Misbehaviour> {
    let none = |got: String| Finding::new("an entry", got).because(Reason::NotSealed);
    match subject.ask(request, Duration::ZERO)? {
        Reply::Ok(parts) => {
            answer_base64(&parts, "entry_b64").map(Ok).map_err(|what| subject.bad("seal", &what))
        }
        Reply::Refused(refusal) => {
            let at = refusal.stage.map_or_else(String::new, |stage| format!(" at stage {stage}"));
            Ok(Err(none(format!("a refusal to seal{at}")).said(refusal.words)))
        }
        Reply::Unsupported(what) => Ok(Err(none(format!("the answer unsupported: {what}")))),
    }
}

/// The request to open an entry.
pub(super) fn to_open(entry: &[u8]) -> Request {
    Request::new("open")
        .with("secret_hex", secret_hex())
        .with("entry_b64", Base64(entry.to_vec()).to_string())
}

/// What is wrong with how a subject opens an entry.
pub(super) fn open(
    subject: &mut Subject,
    entry: &[u8],
    message: &[u8],
) -> Result<Option<Finding>, Misbehaviour> {
    let wrong = |got: String| Some(Finding::new("the message that was sealed", got));
    match subject.ask(&to_open(entry), Duration::ZERO)? {
        Reply::Ok(parts) => match answer_hex(&parts, "message_hex") {
            Ok(opened) if opened == message => Ok(None),
            Ok(_) => Ok(wrong("another message".to_owned())),
            Err(what) => Err(subject.bad("open", &what)),
        },
        Reply::Refused(refusal) => {
            let at = refusal.stage.map_or_else(String::new, |stage| format!(" at stage {stage}"));
            let found = wrong(format!("a refusal to open{at}"));
            Ok(found.map(|f| f.because(Reason::Refused(refusal.stage)).said(refusal.words)))
        }
        Reply::Unsupported(what) => Ok(wrong(format!("the answer unsupported: {what}"))),
    }
}

/// The samples, sealed by the Rust core under one key.
pub(super) fn our_entries(mode: u64, samples: &[Sample]) -> Result<Vec<String>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let mode = Mode::from_number(mode).map_err(|error| words(&error))?;
    let secret = Secret::new(SECRET).map_err(|error| words(&error))?;
    let sealer = Sealer::builder(secret)
        .mode(mode)
        .key_policy(KeyPolicy::BOUNDED)
        .build()
        .map_err(|error| words(&error))?;
    let mut entries = Vec::new();
    for sample in samples {
        let node = Node::new(sample.node).map_err(|error| words(&error))?;
        let message = Message {
            bytes: &sample.message,
            node: &node,
            level: Level::from_number(sample.loglevel).map_err(|error| words(&error))?,
            timestamp: sample.timestamp.parse::<Timestamp>().map_err(|error| words(&error))?,
        };
        entries.push(sealer.seal(message).map_err(|error| words(&error))?.to_json());
    }
    Ok(entries)
}
