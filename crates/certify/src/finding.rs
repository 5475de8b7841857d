//! What is wrong with a case, and what follows from it for users and for the author of the subject.
//!
//! A case's note says why its rule matters. That holds only where the rule itself is not kept. Where
//! something else came out (a refusal at another stage, say), the finding has sentences of its own.

use logflux_wire::Stage;

use crate::model::Note;

/// What came instead of what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What should have come.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What the subject says about it, in its own words.
    pub said: Option<String>,
    /// Its kind.
    pub reason: Reason,
}

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The case's own rule is not kept, and its note says why that matters.
    Rule,
    /// It is refused, as it must be, at another stage.
    WrongStage {
        /// Where it is to be refused.
        expected: Stage,
        /// Where it is refused, if the subject says so.
        got: Option<Stage>,
    },
    /// What must be accepted is refused.
    Refused(Option<Stage>),
    /// The subject sealed nothing that could be judged.
    NotSealed,
    /// What the subject sealed is no entry.
    NoEntry,
    /// Nothing came to the endpoint.
    NothingArrived,
    /// What came does not open.
    NotOpened,
    /// Some messages did not come.
    Lost,
    /// What failed was not sent again.
    NotRetried,
    /// What failed was sealed anew.
    Resealed,
    /// What was taken came once more.
    Doubled,
    /// Everything was delivered, and `flush` answers an error.
    FlushFailed,
    /// Not everything was delivered, and `flush` answers ok.
    FlushUntrue,
}

impl Finding {
    /// A finding about the case's own rule.
    pub(crate) fn new(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self { expected: expected.into(), got: got.into(), said: None, reason: Reason::Rule }
    }

    pub(crate) fn because(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    pub(crate) fn said(self, said: Option<String>) -> Self {
        Self { said, ..self }
    }
}

impl Reason {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule_not_kept",
            Self::WrongStage { .. } => "wrong_stage",
            Self::Refused(_) => "refused",
            Self::NotSealed => "not_sealed",
            Self::NoEntry => "no_entry",
            Self::NothingArrived => "nothing_arrived",
            Self::NotOpened => "not_opened",
            Self::Lost => "lost",
            Self::NotRetried => "not_retried",
            Self::Resealed => "resealed",
            Self::Doubled => "doubled",
            Self::FlushFailed => "flush_failed",
            Self::FlushUntrue => "flush_untrue",
        }
    }

    /// Why it matters.
    pub(crate) fn effect(self, note: &Note) -> String {
        let text = match self {
            Self::Rule => return note.effect.clone(),
            Self::WrongStage { .. } => {
                "Nothing is accepted that must be refused. But the stage is wrong, and an author or an operator looks for the fault in the wrong place."
            }
            Self::Refused(Some(Stage::Authentication)) => {
                "An honest entry does not open: the key, the cipher, or what it authenticates is not the one of the protocol."
            }
            Self::Refused(_) => {
                "The subject refuses what every implementation must accept: these logs cannot be written or read with it."
            }
            Self::NotSealed => "The subject seals nothing, so that its entries cannot be judged.",
            Self::NoEntry => {
                "What the subject seals is no entry: no server takes it, and nobody can open it."
            }
            Self::NothingArrived => "No log arrives, so that nothing else can be judged.",
            Self::NotOpened => "Entries arrive that nobody can open: these logs are lost.",
            Self::Lost => "Logs are lost.",
            Self::NotRetried => "Logs are lost in every outage.",
            Self::Resealed => {
                "Logs are stored twice: the server tells copies by salt and iv, and another sealing is another entry."
            }
            Self::Doubled => "The server gets the same entries again and again.",
            Self::FlushFailed => {
                "A program that asks is told that its logs are lost, though the server has them: it warns, or sends them again."
            }
            Self::FlushUntrue => "A program believes that its logs are stored, and they are not.",
        };
        text.to_owned()
    }

    /// What to look at.
    pub(crate) fn remedy(self, note: &Note) -> String {
        match self {
            Self::Rule => note.remedy.clone(),
            Self::WrongStage { expected, .. } => {
                format!("Answer {}.", defined(expected))
            }
            Self::Refused(Some(stage)) if stage != Stage::Authentication => {
                format!("It was refused at {}; nothing of it is wrong in that way. {}", defined(stage), note.remedy)
            }
            Self::Refused(_) => note.remedy.clone(),
            Self::NotSealed => {
                "Send it the same `seal` by hand (`logflux certify --show` prints it), and see what it answers.".to_owned()
            }
            Self::NoEntry => "Compare what it seals with `seal/known/*`, which gives salt and iv.".to_owned(),
            Self::NothingArrived => {
                "Does it reach the endpoint of the request, and does it trust `ca_file`? `logflux certify --keep-endpoint` keeps the endpoint, and shows what arrives.".to_owned()
            }
            Self::NotOpened => {
                "Compare its known answers first (`derive/known/*`, `seal/known/*`): what fails there is the reason.".to_owned()
            }
            Self::Lost => "Keep every entry until the server has answered for it, and wait for that in `flush`.".to_owned(),
            Self::NotRetried => {
                "Keep what failed, and send the same bytes again with a growing pause, until `flush` runs out of time.".to_owned()
            }
            Self::Resealed => "Keep the sealed bytes, and send those again; never seal a message twice.".to_owned(),
            Self::Doubled => "Forget an entry as soon as the server has answered for it.".to_owned(),
            Self::FlushFailed => {
                "Answer `flush` with ok where the server has answered for every entry, also if it took several attempts.".to_owned()
            }
            Self::FlushUntrue => {
                "Answer `flush` with an error where an entry is not delivered: the time ran out, or it was refused.".to_owned()
            }
        }
    }
}

/// A stage and what it means.
fn defined(stage: Stage) -> String {
    let means = match stage {
        Stage::Json => "not one JSON object in UTF-8 with distinct keys",
        Stage::Field => "a field is missing, of another type or out of its range",
        Stage::Base64 => "iv, salt or payload is not canonical base64",
        Stage::Size => "iv, salt, payload or message has a wrong length",
        Stage::Mode => "a mode that does not exist",
        Stage::Authentication => "another secret, or an altered entry",
        Stage::Utf8 => "the opened message is not UTF-8",
        _ => "see vectors/README.md",
    };
    format!("stage {stage} ({means})")
}
