//! What a test asks of an implementation: the parts that its operation needs, and no other.

use crate::model::{Expect, Group, Operation, Test, Verdict, expand};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Open { secret: Vec<u8>, entry: Vec<u8> },
    Parse { entry: Vec<u8> },
    Seal(SealTask),
    Derive { secret: Vec<u8>, mode: u64, salt: Vec<u8> },
}

/// Everything that sealing is given. Any of it may be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealTask {
    pub(crate) secret: Vec<u8>,
    pub(crate) mode: u64,
    pub(crate) salt: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    pub(crate) node: String,
    pub(crate) loglevel: u64,
    pub(crate) timestamp: String,
    pub(crate) message: Vec<u8>,
}

impl Task {
    /// Reads what `test` asks, and checks that it has what its operation needs and nothing else.
    ///
    /// # Errors
    /// A sentence about what is wrong with the test.
    pub(crate) fn new(group: &Group, test: &Test) -> Result<Self, String> {
        let operation = group.operation;
        check_parts(operation, test)?;
        check_expect(operation, &test.expect)?;
        let missing = |part: &str| format!("{operation} tests need {part}");
        let secret = || {
            group
                .secret_hex
                .as_ref()
                .map(|hex| hex.0.clone())
                .ok_or(missing("its group's secret_hex"))
        };
        if operation == Operation::Parse && group.secret_hex.is_some() {
            return Err("parse tests have no secret".to_owned());
        }
        let mode = || test.mode.ok_or(missing("mode"));
        let salt = || test.salt_hex.as_ref().map(|hex| hex.0.clone()).ok_or(missing("salt_hex"));
        let entry = || match (&test.entry_b64, &test.entry_runs) {
            (Some(entry), None) => Ok(entry.0.clone()),
            (None, Some(runs)) => Ok(expand(runs)),
            _ => Err(missing("either entry_b64 or entry_runs")),
        };
        let message = || match (&test.message_hex, &test.message_runs) {
            (Some(message), None) => Ok(message.0.clone()),
            (None, Some(runs)) => Ok(expand(runs)),
            _ => Err(missing("either message_hex or message_runs")),
        };
        Ok(match operation {
            Operation::Open => Self::Open { secret: secret()?, entry: entry()? },
            Operation::Parse => Self::Parse { entry: entry()? },
            Operation::Derive => Self::Derive { secret: secret()?, mode: mode()?, salt: salt()? },
            Operation::Seal => Self::Seal(SealTask {
                secret: secret()?,
                mode: mode()?,
                salt: salt()?,
                iv: test.iv_hex.as_ref().map(|hex| hex.0.clone()).ok_or(missing("iv_hex"))?,
                node: test.node.clone().ok_or(missing("node"))?,
                loglevel: test.loglevel.ok_or(missing("loglevel"))?,
                timestamp: test.timestamp.clone().ok_or(missing("timestamp"))?,
                message: message()?,
            }),
        })
    }
}

/// Refuses parts that belong to another operation.
fn check_parts(operation: Operation, test: &Test) -> Result<(), String> {
    use Operation::{Derive, Open, Parse, Seal};
    let parts: [(&str, bool, &[Operation]); 10] = [
        ("entry_b64", test.entry_b64.is_some(), &[Open, Parse]),
        ("entry_runs", test.entry_runs.is_some(), &[Open, Parse]),
        ("mode", test.mode.is_some(), &[Seal, Derive]),
        ("salt_hex", test.salt_hex.is_some(), &[Seal, Derive]),
        ("iv_hex", test.iv_hex.is_some(), &[Seal]),
        ("node", test.node.is_some(), &[Seal]),
        ("loglevel", test.loglevel.is_some(), &[Seal]),
        ("timestamp", test.timestamp.is_some(), &[Seal]),
        ("message_hex", test.message_hex.is_some(), &[Seal]),
        ("message_runs", test.message_runs.is_some(), &[Seal]),
    ];
    match parts.iter().find(|(_, there, of)| *there && !of.contains(&operation)) {
        Some((part, ..)) => Err(format!("{operation} tests have no {part}")),
        None => Ok(()),
    }
}

/// Refuses an expectation that does not say what must come out, or says too much.
fn check_expect(operation: Operation, expect: &Expect) -> Result<(), String> {
    let outcomes = [
        ("message_hex", expect.message_hex.is_some(), Operation::Open),
        ("key_hex", expect.key_hex.is_some(), Operation::Derive),
        ("entry_b64", expect.entry_b64.is_some(), Operation::Seal),
        ("entry_sha256_hex", expect.entry_sha256_hex.is_some(), Operation::Seal),
    ];
    let there: Vec<_> = outcomes.iter().filter(|(_, there, _)| *there).collect();
    if let Some((part, ..)) = there.iter().find(|(.., of)| *of != operation) {
        return Err(format!("{operation} tests expect no {part}"));
    }
    match expect.result {
        Verdict::Invalid if !there.is_empty() => {
            Err("invalid tests expect a stage, and no outcome".to_owned())
        }
        Verdict::Valid if expect.stage.is_some() => {
            Err("valid tests expect an outcome, and no stage".to_owned())
        }
        Verdict::Valid if there.len() != usize::from(operation != Operation::Parse) => {
            Err(format!("valid {operation} tests expect exactly one outcome"))
        }
        _ => Ok(()),
    }
}
