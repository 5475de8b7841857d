//! The vectors as requests: what is asked of a subject, and in which order.

use std::collections::HashMap;
use std::time::Duration;

use logflux_wire::Entry;
use serde_json::Value;

use crate::answer::{Answer, Outcome, expected, judge};
use crate::case::Case;
use crate::certificate::Outcome as Judged;
use crate::encoding::{Base64, Hex};
use crate::finding::Finding;
use crate::load::LoadError;
use crate::model::{Expect, Operation, Requirement, VectorFile, Verdict};
use crate::own_sealing;
use crate::subject::{Identity, Misbehaviour, Reply, Request, Subject, answer_base64, answer_hex};
use crate::task::{SealTask, Task};

/// A vector as a case.
#[derive(Debug)]
pub(crate) struct StaticCase {
    pub(crate) case: Case,
    operation: Operation,
    task: Task,
    expect: Expect,
    /// The entry's mode, where it is one of those that a subject may lack.
    mode: Option<u64>,
    /// Cases with the same one share a derivation.
    pub(crate) derivation: Derivation,
}

/// Secret, mode and salt.
pub(crate) type Derivation = (Vec<u8>, u64, Vec<u8>);

/// Adds the cases of a file.
pub(crate) fn append(
    name: &str,
    file: &VectorFile,
    to: &mut Vec<StaticCase>,
) -> Result<(), LoadError> {
    for group in &file.groups {
        for test in &group.tests {
            let task = Task::new(group, test).map_err(|what| LoadError::Test {
                file: name.to_owned(),
                id: test.id.clone(),
                what,
            })?;
            let (mode, derivation) = mode_and_derivation(&task);
            to.push(StaticCase {
                case: Case::of_test(group.operation, test, mode, &file.notes),
                operation: group.operation,
                task,
                expect: test.expect.clone(),
                mode,
                derivation,
            });
        }
    }
    Ok(())
}

/// Cases that share a derivation, together, in the order of their first ones.
pub(crate) fn bundles(cases: &[StaticCase], selected: &[bool]) -> Vec<Vec<usize>> {
    let mut places: HashMap<&Derivation, usize> = HashMap::new();
    let mut bundles: Vec<Vec<usize>> = Vec::new();
    for (index, item) in cases.iter().enumerate() {
        if !selected.get(index).copied().unwrap_or_default() {
            continue;
        }
        let place = *places.entry(&item.derivation).or_insert_with(|| {
            bundles.push(Vec::new());
            bundles.len() - 1
        });
        if let Some(bundle) = bundles.get_mut(place) {
            bundle.push(index);
        }
    }
    // The costly ones first, so that no worker is left with one at the end.
    bundles.sort_by_key(|bundle| {
        let derivation = bundle.first().and_then(|index| cases.get(*index)).map(|c| &c.derivation);
        derivation.is_none_or(|(_, mode, _)| *mode != 2)
    });
    bundles
}

fn mode_and_derivation(task: &Task) -> (Option<u64>, Derivation) {
    let salt_of = |mode: u64, salt: &[u8]| {
        let derived = if mode == 128 { salt.get(..16).unwrap_or(salt) } else { salt };
        derived.to_vec()
    };
    // Modes 3 and 4 have the same key.
    let kdf = |mode: u64| if mode == 4 { 3 } else { mode };
    match task {
        Task::Parse { entry } => (lenient_mode(entry), Derivation::default()),
        Task::Open { secret, entry } => match Entry::parse(entry) {
            Ok(entry) => {
                let mode = u64::from(entry.mode().number());
                let salt = salt_of(mode, entry.salt().as_bytes());
                (Some(mode), (secret.clone(), kdf(mode), salt))
            }
            Err(_) => (lenient_mode(entry), Derivation::default()),
        },
        Task::Derive { secret, mode, salt } | Task::Seal(SealTask { secret, mode, salt, .. }) => {
            (Some(*mode), (secret.clone(), kdf(*mode), salt_of(*mode, salt)))
        }
    }
}

fn lenient_mode(entry: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(entry).ok()?.get("encryption_mode")?.as_u64()
}

impl StaticCase {
    /// What the subject said it lacks of this.
    pub(crate) fn lacking(&self, subject: &Identity) -> Option<String> {
        if !subject.can(self.operation.name()) {
            return Some(format!("operation {}", self.operation));
        }
        if let Some(mode @ (2 | 3 | 4 | 128)) = self.mode
            && self.case.level == Requirement::Should
            && !subject.modes.contains(&mode)
        {
            return Some(format!("mode {mode}"));
        }
        match &self.task {
            Task::Seal(task)
                if !subject.given_salt_and_iv && (task.salt.len() != 32 || task.iv.len() != 12) =>
            {
                Some("a given salt and iv".to_owned())
            }
            _ => None,
        }
    }

    /// Asks the subject.
    pub(crate) fn run(
        &self,
        subject: &mut Subject,
        identity: &Identity,
    ) -> Result<Judged, Misbehaviour> {
        let given = identity.given_salt_and_iv;
        let reply = subject.ask(&self.request(given), Duration::ZERO)?;
        let parts = match reply {
            Reply::Unsupported(what) => return Ok(Judged::Unsupported { what }),
            Reply::Refused(refusal) => {
                let finding = judge(&self.expect, &Answer::Refused(refusal.stage));
                return Ok(outcome(finding.map(|finding| finding.said(refusal.words))));
            }
            Reply::Ok(parts) => parts,
        };
        let read = match self.operation {
            Operation::Parse => Ok(Outcome::Read),
            Operation::Open => answer_hex(&parts, "message_hex").map(Outcome::Message),
            Operation::Derive => answer_hex(&parts, "key_hex").map(Outcome::Key),
            Operation::Seal => answer_base64(&parts, "entry_b64").map(Outcome::Entry),
        };
        let read = read.map_err(|what| subject.bad(self.operation.name(), &what))?;
        if let (Outcome::Entry(entry), Task::Seal(task), false) = (&read, &self.task, given)
            && self.expect.result == Verdict::Valid
        {
            return Ok(match own_sealing::check(entry, &own_sealing::Wanted::of(task)) {
                Ok(_) => Judged::Passed,
                Err(got) => {
                    let own = "an entry with a salt and an iv of its own, else as in the vector";
                    Judged::Failed(Finding::new(own, got))
                }
            });
        }
        Ok(outcome(judge(&self.expect, &Answer::Accepted(read))))
    }

    /// What must come out, in words.
    pub(crate) fn expected(&self) -> String {
        expected(&self.expect)
    }

    /// What the subject is asked.
    pub(crate) fn request(&self, given: bool) -> Request {
        let hex = |bytes: &[u8]| Hex(bytes.to_vec()).to_string();
        let request = Request::new(self.operation.name());
        match &self.task {
            Task::Open { secret, entry } => request
                .with("secret_hex", hex(secret))
                .with("entry_b64", Base64(entry.clone()).to_string()),
            Task::Parse { entry } => request.with("entry_b64", Base64(entry.clone()).to_string()),
            Task::Derive { secret, mode, salt } => request
                .with("secret_hex", hex(secret))
                .with("mode", *mode)
                .with("salt_hex", hex(salt)),
            Task::Seal(task) => {
                let request = request
                    .with("secret_hex", hex(&task.secret))
                    .with("mode", task.mode)
                    .with("node", task.node.as_str())
                    .with("loglevel", task.loglevel)
                    .with("timestamp", task.timestamp.as_str())
                    .with("message_hex", hex(&task.message));
                if given {
                    request.with("salt_hex", hex(&task.salt)).with("iv_hex", hex(&task.iv))
                } else {
                    request
                }
            }
        }
    }
}

fn outcome(finding: Option<Finding>) -> Judged {
    finding.map_or(Judged::Passed, Judged::Failed)
}
