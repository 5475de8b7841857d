//! What every function runs inside: a panic becomes an error, and an error one that JavaScript makes
//! its own class of.
//!
//! No error of the core has a secret, a message or a key in it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use logflux_envelope::{EntryError, Field, KeyPolicyError, OpenError, SealError, Stage};
use logflux_host::Fault;
use napi::{Error, Result, Status};

/// The class of an error in JavaScript.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Entry,
    LogFlux,
    Open,
    Seal,
    Secret,
    Settings,
}

/// What failed, in words, and where.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    stage: Option<Stage>,
    field: Option<Field>,
}

impl Failure {
    fn new(kind: Kind, message: impl ToString) -> Self {
        Self { kind, message: message.to_string(), stage: None, field: None }
    }

    /// A setting is missing or wrong; `name` is the one that JavaScript gave.
    pub(crate) fn setting(name: &str, error: impl ToString) -> Self {
        Self::new(Kind::Settings, format!("{name}: {}", error.to_string()))
    }

    /// A setting is missing or wrong, which the error says itself.
    pub(crate) fn settings(error: impl ToString) -> Self {
        Self::new(Kind::Settings, error)
    }

    pub(crate) fn secret(error: impl ToString) -> Self {
        Self::new(Kind::Secret, error)
    }

    /// A field of an entry has a value that is not allowed.
    pub(crate) fn field(field: Field, stage: Stage, error: impl ToString) -> Self {
        Self { stage: Some(stage), field: Some(field), ..Self::new(Kind::Entry, error) }
    }

    pub(crate) fn other(message: &str) -> Self {
        Self::new(Kind::LogFlux, message)
    }

    /// The parts, as JavaScript takes them apart again.
    pub(crate) fn packed(&self) -> String {
        let kind = match self.kind {
            Kind::Entry => "EntryError",
            Kind::LogFlux => "LogFluxError",
            Kind::Open => "OpenError",
            Kind::Seal => "SealError",
            Kind::Secret => "SecretError",
            Kind::Settings => "SettingsError",
        };
        let stage = self.stage.map_or("", Stage::name);
        let field = self.field.map_or("", Field::name);
        format!("{kind}\u{1}{stage}\u{1}{field}\u{1}{}", self.message)
    }
}

impl From<EntryError> for Failure {
    fn from(error: EntryError) -> Self {
        let (stage, field) = (Some(error.stage()), error.field());
        Self { stage, field, ..Self::new(Kind::Entry, error) }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self { stage: Some(error.stage()), ..Self::new(Kind::Open, error) }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        let too_long = matches!(error, SealError::MessageTooLong { .. });
        Self { stage: too_long.then_some(Stage::Size), ..Self::new(Kind::Seal, error) }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Settings(text) => Self::settings(text),
            Fault::Secret(text) => Self::secret(text),
            Fault::Other(text) => Self::other(text),
        }
    }
}

impl From<KeyPolicyError> for Failure {
    fn from(error: KeyPolicyError) -> Self {
        Self::setting("keyPolicy", error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(Status::GenericFailure, failure.packed())
    }
}

/// An error of Node-API itself, such as for a value of another type.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::other(&error.reason)
    }
}

/// Does the work of a function. A panic ends nothing.
pub(crate) fn guarded<T>(work: impl FnOnce() -> std::result::Result<T, Failure>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Ok(done?),
        Err(_) => Err(Failure::other("a fault of LogFlux: please report it").into()),
    }
}
