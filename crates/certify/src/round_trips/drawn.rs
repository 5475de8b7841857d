//! The salts and ivs that a subject draws, and whether they are as they must be.

use std::collections::HashMap;

use logflux_wire::Entry;

use super::plans::{
    NEW_SALTS_AFTER_RESTART, NO_REPEATED_SALT_AND_IV, NO_SHARED_SALT, RANDOM_IVS, RANDOM_SALTS,
};
use super::samples::Sealed;
use crate::finding::{Finding, Reason};
use crate::subject::{Identity, KeyPolicy};

/// What was drawn, by process.
pub(super) struct Drawn {
    mode: u64,
    pairs: Vec<(usize, [u8; 32], [u8; 12])>,
    /// How many messages gave no entry, and what came of the first of them.
    missing: usize,
    first_missing: Option<Finding>,
}

impl Drawn {
    pub(super) const fn new(mode: u64) -> Self {
        Self { mode, pairs: Vec::new(), missing: 0, first_missing: None }
    }

    pub(super) fn add(&mut self, process: usize, sealed: &Sealed) {
        let entry = sealed.as_ref().map_err(Clone::clone).and_then(|bytes| {
            Entry::parse(bytes).map_err(|error| {
                Finding::new("an entry", format!("what is none: {error}")).because(Reason::NoEntry)
            })
        });
        match entry {
            Ok(entry) => {
                self.pairs.push((process, *entry.salt().as_bytes(), *entry.iv().as_bytes()));
            }
            Err(finding) => {
                self.missing += 1;
                self.first_missing.get_or_insert(finding);
            }
        }
    }

    /// What is wrong with what was drawn, by kind of case.
    pub(super) fn judge(&self, identity: &Identity, put: impl Fn(&str, Option<Finding>)) {
        let count = self.pairs.len();
        let shares = identity.key_policy != KeyPolicy::Unique && self.mode != 128;
        let put = |kind: &str, expected: String, found: Option<String>| {
            let found = found.map(|got| Finding::new(expected, got));
            put(kind, found.or_else(|| self.short()));
        };

        let repeated = repeats(self.pairs.iter().map(|(_, salt, iv)| (salt, iv)));
        put(
            NO_REPEATED_SALT_AND_IV,
            format!("{count} entries with {count} different pairs of salt and iv"),
            repeated.map(|n| format!("one salt and iv in {n} of the entries")),
        );
        let shared =
            if shares { None } else { repeats(self.pairs.iter().map(|(_, salt, _)| salt)) };
        put(
            NO_SHARED_SALT,
            format!("{count} entries with {count} different salts"),
            shared.map(|n| format!("one salt in {n} of the entries")),
        );
        let mut seen: HashMap<&[u8], usize> = HashMap::new();
        let mut again = None;
        for (process, salt, _) in &self.pairs {
            let drawn = if self.mode == 128 { salt.get(..16) } else { salt.get(..) };
            let first = *seen.entry(drawn.unwrap_or_default()).or_insert(*process);
            if first != *process {
                let half = if self.mode == 128 { "an epoch salt" } else { "a salt" };
                again = Some(format!("{half} that another process had used"));
            }
        }
        put(
            NEW_SALTS_AFTER_RESTART,
            "in every process salts that no other process has used".to_owned(),
            again,
        );

        let ivs: Vec<&[u8]> = self.pairs.iter().map(|(.., iv)| iv.as_slice()).collect();
        put(RANDOM_IVS, "ivs whose every byte varies".to_owned(), dull(&ivs, "iv", 0));
        let from = if self.mode == 128 { 16 } else { 0 };
        let salts: Vec<&[u8]> =
            self.pairs.iter().filter_map(|(_, salt, _)| salt.get(from..)).collect();
        let dull = if shares { None } else { dull(&salts, "salt", from) };
        put(RANDOM_SALTS, "salts whose every byte varies".to_owned(), dull);
    }

    /// What was not sealed: then nobody knows whether all salts and ivs are right.
    fn short(&self) -> Option<Finding> {
        let first = self.first_missing.clone()?;
        let all = self.pairs.len() + self.missing;
        let got = format!(
            "{} of {all} sealed; of the others the first gave {}",
            self.pairs.len(),
            first.got
        );
        Some(Finding { expected: format!("{all} messages sealed"), got, ..first })
    }
}

/// How often the value that comes most often comes, where one repeats.
fn repeats<T: Eq + std::hash::Hash>(values: impl Iterator<Item = T>) -> Option<usize> {
    let mut counts: HashMap<T, usize> = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_values().max().filter(|count| *count > 1)
}

/// A byte that takes far fewer values than a random one. Of n random bytes, at least n/2 differ up
/// to n = 256 or so but for a chance below 2^-40; a quarter is asked for, and 64 at the most.
fn dull(values: &[&[u8]], what: &str, from: usize) -> Option<String> {
    let least = (values.len() / 4).min(64);
    let length = values.iter().map(|value| value.len()).min()?;
    (0..length).find_map(|place| {
        let mut seen = [false; 256];
        for value in values {
            if let Some(slot) = value.get(place).and_then(|byte| seen.get_mut(usize::from(*byte))) {
                *slot = true;
            }
        }
        let different = seen.iter().filter(|seen| **seen).count();
        (different < least).then(|| {
            format!(
                "byte {} of the {what} took {different} values in {} entries",
                place + from,
                values.len()
            )
        })
    })
}
