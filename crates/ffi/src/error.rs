//! The details of a failure.

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use logflux_envelope::{EntryError, Field, OpenError, RandomError, SealError, SecretError, Stage};
use logflux_envelope::{KeyPolicyError, SecretSourceError};

use crate::boundary::freeing;
use crate::status::logflux_status;

/// Why a call failed. No part of it holds a secret, a message, an API key or anything of a payload.
#[derive(Clone, Debug)]
pub struct logflux_error {
    status: logflux_status,
    message: CString,
    field: Option<CString>,
    stage: Option<Stage>,
    dropped: u64,
    left: u64,
}

/// Inside, a failure is what the handle will hold.
pub(crate) type Failure = Box<logflux_error>;

impl logflux_error {
    pub(crate) fn new(status: logflux_status, message: impl ToString) -> Failure {
        let message = text(message);
        Box::new(Self { status, message, field: None, stage: None, dropped: 0, left: 0 })
    }

    /// A failure at this parameter, field or setting.
    pub(crate) fn at(status: logflux_status, field: &str, message: impl ToString) -> Failure {
        Self::new(status, message).with_field(field)
    }

    pub(crate) fn with_field(mut self: Box<Self>, field: &str) -> Failure {
        self.field = Some(text(field));
        self
    }

    fn with_stage(mut self: Box<Self>, stage: Stage) -> Failure {
        self.stage = Some(stage);
        self
    }

    /// With how many messages were dropped, and how many are left.
    #[cfg(feature = "client")]
    pub(crate) fn with_counts(mut self: Box<Self>, dropped: u64, left: u64) -> Failure {
        (self.dropped, self.left) = (dropped, left);
        self
    }

    pub(crate) fn status(&self) -> logflux_status {
        self.status
    }
}

/// No message holds a NUL; if one did, it would stand for what is before it.
fn text(text: impl ToString) -> CString {
    let mut bytes = text.to_string().into_bytes();
    bytes.retain(|byte| *byte != 0);
    CString::new(bytes).unwrap_or_default()
}

impl From<EntryError> for Failure {
    fn from(error: EntryError) -> Self {
        let status = match error.stage() {
            Stage::Mode => logflux_status::UnsupportedMode,
            _ => logflux_status::InvalidEntry,
        };
        let failure = logflux_error::new(status, &error).with_stage(error.stage());
        match error.field() {
            Some(field) => failure.with_field(field.name()),
            None => failure,
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let status = match error {
            OpenError::Authentication => logflux_status::AuthenticationFailed,
            OpenError::Utf8 => logflux_status::MessageNotUtf8,
            OpenError::Derivation => logflux_status::OutOfMemory,
            _ => logflux_status::Internal,
        };
        logflux_error::new(status, error).with_stage(error.stage())
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        let status = match &error {
            SealError::MessageTooLong { .. } => {
                let failure = logflux_error::at(logflux_status::MessageTooLong, "message", error);
                return failure.with_stage(Stage::Size);
            }
            SealError::Random(_) => logflux_status::RandomFailed,
            SealError::Derivation => logflux_status::OutOfMemory,
            _ => logflux_status::Internal,
        };
        logflux_error::new(status, error)
    }
}

impl From<RandomError> for Failure {
    fn from(error: RandomError) -> Self {
        logflux_error::new(logflux_status::RandomFailed, error)
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let status = match error {
            SecretError::NotUtf8 => logflux_status::InvalidUtf8,
            _ => logflux_status::InvalidSecret,
        };
        logflux_error::at(status, "secret", error)
    }
}

impl From<SecretSourceError> for Failure {
    fn from(error: SecretSourceError) -> Self {
        match error {
            SecretSourceError::Secret(error) => error.into(),
            _ => logflux_error::new(logflux_status::SecretUnavailable, error),
        }
    }
}

impl From<KeyPolicyError> for Failure {
    fn from(error: KeyPolicyError) -> Self {
        logflux_error::at(logflux_status::InvalidKeyPolicy, "policy", error)
    }
}

/// The status that the call returned.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_error_status(error: Option<&logflux_error>) -> logflux_status {
    error.map_or(logflux_status::Ok, |error| error.status)
}

/// What was wrong, in lower case and without a full stop, and what to do where that is known. It
/// lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_error_message(error: Option<&logflux_error>) -> *const c_char {
    error.map_or(c"", |error| &error.message).as_ptr()
}

/// The parameter, the entry's field, the setting or the environment variable that is at fault, or
/// NULL if no single one is. It lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_error_field(error: Option<&logflux_error>) -> *const c_char {
    error.and_then(|error| error.field.as_deref()).map_or(ptr::null(), CStr::as_ptr)
}

/// Where on its way from bytes to a message an entry failed, by the names of the vectors: "json",
/// "field", "base64", "size", "mode", "authentication" or "utf8". NULL where no entry failed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_error_stage(error: Option<&logflux_error>) -> *const c_char {
    let name = |stage| match stage {
        Stage::Json => c"json",
        Stage::Field => c"field",
        Stage::Base64 => c"base64",
        Stage::Size => c"size",
        Stage::Mode => c"mode",
        Stage::Authentication => c"authentication",
        Stage::Utf8 => c"utf8",
        _ => c"unknown",
    };
    error.and_then(|error| error.stage).map_or(ptr::null(), |stage| name(stage).as_ptr())
}

/// How many messages were dropped since the client was built, of those that were logged before the
/// flush. 0 where no flush or close failed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_error_dropped(error: Option<&logflux_error>) -> u64 {
    error.map_or(0, |error| error.dropped)
}

/// How many of the messages that were logged before the flush are still on their way. 0 where no
/// flush failed; a close leaves none.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_error_left(error: Option<&logflux_error>) -> u64 {
    error.map_or(0, |error| error.left)
}

/// Frees an error. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_error_free(error: Option<Box<logflux_error>>) {
    freeing(error);
}

/// A failure at a field of an entry.
pub(crate) fn at_field(status: logflux_status, field: Field, message: impl ToString) -> Failure {
    let stage = match field {
        Field::EncryptionMode => Stage::Mode,
        Field::Iv | Field::Salt => Stage::Size,
        _ => Stage::Field,
    };
    logflux_error::at(status, field.name(), message).with_stage(stage)
}
