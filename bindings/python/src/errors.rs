//! The exceptions, which are Python's: one place turns errors into them.
//!
//! No error of the core has a secret, a message or a key in it; those of Python that could have
//! (a `UnicodeEncodeError` bears the text it failed on) are replaced here.

#![allow(clippy::needless_pass_by_value)] // They are what `map_err` calls.

use logflux_envelope::{
    EntryError as CoreEntryError, Field, KeyPolicyError, OpenError, SealError, Stage,
};
use pyo3::prelude::*;

mod imported {
    #![allow(missing_docs)]
    use pyo3::import_exception;

    import_exception!(logflux._errors, EntryError);
    import_exception!(logflux._errors, LogfluxError);
    import_exception!(logflux._errors, OpenError);
    import_exception!(logflux._errors, SealError);
    import_exception!(logflux._errors, SecretError);
    import_exception!(logflux._errors, SettingsError);
}

/// The bytes are no entry.
pub(crate) fn entry(error: &CoreEntryError) -> PyErr {
    let field = error.field().map(Field::name);
    imported::EntryError::new_err((error.to_string(), error.stage().name(), field))
}

/// A value is none that this field of an entry may have.
pub(crate) fn field(field: Field, stage: Stage, message: impl ToString) -> PyErr {
    imported::EntryError::new_err((message.to_string(), stage.name(), field.name()))
}

/// What should be JSON is none.
pub(crate) fn not_json(message: &str) -> PyErr {
    imported::EntryError::new_err((message.to_owned(), Stage::Json.name()))
}

pub(crate) fn open(error: OpenError) -> PyErr {
    imported::OpenError::new_err((error.to_string(), error.stage().name()))
}

/// The message is not sealed.
pub(crate) fn seal(error: &SealError) -> PyErr {
    let stage = match error {
        SealError::MessageTooLong { .. } => Some(Stage::Size.name()),
        _ => None,
    };
    imported::SealError::new_err((error.to_string(), stage))
}

/// A text that cannot be sealed: an unpaired surrogate has no UTF-8.
pub(crate) fn message_not_unicode() -> PyErr {
    let message =
        "message holds an unpaired surrogate, which UTF-8 cannot encode: pass bytes instead";
    imported::SealError::new_err((message, Stage::Utf8.name()))
}

pub(crate) fn secret(error: impl ToString) -> PyErr {
    imported::SecretError::new_err(error.to_string())
}

/// A setting is missing or wrong; `name` is the argument's.
pub(crate) fn setting(name: &str, error: impl ToString) -> PyErr {
    imported::SettingsError::new_err(format!("{name}: {}", error.to_string()))
}

/// A setting is missing or wrong; the error names it.
pub(crate) fn config(error: logflux_transport::ConfigError) -> PyErr {
    settings(error)
}

/// A setting is missing or wrong, which the error says itself.
pub(crate) fn settings(error: impl ToString) -> PyErr {
    imported::SettingsError::new_err(error.to_string())
}

pub(crate) fn policy(error: KeyPolicyError) -> PyErr {
    setting("key_policy", error)
}

pub(crate) fn other(message: &str) -> PyErr {
    imported::LogfluxError::new_err(message.to_owned())
}
