//! What a client is set to: values from JavaScript, and variables for the rest.

use std::collections::HashMap;
use std::time::Duration;

use logflux_envelope::{KeyPolicy, Secret};
use logflux_transport::{ClientConfig, ConfigError, Kind, Reason, SETTINGS, Setting};
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::boundary::Failure;
use crate::secrets::{self, Environment};
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
    SETTINGS.iter().filter(|setting| setting.python).map(row).collect()
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
        name: camel(setting.name),
        variable: setting.variable.map(str::to_owned),
        kind,
        values: setting.kind.values(),
        about: setting.about.replace("max_delay", "maxDelay"),
        default: setting.kind.default(),
        min,
        max,
        words,
    }
}

/// What is given in JavaScript, by the names that settings have there.
pub(crate) struct Given {
    pub(crate) values: HashMap<String, String>,
    pub(crate) secret: Option<Secret>,
    pub(crate) policy: Option<PolicyBounds>,
}

/// Everything that tells two clients of a process apart.
#[derive(PartialEq)]
pub(crate) struct Identity {
    values: Vec<Option<Zeroizing<String>>>,
    secret: Zeroizing<String>,
    policy: KeyPolicy,
}

/// The configuration and the secret of a client.
pub(crate) fn read(
    given: &Given,
    environment: &Environment,
) -> Result<(ClientConfig, Secret, Identity), Failure> {
    let value = |setting: &Setting| -> Option<&String> {
        given.values.get(&camel(setting.name)).or_else(|| environment.get(setting.variable?))
    };
    let look_up = |variable: &str| {
        // What is given comes before both variables of the key.
        if variable == "LOGFLUX_API_KEY_FILE" && given.values.contains_key("apiKey") {
            return None;
        }
        let setting = SETTINGS.iter().find(|setting| setting.variable == Some(variable))?;
        value(setting).map(Into::into)
    };
    let mut config =
        ClientConfig::from_variables(&look_up).map_err(|error| named(&error, given))?;
    if let Some(bounds) = given.policy {
        config.key_policy = policy(config.key_policy, bounds)?;
    }
    let secret = match &given.secret {
        Some(secret) => secret.clone(),
        None => secrets::from_env(environment, config.secret_command_timeout)?,
    };
    let identity = Identity {
        // The key of a file may be another one by now.
        values: SETTINGS
            .iter()
            .filter(|setting| !setting.name.starts_with("secret"))
            .map(|setting| match setting.name {
                "api_key" => Some(Zeroizing::new(config.api_key.expose().to_owned())),
                _ => value(setting).filter(|text| !text.is_empty()).cloned().map(Zeroizing::new),
            })
            .collect(),
        secret: Zeroizing::new(secret.expose().to_owned()),
        policy: config.key_policy,
    };
    Ok((config, secret, identity))
}

/// A policy with other bounds.
pub(crate) fn policy(mut policy: KeyPolicy, given: PolicyBounds) -> Result<KeyPolicy, Failure> {
    let whole = |number: f64| {
        if number.fract() != 0.0 || !(0.0..=9e15).contains(&number) {
            return Err(Failure::setting("keyPolicy", "maxEntries must be a whole number"));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It was bounded.
        Ok(number as u64)
    };
    match &mut policy {
        KeyPolicy::Adaptive { budget, max_entries, max_age } => {
            *budget = given.budget.unwrap_or(*budget);
            *max_entries = given.max_entries.map_or(Ok(*max_entries), whole)?;
            *max_age = given.max_age.map_or(*max_age, values::duration);
        }
        KeyPolicy::Bounded { max_entries, max_age } => {
            *max_entries = given.max_entries.map_or(Ok(*max_entries), whole)?;
            *max_age = given.max_age.map_or(*max_age, values::duration);
        }
        _ => {}
    }
    policy.check()?;
    Ok(policy)
}

/// The same error with the name under which the value was given.
fn named(error: &ConfigError, given: &Given) -> Failure {
    let setting = SETTINGS.iter().find(|setting| setting.variable == Some(error.setting));
    let Some(setting) = setting else { return Failure::settings(error) };
    let name = camel(setting.name);
    let together = setting.name == "initial_delay" && given.values.contains_key("maxDelay");
    let is_given = together || given.values.contains_key(&name);
    match (&error.reason, is_given) {
        (Reason::Missing, _) => {
            let variable = error.setting;
            Failure::settings(format!("{name} is not set: give it, or set {variable}"))
        }
        (Reason::Invalid(what), true) => {
            Failure::setting(&name, what.replace("max_delay", "maxDelay"))
        }
        _ => Failure::settings(error),
    }
}

/// `queueSize` of `queue_size`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}
