//! Settings, as JavaScript has them.

use std::time::Duration;

use logflux_host::settings;
use logflux_transport::{Kind, Setting};
use napi_derive::napi;

use crate::boundary::Failure;
use crate::values;

/// The bounds of a key policy.
#[napi(object)]
#[derive(Clone, Copy, Debug)]
pub struct PolicyBounds {
    /// The part of one core that derivation may use.
    pub budget: Option<f64>,
    /// How many entries may share a key.
    pub max_entries: Option<f64>,
    /// How long entries may share a key, in milliseconds.
    pub max_age: Option<f64>,
}

/// A setting, for the tests of the package.
#[napi(object, object_from_js = false)]
pub struct SettingRow {
    /// Its name in JavaScript.
    pub name: String,
    /// Its variable.
    pub variable: Option<String>,
    /// `number`, `factor`, `duration`, `choice` or `text`.
    pub kind: &'static str,
    /// What it may be, in words.
    pub values: String,
    /// What it is, in a sentence.
    pub about: String,
    /// The default, in words.
    pub default: Option<String>,
    /// The least value, where it has one; of a duration in milliseconds.
    pub min: Option<f64>,
    /// The greatest value, where it has one.
    pub max: Option<f64>,
    /// The words of a choice.
    pub words: Option<Vec<&'static str>>,
}

/// The table of settings that JavaScript takes.
#[napi]
pub fn settings() -> Vec<SettingRow> {
    settings::taken().map(row).collect()
}

#[allow(clippy::cast_precision_loss)] // No bound has more than 53 bits.
fn row(setting: &Setting) -> SettingRow {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (kind, min, max, words) = match setting.kind {
        Kind::Number { min, max, .. } | Kind::Size { min, max, .. } => {
            ("number", Some(min as f64), Some(max as f64), None)
        }
        Kind::Factor { min, max, .. } => ("factor", Some(min), Some(max), None),
        Kind::Duration { min, max, .. } => {
            ("duration", Some(milliseconds(min)), Some(milliseconds(max)), None)
        }
        Kind::Choice { words, .. } => ("choice", None, None, Some(words.to_vec())),
        _ => ("text", None, None, None),
    };
    SettingRow {
        name: settings::camel(setting.name),
        variable: setting.variable.map(str::to_owned),
        kind,
        values: setting.kind.values(),
        about: settings::about(setting),
        default: setting.kind.default(),
        min,
        max,
        words,
    }
}

/// The bounds that JavaScript gives.
pub(crate) fn bounds(given: PolicyBounds) -> Result<settings::PolicyBounds, Failure> {
    let whole = |number: f64| {
        if number.fract() != 0.0 || !(0.0..=9e15).contains(&number) {
            return Err(Failure::setting("keyPolicy", "maxEntries must be a whole number"));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It was bounded.
        Ok(number as u64)
    };
    Ok(settings::PolicyBounds {
        budget: given.budget,
        max_entries: given.max_entries.map(whole).transpose()?,
        max_age: given.max_age.map(values::duration),
    })
}
