//! The cases of the suite, whatever part they are of.

use std::collections::BTreeMap;
use std::fmt;

use crate::load::{self, LoadError};
use crate::model::{Note, Requirement, Test};
use crate::static_cases::{self, StaticCase};
use crate::{round_trips, transport};

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
    pub(crate) fn case(&self, id: String, part: Part, level: Requirement) -> Case {
        let note = Note {
            effect: self.effect.to_owned(),
            rule: self.rule.to_owned(),
            spec: self.spec.to_owned(),
            remedy: self.remedy.to_owned(),
        };
        Case { id, part, level, flag: self.flag.to_owned(), comment: self.comment.to_owned(), note }
    }
}

impl Case {
    pub(crate) fn of_test(test: &Test, notes: &BTreeMap<String, Note>) -> Self {
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
            flag,
            comment: test.comment.clone(),
            note,
        }
    }
}

pub(crate) const HELLO: &str = "protocol/hello";
pub(crate) const STOP: &str = "protocol/stop";

const PROTOCOL: [(&str, Plan); 2] = [
    (
        HELLO,
        Plan {
            flag: "Hello",
            comment: "the subject starts, and says who it is",
            effect: "Nothing can be said of it.",
            rule: "The first request is `hello`.",
            spec: "docs/certify.md, hello",
            remedy: "Start the command by hand, and type {\"id\":1,\"op\":\"hello\",\"protocol\":1}.",
        },
    ),
    (
        STOP,
        Plan {
            flag: "Stop",
            comment: "the subject ends when it is asked to",
            effect: "A host that uses it cannot end.",
            rule: "The last request is `stop`: answer it, and exit with status 0",
            spec: "docs/certify.md, stop",
            remedy: "Close the client before the process ends, and wait for no thread for ever.",
        },
    ),
];

/// Every case of the suite, in the order of a run.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) statics: Vec<StaticCase>,
    pub(crate) others: Vec<Case>,
}

impl Suite {
    /// The suite of this program.
    pub(crate) fn built_in() -> Result<Self, LoadError> {
        let mut statics = Vec::new();
        for (name, bytes) in load::built_in() {
            static_cases::append(name, &load::parse(name, bytes)?, &mut statics)?;
        }
        let must = Requirement::Must;
        let protocol =
            PROTOCOL.iter().map(|(id, plan)| plan.case((*id).to_owned(), Part::Protocol, must));
        let others = protocol.chain(round_trips::cases()).chain(transport::cases()).collect();
        Ok(Self { statics, others })
    }

    pub(crate) fn cases(&self) -> impl Iterator<Item = &Case> {
        let protocol = self.others.iter().filter(|case| case.part == Part::Protocol);
        let rest = self.others.iter().filter(|case| case.part != Part::Protocol);
        protocol.chain(self.statics.iter().map(|item| &item.case)).chain(rest)
    }
}

/// Every case of the suite, in the order of a run.
///
/// # Errors
/// [`LoadError`] only where this program was built wrongly.
pub fn cases() -> Result<Vec<Case>, LoadError> {
    Ok(Suite::built_in()?.cases().cloned().collect())
}
