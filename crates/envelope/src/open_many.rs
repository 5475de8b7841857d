//! Opening many entries together: distinct salts are derived by full vector lanes on every core.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use logflux_wire::{Entry, Mode};

use crate::derive;
use crate::entry_key::EntryKey;
use crate::error::OpenError;
use crate::opener::{Derivation, Opener};

/// How far the opening of many entries is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Entries that are opened, or found to be unopenable.
    pub done: usize,
    /// All of them.
    pub total: usize,
}

/// How many entries are in work at a time: it bounds the keys held at once.
const WINDOW: usize = 16_384;
/// How many entries of one key make a task of their own.
const ENTRIES_PER_TASK: usize = 512;

type Opened = Result<Vec<u8>, OpenError>;

impl Opener {
    /// Opens many entries whose messages are text; the results are in the order of the entries,
    /// and one that fails stands beside the others.
    #[must_use]
    pub fn open_many(&self, entries: &[Entry]) -> Vec<Result<String, OpenError>> {
        self.open_many_bytes(entries, |_| {})
            .into_iter()
            .map(|message| String::from_utf8(message?).map_err(|_| OpenError::Utf8))
            .collect()
    }

    /// Opens many entries whatever their messages' bytes are, and tells how far it is, from any of
    /// its threads.
    #[must_use]
    pub fn open_many_bytes(
        &self,
        entries: &[Entry],
        progress: impl Fn(Progress) + Sync,
    ) -> Vec<Opened> {
        let done = AtomicUsize::new(0);
        let report = |count: usize| {
            let done = done.fetch_add(count, Ordering::Relaxed) + count;
            progress(Progress { done, total: entries.len() });
        };
        entries.chunks(WINDOW).flat_map(|window| self.open_window(window, &report)).collect()
    }

    /// Tries the secrets one after the other, each for all entries that are not open yet.
    fn open_window(&self, entries: &[Entry], report: &(impl Fn(usize) + Sync)) -> Vec<Opened> {
        let mut results: Vec<Option<Opened>> = vec![None; entries.len()];
        let mut pending: Vec<Pending> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| {
                let input = derive::input(entry.mode(), entry.salt());
                let mut order = self.order(entry, &input);
                order.reverse();
                Pending { index, input, order }
            })
            .collect();
        while !pending.is_empty() {
            let mut groups: HashMap<Derivation, Vec<usize>> = HashMap::new();
            let mut next = Vec::new();
            for mut entry in pending {
                if results.get(entry.index).is_some_and(Option::is_some) {
                    continue;
                }
                let Some(secret) = entry.order.pop() else {
                    if let Some(result) = results.get_mut(entry.index) {
                        *result = Some(Err(OpenError::Authentication));
                        report(1);
                    }
                    continue;
                };
                if let Some(mode) = entries.get(entry.index).map(Entry::mode) {
                    let derivation = Derivation { secret, mode, input: entry.input.clone() };
                    groups.entry(derivation).or_default().push(entry.index);
                }
                next.push(entry);
            }
            for (index, opened) in self.open_groups(entries, groups, report) {
                if let Some(result) = results.get_mut(index) {
                    *result = Some(opened);
                }
            }
            pending = next;
        }
        results.into_iter().map(|result| result.unwrap_or(Err(OpenError::Authentication))).collect()
    }

    /// Opens groups of entries that share a derivation. What is not in the result is to be tried
    /// with another secret.
    fn open_groups(
        &self,
        entries: &[Entry],
        groups: HashMap<Derivation, Vec<usize>>,
        report: &(impl Fn(usize) + Sync),
    ) -> Vec<(usize, Opened)> {
        let mut unknown: HashMap<(usize, Mode), Vec<Group>> = HashMap::new();
        let mut keyed = Vec::new();
        for (derivation, indices) in groups {
            match self.known_key(&derivation) {
                Some(key) => keyed.push((Group { derivation, indices }, key)),
                None => unknown
                    .entry((derivation.secret, derivation.mode))
                    .or_default()
                    .push(Group { derivation, indices }),
            }
        }
        let open = |derivation: &Derivation, indices: &[usize], key: &EntryKey| {
            let opened = self.open_group(entries, derivation, indices, key);
            report(opened.len());
            opened
        };

        // Small groups are opened where their keys were derived; large ones are shared out after.
        let tasks = unknown.into_values().flat_map(|group| self.lanes(group)).collect();
        let derived = parallel(self.thread_count(), tasks, |lanes: Vec<Group>| {
            let mut opened = Vec::new();
            let mut large = Vec::new();
            match self.derive_lanes(&lanes) {
                Ok(keys) => {
                    for (group, key) in lanes.into_iter().zip(keys) {
                        if group.indices.len() > ENTRIES_PER_TASK {
                            large.push((group, key));
                        } else {
                            opened.extend(open(&group.derivation, &group.indices, &key));
                        }
                    }
                }
                Err(error) => {
                    let failed = lanes.iter().flat_map(|group| &group.indices);
                    opened.extend(failed.map(|index| (*index, Err(error))));
                    report(opened.len());
                }
            }
            (opened, large)
        });
        let mut results = Vec::new();
        for (opened, large) in derived {
            results.extend(opened);
            keyed.extend(large);
        }
        let tasks = keyed
            .iter()
            .flat_map(|(group, key)| {
                let chunks = group.indices.chunks(ENTRIES_PER_TASK);
                chunks.map(move |chunk| (&group.derivation, chunk, key))
            })
            .collect();
        let opened = parallel(self.thread_count(), tasks, |(derivation, indices, key)| {
            open(derivation, indices, key)
        });
        results.extend(opened.into_iter().flatten());
        results
    }

    /// Cuts derivations into tasks: full lanes, or less where every core would not have one.
    fn lanes(&self, mut groups: Vec<Group>) -> Vec<Vec<Group>> {
        let lanes = groups.first().map_or(1, |group| derive::lanes(group.derivation.mode));
        let size = lanes.min(groups.len().div_ceil(self.thread_count())).max(1);
        let mut tasks = Vec::new();
        while !groups.is_empty() {
            tasks.push(groups.split_off(groups.len().saturating_sub(size)));
        }
        tasks
    }

    fn derive_lanes(&self, lanes: &[Group]) -> Result<Vec<Arc<EntryKey>>, OpenError> {
        let Some(first) = lanes.first() else { return Ok(Vec::new()) };
        let inputs: Vec<_> = lanes.iter().map(|group| group.derivation.input.clone()).collect();
        let keys = self.derive(first.derivation.secret, first.derivation.mode, &inputs)?;
        let pairs = lanes.iter().zip(&keys);
        pairs.map(|(group, key)| self.remember_key(group.derivation.clone(), key)).collect()
    }

    /// Opens what this key opens.
    fn open_group(
        &self,
        entries: &[Entry],
        derivation: &Derivation,
        indices: &[usize],
        key: &EntryKey,
    ) -> Vec<(usize, Opened)> {
        let opened: Vec<(usize, Opened)> = indices
            .iter()
            .filter_map(|index| Some((*index, Ok(key.open(entries.get(*index)?)?))))
            .collect();
        self.remember_outcome(derivation, !opened.is_empty());
        opened
    }
}

/// The entries that share a derivation.
struct Group {
    derivation: Derivation,
    indices: Vec<usize>,
}

/// An entry that is not open yet, and the secrets to try, the next one last.
struct Pending {
    index: usize,
    input: Vec<u8>,
    order: Vec<usize>,
}

/// Does the tasks on so many threads, the caller's among them, as each becomes free.
fn parallel<T: Send, R: Send>(
    threads: usize,
    tasks: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let helpers = threads.min(tasks.len()).saturating_sub(1);
    let results = Mutex::new(Vec::with_capacity(tasks.len()));
    let tasks = Mutex::new(tasks);
    let run = || {
        loop {
            let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(task) = task else { return };
            let result = work(task);
            results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        }
    };
    thread::scope(|scope| {
        for _ in 0..helpers {
            // Where a thread cannot be had, the others do its work.
            let _ = logflux_process::start_scoped_thread(scope, "logflux-open", run);
        }
        run();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}
