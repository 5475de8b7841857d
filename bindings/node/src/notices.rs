//! What a client tells: sentences, which JavaScript fetches. No thread of ours calls into it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use logflux_transport::DropReport;
use napi_derive::napi;

/// Who is told what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watches {
    /// Whether JavaScript tells of drops, which it counts.
    pub(crate) drops: bool,
    /// Whether JavaScript fetches sentences.
    pub(crate) notices: bool,
}

/// Sentences that nobody has fetched yet.
#[derive(Debug)]
pub(crate) struct Notices {
    watches: Watches,
    sentences: Mutex<(f64, VecDeque<String>)>,
}

/// Sentences, and the number of the next one.
#[napi(object, object_from_js = false)]
pub struct Fetched {
    /// What to ask for next.
    pub next: f64,
    /// The sentences, the oldest first.
    pub sentences: Vec<String>,
}

impl Notices {
    pub(crate) fn new(watches: Watches) -> Self {
        Self { watches, sentences: Mutex::default() }
    }

    pub(crate) fn watches(&self) -> Watches {
        self.watches
    }

    /// Keeps a sentence, or writes it to stderr where nobody fetches any.
    pub(crate) fn tell(&self, report: &DropReport) {
        /// How many wait at most; the oldest make room.
        const KEPT: usize = 64;
        if self.watches.notices {
            let mut sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
            sentences.0 += 1.0;
            sentences.1.push_back(report.sentence());
            if sentences.1.len() > KEPT {
                sentences.1.pop_front();
            }
        } else if !self.watches.drops || report.total() == 0 {
            report.write_to_stderr();
        }
    }

    /// The sentences from this number on.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub(crate) fn since(&self, number: f64) -> Fetched {
        let sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, kept) = (sentences.0, &sentences.1);
        // A float becomes the nearest number that there is.
        let known = (number - (next - kept.len() as f64)) as usize;
        Fetched { next, sentences: kept.iter().skip(known).cloned().collect() }
    }
}
