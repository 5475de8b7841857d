//! The Rust core's answers, in this process.
//!
//! Every entry under one secret is opened by one opener, so that a group of tests costs one
//! derivation and distinct salts are derived together. Sealing and deriving are shared out to the
//! cores.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use logflux_envelope::hazmat::{self, Given};
use logflux_envelope::{
    Entry, Iv, Level, Mode, Node, OpenError, Opener, Salt, SealError, Secret, Stage, Timestamp,
};

use crate::answer::{Answer, Outcome};
use crate::progress::Progress;
use crate::task::{SealTask, Task};

/// The answers to `tasks`, in their order.
pub(crate) fn answer_all(tasks: &[Task], progress: impl Fn(Progress) + Sync) -> Vec<Answer> {
    let answers = Mutex::new(vec![Answer::Refused(None); tasks.len()]);
    let done = AtomicUsize::new(0);
    let put = |index: usize, answer: Answer| {
        if let Some(slot) = answers.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
            *slot = answer;
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(Progress { done, total: tasks.len() });
    };
    open_all(tasks, &put);
    let others: Vec<_> =
        tasks.iter().enumerate().filter(|(_, task)| !matches!(task, Task::Open { .. })).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((index, task)) = others.get(next.fetch_add(1, Ordering::Relaxed)) {
            put(*index, answer(task));
        }
    };
    let helpers = thread::available_parallelism().map_or(1, NonZeroUsize::get) - 1;
    thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(work);
        }
        work();
    });
    answers.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// An entry, and the place of its task.
type Indexed = (usize, Entry);

/// Opens the entries of all `open` tasks, secret by secret.
fn open_all(tasks: &[Task], put: &(impl Fn(usize, Answer) + Sync)) {
    let mut by_secret: Vec<(&[u8], Vec<Indexed>)> = Vec::new();
    for (index, task) in tasks.iter().enumerate() {
        let Task::Open { secret, entry } = task else { continue };
        match Entry::parse(entry) {
            Err(error) => put(index, Answer::Refused(Some(error.stage()))),
            Ok(entry) => match by_secret.iter_mut().find(|(known, _)| known == secret) {
                Some((_, entries)) => entries.push((index, entry)),
                None => by_secret.push((secret, vec![(index, entry)])),
            },
        }
    }
    for (secret, indexed) in by_secret {
        let Ok(secret) = Secret::from_utf8(secret.to_vec()) else {
            indexed.into_iter().for_each(|(index, _)| put(index, Answer::Refused(None)));
            continue;
        };
        let (indices, entries): (Vec<usize>, Vec<Entry>) = indexed.into_iter().unzip();
        let opener = Opener::new(secret);
        let opened = opener.open_many_bytes(&entries, |_| {});
        for ((index, entry), bytes) in indices.into_iter().zip(&entries).zip(opened) {
            // The key is known now: opening again as text says whether it is text.
            put(index, opened_as_text(bytes.and_then(|_| opener.open(entry))));
        }
    }
}

fn opened_as_text(opened: Result<String, OpenError>) -> Answer {
    match opened {
        Ok(message) => Answer::Accepted(Outcome::Message(message.into_bytes())),
        Err(error) => Answer::Refused(Some(error.stage())),
    }
}

fn answer(task: &Task) -> Answer {
    let answer = match task {
        Task::Parse { entry } => match Entry::parse(entry) {
            Ok(_) => Ok(Outcome::Read),
            Err(error) => Err(Some(error.stage())),
        },
        Task::Derive { secret, mode, salt } => derive(secret, *mode, salt),
        Task::Seal(task) => seal(task),
        // Answered by `open_all`.
        Task::Open { .. } => Err(None),
    };
    answer.map_or_else(Answer::Refused, Answer::Accepted)
}

/// What came out, or where it was refused.
type Answered = Result<Outcome, Option<Stage>>;

fn derive(secret: &[u8], mode: u64, salt: &[u8]) -> Answered {
    let mode = Mode::from_number(mode).map_err(|_| Some(Stage::Mode))?;
    let salt = <[u8; 32]>::try_from(salt).map_err(|_| Some(Stage::Size))?;
    let secret = Secret::from_utf8(secret.to_vec()).map_err(|_| None)?;
    let key = hazmat::derive_key(&secret, mode, &Salt::new(salt)).map_err(|_| None)?;
    Ok(Outcome::Key(key.as_bytes().to_vec()))
}

fn seal(task: &SealTask) -> Answered {
    let mode = Mode::from_number(task.mode).map_err(|_| Some(Stage::Mode))?;
    let salt = <[u8; 32]>::try_from(task.salt.as_slice()).map_err(|_| Some(Stage::Size))?;
    let iv = <[u8; 12]>::try_from(task.iv.as_slice()).map_err(|_| Some(Stage::Size))?;
    let node = Node::new(task.node.as_str()).map_err(|_| Some(Stage::Field))?;
    let level = Level::from_number(task.loglevel).map_err(|_| Some(Stage::Field))?;
    let timestamp: Timestamp = task.timestamp.parse().map_err(|_| Some(Stage::Field))?;
    let secret = Secret::from_utf8(task.secret.clone()).map_err(|_| None)?;
    let given =
        Given { mode, salt: Salt::new(salt), iv: Iv::new(iv), node: &node, level, timestamp };
    match hazmat::seal_with_salt_and_iv(&task.message, &secret, &given) {
        Ok(entry) => Ok(Outcome::Entry(entry.to_json().into_bytes())),
        Err(SealError::MessageTooLong { .. }) => Err(Some(Stage::Size)),
        Err(_) => Err(None),
    }
}
