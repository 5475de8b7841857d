//! What the workers of a run share: how subjects are started, what has come out so far, and when to
//! give up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use glob::Pattern;

use crate::certificate::Outcome;
use crate::pace::Pace;
use crate::progress::{News, Progress};
use crate::protocol::{ANSWERS, STOP};
use crate::subject::{Launch, Misbehaviour, Misdeed, Subject};

/// After so many misbehaviours the run is broken off.
const STRIKES: usize = 3;

/// What is to be run.
pub(crate) struct Wanted<'w> {
    /// Every case.
    pub(crate) ids: Vec<&'w str>,
    /// Cases that are known to fail: their misbehaviours do not break the run off.
    pub(crate) expected: &'w [Pattern],
    /// How many messages are sealed beside.
    pub(crate) seals: usize,
    pub(crate) pace: Pace,
    /// How many processes run the vectors and seal at a time.
    pub(crate) jobs: usize,
    /// How many run the transport cases, where they mostly wait.
    pub(crate) shippers: usize,
}

pub(crate) struct Floor<'p> {
    launch: Launch,
    wanted: Wanted<'p>,
    outcomes: Mutex<HashMap<String, Outcome>>,
    strikes: AtomicUsize,
    bad_stop: Mutex<Option<Misbehaviour>>,
    stray: Mutex<Option<Misbehaviour>>,
    done: AtomicUsize,
    news: &'p (dyn Fn(News) + Sync),
}

impl<'p> Floor<'p> {
    pub(crate) fn new(launch: Launch, wanted: Wanted<'p>, news: &'p (dyn Fn(News) + Sync)) -> Self {
        let outcomes = wanted.ids.iter().map(|id| ((*id).to_owned(), Outcome::NotRun)).collect();
        Self {
            launch,
            wanted,
            outcomes: Mutex::new(outcomes),
            strikes: AtomicUsize::new(0),
            bad_stop: Mutex::new(None),
            stray: Mutex::new(None),
            done: AtomicUsize::new(0),
            news,
        }
    }

    /// Whether a case is to be run.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.outcomes().contains_key(id)
    }

    pub(crate) const fn pace(&self) -> Pace {
        self.wanted.pace
    }

    pub(crate) const fn jobs(&self) -> usize {
        self.wanted.jobs
    }

    pub(crate) const fn shippers(&self) -> usize {
        self.wanted.shippers
    }

    /// Writes down what came of a case, if it is to be run.
    pub(crate) fn put(&self, id: &str, outcome: Outcome) {
        if let Some(slot) = self.outcomes().get_mut(id) {
            *slot = outcome;
        } else {
            return;
        }
        self.step();
    }

    /// Tells that a case or a seal is done.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let total = (self.wanted.ids.len() + self.wanted.seals).max(done);
        (self.news)(News::Progress(Progress { done, total }));
    }

    /// Works with a subject on a case; the subject is started where there is none. `None` where the
    /// run is broken off; a misbehaviour is the outcome of the case, and the subject's end where it
    /// cannot be asked on.
    pub(crate) fn work<T>(
        &self,
        id: &str,
        slot: &mut Option<Subject>,
        work: impl FnOnce(&mut Subject) -> Result<T, Misbehaviour>,
    ) -> Option<Result<T, Misbehaviour>> {
        if self.is_broken_off() {
            return None;
        }
        let done = self.started(slot).and_then(work);
        self.remember_stray(slot.as_mut());
        if let Err(misbehaviour) = &done
            && !misbehaviour.in_step
        {
            *slot = None;
            // Of those that misbehave at the same time, no more than that count.
            if !self.is_excused(id) && self.strikes.fetch_add(1, Ordering::Relaxed) >= STRIKES {
                return None;
            }
        }
        Some(done)
    }

    /// Whether the subject misbehaved so often that nothing more is asked.
    pub(crate) fn is_broken_off(&self) -> bool {
        self.strikes.load(Ordering::Relaxed) >= STRIKES
    }

    /// Whether it was said that a case would fail.
    pub(crate) fn is_excused(&self, id: &str) -> bool {
        self.wanted.expected.iter().any(|pattern| pattern.matches(id))
    }

    fn started<'s>(&self, slot: &'s mut Option<Subject>) -> Result<&'s mut Subject, Misbehaviour> {
        if let Some(subject) = slot {
            return Ok(subject);
        }
        let mut subject = Subject::start(&self.launch).map_err(|error| Misbehaviour {
            misdeed: Misdeed::Crashed,
            sentence: format!("the subject could not be started again: {error}"),
            stderr: String::new(),
            in_step: false,
        })?;
        subject.hello().map_err(|what| Misbehaviour { in_step: false, ..what })?;
        Ok(slot.insert(subject))
    }

    fn remember_stray(&self, subject: Option<&mut Subject>) {
        if let Some(stray) = subject.and_then(Subject::take_stray) {
            self.stray.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stray);
        }
    }

    /// Asks a subject to stop, and remembers if it does not.
    pub(crate) fn stop(&self, subject: Option<Subject>) {
        let Some(mut subject) = subject else { return };
        let stopped = subject.stop();
        self.remember_stray(Some(&mut subject));
        if let Err(misbehaviour) = stopped {
            self.bad_stop
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(misbehaviour);
        }
    }

    /// Writes down whether every subject answered as it should, and stopped when it was asked to.
    pub(crate) fn judge_protocol(&self) {
        for (id, bad) in [(ANSWERS, &self.stray), (STOP, &self.bad_stop)] {
            let bad = bad.lock().unwrap_or_else(PoisonError::into_inner).take();
            let passed = if self.is_broken_off() { Outcome::NotRun } else { Outcome::Passed };
            self.put(id, bad.map_or(passed, Outcome::Misbehaved));
        }
    }

    pub(crate) fn into_outcomes(self) -> HashMap<String, Outcome> {
        self.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcomes(&self) -> MutexGuard<'_, HashMap<String, Outcome>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
