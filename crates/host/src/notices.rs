//! What a client tells: sentences, which the SDK fetches.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use logflux_transport::DropReport;

/// Who is told what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watches {
    /// Whether the SDK tells of drops, which it counts itself.
    pub drops: bool,
    /// Whether the SDK fetches sentences.
    pub notices: bool,
}

/// Sentences that nobody has fetched yet.
#[derive(Debug)]
pub struct Notices {
    watches: Watches,
    sentences: Mutex<(u64, VecDeque<String>)>,
}

/// Sentences, and the number of the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// What to ask for next.
    pub next: u64,
    /// The sentences, the oldest first.
    pub sentences: Vec<String>,
}

impl Notices {
    /// Nothing was told yet.
    #[must_use]
    pub fn new(watches: Watches) -> Self {
        Self { watches, sentences: Mutex::default() }
    }

    /// Who is told what.
    #[must_use]
    pub fn watches(&self) -> Watches {
        self.watches
    }

    /// Keeps a sentence, or writes it to stderr where nobody fetches any.
    pub fn tell(&self, report: &DropReport) {
        /// How many wait at most; the oldest make room.
        const KEPT: usize = 64;
        if self.watches.notices {
            let mut sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
            sentences.0 += 1;
            sentences.1.push_back(report.sentence());
            if sentences.1.len() > KEPT {
                sentences.1.pop_front();
            }
        } else if !self.watches.drops || report.total() == 0 {
            report.write_to_stderr();
        }
    }

    /// The sentences from this number on.
    #[must_use]
    pub fn since(&self, number: u64) -> Fetched {
        let sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, kept) = (sentences.0, &sentences.1);
        let new = usize::try_from(next.saturating_sub(number)).unwrap_or(usize::MAX);
        let known = kept.len().saturating_sub(new);
        Fetched { next, sentences: kept.iter().skip(known).cloned().collect() }
    }
}
