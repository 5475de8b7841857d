//! What a client is set to: values that are given, and variables for the rest.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use logflux_envelope::{KeyPolicy, Secret};
use logflux_transport::{ClientConfig, ConfigError, Reason, SETTINGS, Setting};
use zeroize::Zeroizing;

use crate::{Fault, secret};

/// Variables of the environment, by name.
pub type Environment = HashMap<String, String>;

/// The bounds of a key policy; what is left out stays as it is.
#[derive(Clone, Copy, Debug)]
pub struct PolicyBounds {
    /// The part of one core that derivation may use.
    pub budget: Option<f64>,
    /// How many entries may share a key.
    pub max_entries: Option<u64>,
    /// How long entries may share a key.
    pub max_age: Option<Duration>,
}

/// The settings that an SDK takes, in the order of their table.
pub fn taken() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.python)
}

/// What a setting is, in a sentence that has the names of the SDK.
#[must_use]
pub fn about(setting: &Setting) -> String {
    setting.about.replace("max_delay", "maxDelay")
}

/// What is given in the SDK, by the names that settings have there.
pub struct Given {
    /// As text.
    pub values: HashMap<String, String>,
    /// The secret; without one, the variables say where it is.
    pub secret: Option<Secret>,
    /// The bounds of the key policy.
    pub policy: Option<PolicyBounds>,
}

impl fmt::Debug for Given {
    /// Without values: one is the API key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("names", &self.values.keys()).finish_non_exhaustive()
    }
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
) -> Result<(ClientConfig, Secret, Identity), Fault> {
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
        config.key_policy = bounded(config.key_policy, bounds)?;
    }
    let secret = match &given.secret {
        Some(secret) => secret.clone(),
        None => secret::from_env(environment, config.secret_command_timeout)?,
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

/// A key policy by its name, the adaptive one where there is none, with other bounds.
///
/// # Errors
/// [`Fault::Settings`] for another name, or a bound that is not allowed.
pub fn key_policy(name: Option<&str>, bounds: Option<PolicyBounds>) -> Result<KeyPolicy, Fault> {
    let policy = match name {
        None | Some("adaptive") => KeyPolicy::DEFAULT,
        Some("unique") => KeyPolicy::Unique,
        Some("bounded") => KeyPolicy::BOUNDED,
        Some(_) => {
            let what = "must be \"unique\", \"adaptive\" or \"bounded\"";
            return Err(Fault::setting("keyPolicy", what));
        }
    };
    bounds.map_or(Ok(policy), |bounds| bounded(policy, bounds))
}

/// A policy with other bounds.
fn bounded(mut policy: KeyPolicy, given: PolicyBounds) -> Result<KeyPolicy, Fault> {
    match &mut policy {
        KeyPolicy::Adaptive { budget, max_entries, max_age } => {
            *budget = given.budget.unwrap_or(*budget);
            *max_entries = given.max_entries.unwrap_or(*max_entries);
            *max_age = given.max_age.unwrap_or(*max_age);
        }
        KeyPolicy::Bounded { max_entries, max_age } => {
            *max_entries = given.max_entries.unwrap_or(*max_entries);
            *max_age = given.max_age.unwrap_or(*max_age);
        }
        _ => {}
    }
    policy.check().map_err(|error| Fault::setting("keyPolicy", error))?;
    Ok(policy)
}

/// The same error with the name under which the value was given.
fn named(error: &ConfigError, given: &Given) -> Fault {
    let setting = SETTINGS.iter().find(|setting| setting.variable == Some(error.setting));
    let Some(setting) = setting else { return Fault::Settings(error.to_string()) };
    let name = camel(setting.name);
    let together = setting.name == "initial_delay" && given.values.contains_key("maxDelay");
    let is_given = together || given.values.contains_key(&name);
    match (&error.reason, is_given) {
        (Reason::Missing, _) => {
            let variable = error.setting;
            Fault::Settings(format!("{name} is not set: give it, or set {variable}"))
        }
        (Reason::Invalid(what), true) => {
            Fault::setting(&name, what.replace("max_delay", "maxDelay"))
        }
        _ => Fault::Settings(error.to_string()),
    }
}

/// The name of a setting in the SDK: `queueSize` of `queue_size`.
#[must_use]
pub fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}
