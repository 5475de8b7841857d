//! Entries that cannot be read or opened: the others are given, and these are told on stderr.

use std::fmt::Display;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::streams::say;

/// How much is said of them.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FaultArgs {
    /// Name every entry that cannot be opened on a line of its own, not only how many they are
    #[arg(short, long)]
    verbose: bool,
}

/// How many unreadable entries are named. The rest is counted.
const NAMED: usize = 20;
/// How many entries that cannot be opened are named in the line that counts them.
const EXAMPLES: usize = 3;

/// The faults of a command.
#[derive(Debug)]
pub(crate) struct Faults {
    verbose: bool,
    /// How many this version cannot read.
    unreadable: usize,
    /// How many of them were named, or counted in a line.
    told: usize,
    /// Those that cannot be opened and were not told: by reason, how many.
    unopened: Vec<(String, usize)>,
    examples: Vec<String>,
    failed: bool,
}

impl Faults {
    pub(crate) fn new(args: FaultArgs) -> Self {
        Self {
            verbose: args.verbose,
            unreadable: 0,
            told: 0,
            unopened: Vec::new(),
            examples: Vec::new(),
            failed: false,
        }
    }

    /// This version cannot read the entry at this place.
    pub(crate) fn unreadable(&mut self, place: impl Display, why: impl Display) {
        self.failed = true;
        self.unreadable += 1;
        if self.verbose || self.unreadable <= NAMED {
            self.told += 1;
            say!("{place}: {why}");
        }
    }

    /// The entry at this place cannot be opened.
    pub(crate) fn unopened(&mut self, place: impl Display, why: impl Display) {
        self.failed = true;
        if self.verbose {
            return say!("{place}: {why}");
        }
        let why = why.to_string();
        match self.unopened.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, count)) => *count += 1,
            None => self.unopened.push((why, 1)),
        }
        if self.examples.len() < EXAMPLES {
            self.examples.push(place.to_string());
        }
    }

    /// Whether there is something that was not told.
    pub(crate) fn is_untold(&self) -> bool {
        !self.unopened.is_empty() || self.told < self.unreadable
    }

    /// Counts what was not told, in a line.
    pub(crate) fn tell(&mut self) {
        let more = self.unreadable - self.told;
        if more > 0 {
            self.told = self.unreadable;
            say!("{more} more cannot be read (--verbose names each)");
        }
        let total: usize = self.unopened.iter().map(|(_, count)| count).sum();
        if total == 0 {
            return;
        }
        let mut places = self.examples.join(", ");
        if total > self.examples.len() {
            places = format!("{places} and {} more", total - self.examples.len());
        }
        let reasons = match self.unopened.as_slice() {
            [(reason, _)] => reason.clone(),
            several => {
                let one = |(reason, count): &(String, usize)| format!("{count} {reason}");
                several.iter().map(one).collect::<Vec<_>>().join("; ")
            }
        };
        let entries = if total == 1 { "1 entry" } else { &format!("{total} entries") };
        say!("{entries} cannot be opened ({places}): {reasons}");
        self.unopened.clear();
        self.examples.clear();
    }

    /// Counts what was not told, and fails where anything was.
    pub(crate) fn end(mut self) -> Outcome {
        self.tell();
        if self.failed { Err(Failure::Told) } else { Ok(()) }
    }
}
