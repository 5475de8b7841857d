//! What every function runs inside: a panic becomes an error, and an error one that JavaScript makes
//! its own class of.
//!
//! No error of the core has a secret, a message or a key in it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use logflux_envelope::{Field, Stage};
use logflux_host::Kind;
use napi::{Error, Result, Status};

logflux_host::failure!(pub);

impl Failure {
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
