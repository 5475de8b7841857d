//! Keys for sealing: the one in use, and those derived ahead.
//!
//! The first key of a process is derived by the caller, alone, since that is the quickest way to
//! one. From the second entry on a background thread derives more, by full vector lanes, into a
//! pool. How the two are spent is the [`KeyPolicy`]'s; mode 128 is a policy of its own, in which a
//! key is an epoch.
//!
//! Everything here belongs to one process (see `logflux_process`): after a fork the child has a
//! reserve of its own, and leaves its parent's alone. After a restore from a snapshot the reserve
//! stays, with its thread, and all keys in it are forgotten.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use logflux_wire::{Iv, Mode, Salt};

use crate::budget::{Budget, thread_time};
use crate::derive::{self, EPOCH_SALT_LEN};
use crate::entry_key::EntryKey;
use crate::error::SealError;
use crate::policy::{Bounds, ENTRIES_PER_KEY_MAX, KeyPolicy};
use crate::random;
use crate::secret::Secret;
use crate::slow_build;
use crate::stats::SealerStats;

/// What a sealer is set to.
pub(crate) struct Plan {
    pub(crate) secret: Secret,
    pub(crate) mode: Mode,
    pub(crate) policy: KeyPolicy,
    /// 2^32, or less in a test.
    pub(crate) entries_per_key_max: u64,
}

impl Plan {
    pub(crate) fn new(secret: Secret, mode: Mode, policy: KeyPolicy) -> Self {
        Self { secret, mode, policy, entries_per_key_max: ENTRIES_PER_KEY_MAX }
    }

    /// How long a key may be shared; `None` where it may not.
    fn bounds(&self) -> Option<Bounds> {
        let bounds =
            if self.mode == Mode::Hkdf { Some(Bounds::EPOCH) } else { self.policy.bounds() };
        bounds.map(|bounds| Bounds {
            max_entries: bounds.max_entries.min(self.entries_per_key_max),
            ..bounds
        })
    }

    /// Whether a fresh key is taken for every entry as long as there is one.
    fn prefers_fresh(&self) -> bool {
        self.mode != Mode::Hkdf && !matches!(self.policy, KeyPolicy::Bounded { .. })
    }

    /// How many keys to derive ahead: full lanes, 64 keys or a few more.
    fn pool_target(&self) -> usize {
        if self.prefers_fresh() { 64_usize.next_multiple_of(derive::lanes(self.mode)) } else { 1 }
    }

    /// How many random bytes an entry needs beside its key: an iv, and its half of the salt in mode
    /// 128.
    pub(crate) fn random_per_entry(&self) -> usize {
        if self.mode == Mode::Hkdf { Salt::LEN - EPOCH_SALT_LEN + Iv::LEN } else { Iv::LEN }
    }

    /// One key for each of `count` fresh salts.
    fn derive(&self, count: usize) -> Result<Vec<SealKey>, SealError> {
        let salts =
            (0..count).map(|_| random::draw().map(Salt::new)).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<_> = salts.iter().map(|salt| derive::input(self.mode, salt)).collect();
        let keys = derive::derive_many(&self.secret, self.mode, &inputs)
            .map_err(|_| SealError::Derivation)?;
        let make = |(salt, key)| {
            EntryKey::new(self.mode, &key).map(|key| SealKey { salt, key }).ok_or(SealError::Cipher)
        };
        salts.into_iter().zip(keys).map(make).collect()
    }
}

/// A salt, and what its derivation gave. In mode 128 only the epoch's half of the salt counts.
pub(crate) struct SealKey {
    pub(crate) salt: Salt,
    pub(crate) key: EntryKey,
}

/// The keys of one sealer in one process.
pub(crate) struct Reserve {
    generation: u64,
    shared: Arc<Shared>,
}

struct Shared {
    plan: Arc<Plan>,
    state: Mutex<State>,
    /// The thread waits here for work.
    work: Condvar,
    /// Sealers wait here for a key.
    ready: Condvar,
}

struct State {
    /// How often the process was restored when the keys here were drawn.
    restores: u64,
    current: Option<Current>,
    pool: VecDeque<SealKey>,
    budget: Option<Budget>,
    /// What a key alone, and full lanes, cost the last time.
    cost_of_one: Duration,
    cost_of_lanes: Duration,
    /// Whether a sealer is deriving the first key, or has.
    first_begun: bool,
    thread_runs: bool,
    /// It has nothing to do.
    thread_sleeps: bool,
    /// It waits until the budget allows what there is to do; a sealer that waits may change that.
    thread_pauses: bool,
    stopped: bool,
    waiting: usize,
    failure: Option<SealError>,
    stats: SealerStats,
}

/// The key that entries share, or that the last one had for itself.
struct Current {
    key: Arc<SealKey>,
    entries: u64,
    bytes: u64,
    since: Instant,
}

impl Current {
    /// Whether one more entry of `bytes` may be sealed under it.
    fn allows(&self, bounds: &Bounds, bytes: u64, now: Instant) -> bool {
        self.entries < bounds.max_entries
            && self.bytes.saturating_add(bytes) <= bounds.max_bytes
            && now.saturating_duration_since(self.since) < bounds.max_age
    }

    /// Whether seven eighths of a bound are used, and a successor is wanted.
    fn ends_soon(&self, bounds: &Bounds, now: Instant) -> bool {
        self.entries >= bounds.max_entries / 8 * 7
            || self.bytes >= bounds.max_bytes / 8 * 7
            || now.saturating_duration_since(self.since) >= bounds.max_age / 8 * 7
    }
}

impl Reserve {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        let budget = match plan.policy {
            KeyPolicy::Adaptive { budget, .. } if plan.mode != Mode::Hkdf => {
                Some(Budget::new(budget, Instant::now()))
            }
            _ => None,
        };
        let state = State {
            restores: logflux_process::restores(),
            current: None,
            pool: VecDeque::new(),
            budget,
            cost_of_one: Duration::ZERO,
            cost_of_lanes: Duration::ZERO,
            first_begun: false,
            thread_runs: false,
            thread_sleeps: false,
            thread_pauses: false,
            stopped: false,
            waiting: 0,
            failure: None,
            stats: SealerStats::default(),
        };
        let shared =
            Shared { plan, state: Mutex::new(state), work: Condvar::new(), ready: Condvar::new() };
        Self { generation: logflux_process::generation(), shared: Arc::new(shared) }
    }

    /// Gives keys for messages of these lengths, in their order: at least one, and as many as there
    /// are without waiting again.
    pub(crate) fn take_keys(
        &self,
        lengths: impl Iterator<Item = usize>,
        mut give: impl FnMut(Arc<SealKey>),
    ) -> Result<(), SealError> {
        let shared = &self.shared;
        let mut lengths = lengths.peekable();
        let mut given = false;
        let mut state = shared.lock();
        loop {
            state.forget_keys_of_before_a_restore();
            let now = Instant::now();
            while let Some(length) = lengths.peek()
                && let Some(key) = shared.next_key(&mut state, *length, now)
            {
                give(key);
                lengths.next();
                given = true;
            }
            shared.wake_thread(&mut state, now);
            if given || lengths.peek().is_none() {
                return Ok(());
            }
            state = shared.wait_for_key(state)?;
        }
    }

    pub(crate) fn stats(&self) -> SealerStats {
        let state = self.shared.lock();
        SealerStats { pool_level: state.pool.len(), ..state.stats }
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        // The locks of another process are not ours to take; its thread is not here either.
        if self.generation == logflux_process::generation() {
            self.shared.lock().stopped = true;
            self.shared.work.notify_all();
        }
    }
}

impl State {
    /// A copy of this process may have the same keys. What it seals with them stays secret, since
    /// every iv is fresh, but no two copies shall share a key.
    fn forget_keys_of_before_a_restore(&mut self) {
        let restores = logflux_process::restores();
        if self.restores != restores {
            self.restores = restores;
            self.current = None;
            self.pool.clear();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key for an entry of `length` bytes, if there is one that it may have.
    fn next_key(&self, state: &mut State, length: usize, now: Instant) -> Option<Arc<SealKey>> {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let bounds = self.plan.bounds();
        let shareable =
            |current: &Current| bounds.is_some_and(|bounds| current.allows(&bounds, length, now));
        let fresh_first = self.plan.prefers_fresh() && !state.pool.is_empty();
        if !fresh_first
            && let Some(current) = state.current.as_mut()
            && shareable(current)
        {
            current.entries += 1;
            current.bytes = current.bytes.saturating_add(length);
            if self.plan.mode == Mode::Hkdf {
                state.stats.unique += 1;
            } else if current.entries == 2 {
                // The first entry under this key had counted as unique.
                state.stats.unique -= 1;
                state.stats.shared += 2;
            } else {
                state.stats.shared += 1;
            }
            return Some(Arc::clone(&current.key));
        }
        let key = Arc::new(state.pool.pop_front()?);
        state.stats.unique += 1;
        state.current =
            Some(Current { key: Arc::clone(&key), entries: 1, bytes: length, since: now });
        Some(key)
    }

    /// How many keys the thread should derive next; 0 where it may sleep.
    fn wanted(&self, state: &State, now: Instant) -> usize {
        let lanes = derive::lanes(self.plan.mode);
        if self.plan.prefers_fresh() {
            let missing = self.plan.pool_target().saturating_sub(state.pool.len());
            // Not for less than full lanes, which cost as much.
            if missing >= lanes || state.waiting > 0 { lanes } else { 0 }
        } else {
            let ends_soon = |current: &Current| {
                self.plan.bounds().is_some_and(|bounds| current.ends_soon(&bounds, now))
            };
            let needed = state.waiting > 0 || state.current.as_ref().is_some_and(ends_soon);
            usize::from(needed && state.pool.is_empty())
        }
    }

    /// Starts the thread when the second entry was sealed, and wakes it when it has work.
    fn wake_thread(self: &Arc<Self>, state: &mut State, now: Instant) {
        let entries = state.stats.unique + state.stats.shared;
        if (entries < 2 && state.waiting == 0) || self.wanted(state, now) == 0 {
            return;
        }
        if !state.thread_runs {
            let shared = Arc::clone(self);
            state.thread_runs =
                logflux_process::start_thread("logflux-keys", move || shared.run()).is_ok();
        } else if state.thread_sleeps || (state.thread_pauses && state.waiting > 0) {
            state.thread_sleeps = false;
            state.thread_pauses = false;
            self.work.notify_one();
        }
    }

    /// Waits until there may be a key. The first of a process is derived here and now; so is every
    /// one where no thread can be had.
    fn wait_for_key<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>, SealError> {
        if !state.first_begun {
            state.first_begun = true;
            return self.derive_here(state);
        }
        state.stats.waits += 1;
        state.waiting += 1;
        let failed = loop {
            if !state.pool.is_empty() {
                break None;
            }
            if let Some(failure) = state.failure.take() {
                break Some(failure);
            }
            self.wake_thread(&mut state, Instant::now());
            // While the first is being derived, that is what all wait for.
            if !state.thread_runs && (state.stats.derivations > 0 || !state.first_begun) {
                state.waiting -= 1;
                state.first_begun = true;
                return self.derive_here(state);
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.waiting -= 1;
        failed.map_or(Ok(state), Err)
    }

    fn derive_here<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>, SealError> {
        drop(state);
        slow_build::check_build(self.plan.mode);
        let restores = logflux_process::restores();
        let started = Instant::now();
        let before = thread_time(started);
        let derived = self.plan.derive(1);
        let cost = thread_time(started).saturating_sub(before);
        slow_build::check_cost(self.plan.mode, cost);
        let mut state = self.lock();
        match derived {
            Ok(keys) => self.add(&mut state, keys, restores, cost),
            Err(error) => {
                // Another may try; those that wait for this one must hear of it.
                state.first_begun = state.stats.derivations > 0;
                if state.waiting > 0 {
                    state.failure = Some(error.clone());
                }
                self.ready.notify_all();
                return Err(error);
            }
        }
        Ok(state)
    }

    /// Puts keys into the pool, unless the process was restored since `restores` was read, which was
    /// before their salts were drawn.
    fn add(&self, state: &mut State, keys: Vec<SealKey>, restores: u64, cost: Duration) {
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        if count == 1 {
            state.cost_of_one = cost;
        }
        // Until full lanes were measured, they cost what so many keys alone would.
        let lanes = u32::try_from(derive::lanes(self.plan.mode)).unwrap_or(u32::MAX);
        if count >= lanes {
            state.cost_of_lanes = cost;
        } else if state.cost_of_lanes.is_zero() {
            state.cost_of_lanes = cost * lanes / count.max(1);
        }
        state.stats.derivations += u64::from(count);
        if let Some(budget) = state.budget.as_mut() {
            budget.pay(cost);
        }
        state.forget_keys_of_before_a_restore();
        if state.restores == restores {
            state.pool.extend(keys);
        }
        self.ready.notify_all();
    }

    /// The thread: derives what is wanted and affordable, and sleeps otherwise.
    fn run(self: Arc<Self>) {
        let started = Instant::now();
        let mut state = self.lock();
        while !state.stopped {
            state.forget_keys_of_before_a_restore();
            let now = Instant::now();
            let mut count = self.wanted(&state, now);
            if count == 0 {
                state.thread_sleeps = true;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (cost_of_one, cost_of_lanes) = (state.cost_of_one, state.cost_of_lanes);
            let someone_waits = state.waiting > 0;
            if let Some(budget) = state.budget.as_mut() {
                let mut pause = budget.wait_for(cost_of_lanes, now);
                if !pause.is_zero() && someone_waits {
                    // Better one key soon than many later.
                    pause = budget.wait_for(cost_of_one, now);
                    count = 1;
                }
                if !pause.is_zero() {
                    state.thread_pauses = !someone_waits;
                    let (woken, _) = self
                        .work
                        .wait_timeout(state, pause)
                        .unwrap_or_else(PoisonError::into_inner);
                    state = woken;
                    continue;
                }
            }
            state.thread_sleeps = false;
            state.thread_pauses = false;
            drop(state);
            let restores = logflux_process::restores();
            let before = thread_time(started);
            let derived = self.plan.derive(count);
            let cost = thread_time(started).saturating_sub(before);
            state = self.lock();
            match derived {
                Ok(keys) => self.add(&mut state, keys, restores, cost),
                Err(error) => {
                    if state.waiting > 0 {
                        state.failure = Some(error);
                    }
                    self.ready.notify_all();
                    // The pool is as it was: wait for the next sealer that wants a key.
                    state.thread_sleeps = true;
                    state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "reserve_tests.rs"]
mod tests;
