//! What the workers of a run share: how subjects are started, what has come out so far, and when to
//! give up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Progress;
use crate::case::STOP;
use crate::certificate::Outcome;
use crate::subject::{Launch, Misbehaviour, Misdeed, Subject};

/// After so many misbehaviours the run is broken off.
const STRIKES: usize = 3;

pub(crate) struct Floor<'p> {
    launch: Launch,
    outcomes: Mutex<HashMap<String, Outcome>>,
    strikes: AtomicUsize,
    bad_stop: Mutex<Option<Misbehaviour>>,
    done: AtomicUsize,
    progress: &'p (dyn Fn(Progress) + Sync),
    total: usize,
}

impl<'p> Floor<'p> {
    /// With everything that is to be run.
    pub(crate) fn new(
        launch: Launch,
        ids: &[&str],
        progress: &'p (dyn Fn(Progress) + Sync),
    ) -> Self {
        let outcomes = ids.iter().map(|id| ((*id).to_owned(), Outcome::NotRun)).collect();
        Self {
            launch,
            outcomes: Mutex::new(outcomes),
            strikes: AtomicUsize::new(0),
            bad_stop: Mutex::new(None),
            done: AtomicUsize::new(0),
            progress,
            total: ids.len(),
        }
    }

    /// Whether a case is to be run.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.outcomes().contains_key(id)
    }

    /// Writes down what came of a case, if it is to be run.
    pub(crate) fn put(&self, id: &str, outcome: Outcome) {
        if let Some(slot) = self.outcomes().get_mut(id) {
            *slot = outcome;
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            (self.progress)(Progress { done, total: self.total });
        }
    }

    /// Works with a subject, which is started where there is none. `None` where the run is broken
    /// off; a misbehaviour is the outcome of what was asked, and the subject's end.
    pub(crate) fn ask(
        &self,
        slot: &mut Option<Subject>,
        work: impl FnOnce(&mut Subject) -> Result<Outcome, Misbehaviour>,
    ) -> Option<Outcome> {
        match self.work(slot, work)? {
            Ok(outcome) => Some(outcome),
            Err(misbehaviour) => Some(Outcome::Misbehaved(misbehaviour)),
        }
    }

    /// The same, whatever comes of it.
    pub(crate) fn work<T>(
        &self,
        slot: &mut Option<Subject>,
        work: impl FnOnce(&mut Subject) -> Result<T, Misbehaviour>,
    ) -> Option<Result<T, Misbehaviour>> {
        if self.is_broken_off() {
            return None;
        }
        let done = self.started(slot).and_then(work);
        if done.is_err() {
            *slot = None;
            self.strikes.fetch_add(1, Ordering::Relaxed);
        }
        Some(done)
    }

    /// Whether the subject misbehaved so often that nothing more is asked.
    pub(crate) fn is_broken_off(&self) -> bool {
        self.strikes.load(Ordering::Relaxed) >= STRIKES
    }

    fn started<'s>(&self, slot: &'s mut Option<Subject>) -> Result<&'s mut Subject, Misbehaviour> {
        if let Some(subject) = slot {
            return Ok(subject);
        }
        let mut subject = Subject::start(&self.launch).map_err(|error| Misbehaviour {
            misdeed: Misdeed::Crashed,
            sentence: format!("the subject could not be started again: {error}"),
            stderr: String::new(),
        })?;
        subject.hello()?;
        Ok(slot.insert(subject))
    }

    /// Asks a subject to stop, and remembers if it does not.
    pub(crate) fn stop(&self, subject: Option<Subject>) {
        if let Some(Err(misbehaviour)) = subject.map(Subject::stop) {
            self.bad_stop
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(misbehaviour);
        }
    }

    /// Writes down whether every subject stopped when it was asked to.
    pub(crate) fn judge_stops(&self) {
        let bad = self.bad_stop.lock().unwrap_or_else(PoisonError::into_inner).take();
        let passed = if self.is_broken_off() { Outcome::NotRun } else { Outcome::Passed };
        self.put(STOP, bad.map_or(passed, Outcome::Misbehaved));
    }

    pub(crate) fn into_outcomes(self) -> HashMap<String, Outcome> {
        self.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcomes(&self) -> MutexGuard<'_, HashMap<String, Outcome>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
