//! A case of the suite, whatever part it is of.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::{Note, Operation, Requirement, Test, Verdict};

/// A part of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Part {
    /// Whether the subject keeps to the protocol of subjects.
    Protocol,
    /// The vectors.
    Static,
    /// What the subject seals by itself.
    RoundTrip,
    /// What the subject does on the network.
    Transport,
}

impl Part {
    /// Every part, in the order of a run.
    pub const ALL: [Self; 4] = [Self::Protocol, Self::Static, Self::RoundTrip, Self::Transport];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Static => "vectors",
            Self::RoundTrip => "round trips",
            Self::Transport => "transport",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A case of the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Case {
    /// The name, unique in the suite.
    pub id: String,
    /// The part it belongs to.
    pub part: Part,
    /// Whether a subject may lack it.
    pub level: Requirement,
    /// The operations that it needs.
    pub operations: &'static [&'static str],
    /// Whether it is a vector that must be accepted.
    pub(crate) accepts: bool,
    /// The mode of a vector, where it has one.
    pub(crate) mode: Option<u64>,
    /// What it is about, such as `ModifiedTag`.
    pub flag: String,
    /// What is special about it, in a few words.
    pub comment: String,
    /// The sentence that it comes from, where it stands, why it matters and what to look at.
    pub note: Note,
}

/// A case that has no vector, as its part writes it down.
pub(crate) struct Plan {
    pub(crate) flag: &'static str,
    pub(crate) comment: &'static str,
    pub(crate) effect: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) spec: &'static str,
    pub(crate) remedy: &'static str,
}

impl Plan {
    /// The case that needs these operations.
    pub(crate) fn case(
        &self,
        id: String,
        part: Part,
        level: Requirement,
        operations: &'static [&'static str],
    ) -> Case {
        let note = Note {
            effect: self.effect.to_owned(),
            rule: self.rule.to_owned(),
            spec: self.spec.to_owned(),
            remedy: self.remedy.to_owned(),
        };
        let (flag, comment) = (self.flag.to_owned(), self.comment.to_owned());
        Case { id, part, level, operations, accepts: false, mode: None, flag, comment, note }
    }
}

impl Case {
    pub(crate) fn of_test(
        operation: Operation,
        test: &Test,
        mode: Option<u64>,
        notes: &BTreeMap<String, Note>,
    ) -> Self {
        // A known answer says more than what it is known of.
        let known = test.flags.iter().find(|flag| *flag == "KnownAnswer");
        let flag = known.or(test.flags.first()).cloned().unwrap_or_default();
        let note = notes.get(&flag).cloned().unwrap_or_else(|| Note {
            effect: String::new(),
            rule: String::new(),
            spec: String::new(),
            remedy: String::new(),
        });
        Self {
            id: test.id.clone(),
            part: Part::Static,
            level: test.level,
            operations: match operation {
                Operation::Open => &["open"],
                Operation::Seal => &["seal"],
                Operation::Derive => &["derive"],
                Operation::Parse => &["parse"],
            },
            accepts: test.expect.result == Verdict::Valid,
            mode,
            flag,
            comment: test.comment.clone(),
            note,
        }
    }
}
