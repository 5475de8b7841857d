//! What a vector file holds: the serde form of `vectors/schema.json`.

use std::collections::BTreeMap;
use std::fmt;

use logflux_wire::Stage;
use serde::{Deserialize, Serialize};

use crate::encoding::{Base64, Hex};

/// The `schema` of every vector file.
pub const SCHEMA: &str = "logflux-vectors-1";
/// The `suite_version` of the vectors that this crate writes (semantic versioning: a new case is a
/// minor version, a changed verdict is a major one).
pub const SUITE_VERSION: &str = "1.1.0";

/// One vector file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// [`SCHEMA`].
    pub schema: String,
    /// [`SUITE_VERSION`] at the time of writing.
    pub suite_version: String,
    /// What each flag of this file's tests means.
    pub notes: BTreeMap<String, Note>,
    /// The tests, by operation, secret and salt.
    pub groups: Vec<Group>,
}

/// What a flag means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What goes wrong for users of an implementation that fails these tests.
    pub effect: String,
    /// The rule, word for word as the protocol has it.
    pub rule: String,
    /// Where the rule comes from.
    pub spec: String,
    /// What an implementation that fails them should look at.
    pub remedy: String,
}

/// Tests of one operation under one secret, which share a derivation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What is done.
    pub operation: Operation,
    /// The secret's UTF-8 bytes; absent for [`Operation::Parse`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_hex: Option<Hex>,
    /// The tests.
    pub tests: Vec<Test>,
}

/// What is done with a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Read an entry and open it.
    Open,
    /// Seal a message with everything given: the canonical entry must come out.
    Seal,
    /// Derive an entry's key.
    Derive,
    /// Read an entry without a secret.
    Parse,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 4] = [Self::Open, Self::Seal, Self::Derive, Self::Parse];

    /// The name in the files, which every id of it begins with.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Seal => "seal",
            Self::Derive => "derive",
            Self::Parse => "parse",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How much an implementation may lack a test's subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Requirement {
    /// Every implementation has it.
    Must,
    /// An implementation may lack it, and say so; if it has it, it is like this.
    Should,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        })
    }
}

/// One test. Which of the optional parts it has depends on the group's operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The name, unique in the suite: `operation/topic/case`.
    pub id: String,
    /// Whether an implementation may lack it.
    pub level: Requirement,
    /// What it is about; each is explained by a note of its file.
    pub flags: Vec<String>,
    /// What is special about it, in a few words.
    pub comment: String,
    /// `open`, `parse`: the exact bytes of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_b64: Option<Base64>,
    /// `open`, `parse`: the entry where it is too long for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_runs: Option<Vec<Run>>,
    /// `seal`, `derive`: the encryption mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u64>,
    /// `seal`, `derive`: the salt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt_hex: Option<Hex>,
    /// `seal`: the iv.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iv_hex: Option<Hex>,
    /// `seal`: the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// `seal`: the level, as `loglevel` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loglevel: Option<u64>,
    /// `seal`: the time in RFC 3339, not always in the form that is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// `seal`: the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_hex: Option<Hex>,
    /// `seal`: the message where it is too long for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_runs: Option<Vec<Run>>,
    /// What must come out.
    pub expect: Expect,
}

/// Some bytes, repeated: long inputs are lists of these, to be put together in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The bytes.
    pub b64: Base64,
    /// How often they stand there.
    pub times: usize,
}

/// The bytes that a list of runs stands for.
#[must_use]
pub fn expand(runs: &[Run]) -> Vec<u8> {
    runs.iter().flat_map(|run| run.b64.0.repeat(run.times)).collect()
}

/// What must come out of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Accepted or refused.
    pub result: Verdict,
    /// Where it is refused; absent where any stage will do.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stage")]
    pub stage: Option<Stage>,
    /// `open`: the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_hex: Option<Hex>,
    /// `derive`: the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_hex: Option<Hex>,
    /// `seal`: the canonical entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_b64: Option<Base64>,
    /// `seal`: the SHA-256 of the canonical entry where it is too long for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_sha256_hex: Option<Hex>,
}

/// Whether a test's input is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It must be accepted, with the outcome that is given.
    Valid,
    /// It must be refused, at the stage that is given.
    Invalid,
    /// Either is right; where it is accepted, the outcome must be the one that is given.
    Acceptable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Acceptable => "acceptable",
        })
    }
}

/// The stage of a name.
pub(crate) fn stage_by_name(name: &str) -> Option<Stage> {
    const ALL: [Stage; 7] = [
        Stage::Json,
        Stage::Field,
        Stage::Base64,
        Stage::Size,
        Stage::Mode,
        Stage::Authentication,
        Stage::Utf8,
    ];
    ALL.into_iter().find(|stage| stage.name() == name)
}

mod stage {
    use logflux_wire::Stage;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    // Serde calls it with a reference.
    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(
        stage: &Option<Stage>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        stage.map(Stage::name).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Stage>, D::Error> {
        let name = String::deserialize(deserializer)?;
        super::stage_by_name(&name)
            .map(Some)
            .ok_or_else(|| D::Error::custom(format_args!("no such stage: {name}")))
    }
}
