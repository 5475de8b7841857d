//! What a subject says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a subject spends keys in modes 1 to 4 (PROTOCOL 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeyPolicy {
    /// Every entry has a salt and key of its own.
    Unique,
    /// Entries share a key where there is none of their own.
    Adaptive,
    /// Entries share a key until a bound is met.
    Bounded,
}

impl KeyPolicy {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::Adaptive => "adaptive",
            Self::Bounded => "bounded",
        }
    }
}

/// The answer to `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is written in.
    pub language: String,
    /// What it can do: `open`, `parse`, `seal`, `derive`, `ship`.
    pub operations: Vec<String>,
    /// The encryption modes it has.
    pub modes: Vec<u64>,
    /// How it spends keys.
    pub key_policy: KeyPolicy,
    /// Whether it can seal with a given salt and iv.
    #[serde(default = "yes")]
    pub given_salt_and_iv: bool,
}

const fn yes() -> bool {
    true
}

/// What a subject may be able to do.
pub(crate) const OPERATIONS: [&str; 5] = ["open", "parse", "seal", "derive", "ship"];

impl Identity {
    /// Reads the answer to `hello`; an error is what is wrong with it.
    pub(super) fn read(parts: Map<String, Value>) -> Result<Self, String> {
        let identity: Self = serde_json::from_value(Value::Object(parts))
            .map_err(|error| format!("an ok that says too little of it: {error}"))?;
        if let Some(other) = identity.operations.iter().find(|o| !OPERATIONS.contains(&o.as_str()))
        {
            return Err(format!("the operation {other:?}, which does not exist"));
        }
        if identity.name.trim().is_empty() {
            return Err("an empty name".to_owned());
        }
        Ok(identity)
    }

    pub(crate) fn can(&self, operation: &str) -> bool {
        self.operations.iter().any(|known| known == operation)
    }
}
