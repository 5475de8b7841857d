//! Whether an entry that a subject sealed with a salt and an iv of its own is as it must be.

use logflux_envelope::{Secret, open_bytes};
use logflux_wire::{Entry, Timestamp};

use crate::task::SealTask;

/// What was to be sealed.
pub(crate) struct Wanted<'a> {
    pub(crate) secret: &'a [u8],
    pub(crate) mode: u64,
    pub(crate) node: &'a str,
    pub(crate) loglevel: u64,
    pub(crate) timestamp: &'a str,
    pub(crate) message: &'a [u8],
}

impl<'a> Wanted<'a> {
    pub(crate) fn of(task: &'a SealTask) -> Self {
        Self {
            secret: &task.secret,
            mode: task.mode,
            node: &task.node,
            loglevel: task.loglevel,
            timestamp: &task.timestamp,
            message: &task.message,
        }
    }
}

/// Checks form and contents; an error is what is wrong.
pub(crate) fn check(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Entry, String> {
    let entry = form(bytes, wanted)?;
    opens(&entry, wanted)?;
    Ok(entry)
}

/// Checks that the entry is canonical and says what it was told to.
pub(crate) fn form(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Entry, String> {
    let entry = canonical(bytes)?;
    let differs =
        |field: &str, got: &dyn std::fmt::Display| Err(format!("an entry whose {field} is {got}"));
    if u64::from(entry.mode().number()) != wanted.mode {
        return differs("encryption_mode", &entry.mode().number());
    }
    if entry.node().as_str() != wanted.node {
        return differs("node", &entry.node().as_str());
    }
    if u64::from(entry.level().number()) != wanted.loglevel {
        return differs("loglevel", &entry.level().number());
    }
    if wanted.timestamp.parse::<Timestamp>().is_ok_and(|wanted| wanted != entry.timestamp()) {
        return differs("timestamp", &entry.timestamp());
    }
    Ok(entry)
}

/// Reads an entry, and checks that its bytes are the canonical ones.
pub(crate) fn canonical(bytes: &[u8]) -> Result<Entry, String> {
    let entry = Entry::parse_strict(bytes).map_err(|error| format!("no entry: {error}"))?;
    if entry.to_json().as_bytes() != bytes {
        return Err("an entry that is not in canonical form".to_owned());
    }
    Ok(entry)
}

/// Checks that the entry opens to its message.
pub(crate) fn opens(entry: &Entry, wanted: &Wanted<'_>) -> Result<(), String> {
    let secret = Secret::from_utf8(wanted.secret.to_vec()).map_err(|error| error.to_string())?;
    match open_bytes(entry, &secret) {
        Ok(message) if message == wanted.message => Ok(()),
        Ok(_) => Err("an entry that opens to another message".to_owned()),
        Err(error) => Err(format!("an entry that does not open: {error}")),
    }
}
