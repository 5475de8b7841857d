//! The one thread that writes.
//!
//! Requests wait in a bounded queue. The writer takes one, and with it what else waits, from each
//! tenant in turn ([`Waiting`]); all of them become one transaction, and each is answered after its commit. One
//! fsync is thus shared by as many requests as came during the one before.
//!
//! Between groups, and when nothing comes, it does the upkeep: entries that are too old or too many
//! are deleted in small steps ([`Retention`]), and what is begun of a run of identities is written.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use logflux_wire::Entry;
use tokio::sync::{oneshot, watch};

use super::appending::{Appending, Part};
use super::checkpoint::{self, Checkpointer};
use super::mark::Mark;
use super::notices::Notices;
use super::retention::Retention;
use super::waiting::Waiting;
use crate::config::Limits;
use crate::room::{Held, Room};
use crate::sampling;
use crate::store::{Appended, Meter, StoreError, StoreSettings};
use crate::tenant::Tenant;

/// How long the writer waits for requests between two steps of deleting.
const BREATH: Duration = Duration::from_millis(5);

/// How long it leaves upkeep that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long a tenant whose entries meet damage is written apart from the others.
const SUSPECT: Duration = Duration::from_secs(60);

/// The queue's end for requests. When it is dropped, the writer finishes what waits and ends.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    /// For requests that wait or are being written, and for their payload bytes.
    requests: Room<Tenant>,
    room: Room<Tenant>,
    meter: Meter,
    log_full: Arc<AtomicBool>,
    changes: Changes,
    thread: Option<JoinHandle<()>>,
}

/// A request's entries, and where its answer goes.
pub(super) struct Job {
    pub(super) tenant: Tenant,
    pub(super) entries: Vec<Entry>,
    answer: oneshot::Sender<Result<Vec<Appended>, StoreError>>,
    room: (Held<Tenant>, Held<Tenant>),
}

impl Job {
    /// The bytes of its payloads.
    pub(super) fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.payload().as_bytes().len()).sum()
    }

    /// A request that nobody waits for.
    #[cfg(test)]
    pub(super) fn new(tenant: Tenant, entries: Vec<Entry>) -> Self {
        let room = || Room::new(1).hold(&tenant, 1);
        let room = room().zip(room()).unwrap();
        Self { answer: oneshot::channel().0, room, tenant, entries }
    }
}

/// Tells those who wait for a tenant's entries; all clones are one.
#[derive(Clone, Debug, Default)]
struct Changes(Arc<Mutex<HashMap<Tenant, watch::Sender<u64>>>>);

impl Changes {
    fn of(&self, tenant: &Tenant) -> watch::Receiver<u64> {
        let mut waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waited.retain(|_, sender| !sender.is_closed());
        waited.entry(tenant.clone()).or_default().subscribe()
    }

    fn tell<'a>(&self, tenants: impl Iterator<Item = &'a Tenant>) {
        let waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waited.is_empty() {
            tenants.filter_map(|tenant| waited.get(tenant)).for_each(|sender| {
                sender.send_modify(|count| *count = count.wrapping_add(1));
            });
        }
    }
}

impl Writer {
    pub(super) fn start(
        path: PathBuf,
        appending: Appending,
        limits: &Limits,
        settings: &StoreSettings,
        notices: Notices,
        mark: Mark,
    ) -> Result<Self, StoreError> {
        let changes = Changes::default();
        let meter = notices.meter().clone();
        meter.newest.set(appending.newest());
        let checkpointer = Checkpointer::start(path.clone(), notices.clone())?;
        let log_full = checkpointer.full();
        let (queue, jobs) = sync_channel(limits.queue_requests);
        let mut thread = WriterThread {
            path,
            appending: Some(appending),
            retention: Retention::new(settings),
            checkpointer,
            notices,
            meter: meter.clone(),
            changes: changes.clone(),
            suspects: HashSet::new(),
            suspected: Instant::now(),
            mark,
        };
        let thread = std::thread::Builder::new()
            .name("logflux-writer".to_owned())
            .spawn(move || thread.run(&jobs))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self {
            queue: Some(queue),
            requests: Room::new(limits.queue_requests),
            room: Room::new(limits.queue_bytes),
            meter,
            log_full,
            changes,
            thread: Some(thread),
        })
    }

    /// Queues entries at once, or refuses them at once; the future waits for the commit.
    pub(super) async fn append(
        &self,
        tenant: Tenant,
        entries: Vec<Entry>,
    ) -> Result<Vec<Appended>, StoreError> {
        if self.log_full.load(Ordering::Relaxed) {
            return Err(StoreError::Busy);
        }
        let bytes = entries.iter().map(|entry| entry.payload().as_bytes().len()).sum();
        let (answer, answered) = oneshot::channel();
        let place = self.requests.hold(&tenant, 1).ok_or(StoreError::Busy)?;
        let room = self.room.hold(&tenant, bytes).ok_or(StoreError::Busy)?;
        let job = Job { tenant, entries, answer, room: (place, room) };
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        self.meter.queued.inc();
        queue.try_send(job).map_err(|error| {
            self.meter.queued.dec();
            match error {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Disconnected(_) => StoreError::Closed,
            }
        })?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(super) fn changes(&self, tenant: &Tenant) -> watch::Receiver<u64> {
        self.changes.of(tenant)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A writer that has panicked has answered nobody: its callers saw the store closed.
            thread.join().ok();
        }
    }
}

struct WriterThread {
    path: PathBuf,
    /// None after a failure that leaves it in doubt; the next group opens another.
    appending: Option<Appending>,
    retention: Retention,
    checkpointer: Checkpointer,
    notices: Notices,
    meter: Meter,
    changes: Changes,
    /// Tenants whose entries have met damage lately.
    suspects: HashSet<Tenant>,
    suspected: Instant,
    mark: Mark,
}

impl WriterThread {
    fn run(&mut self, jobs: &Receiver<Job>) {
        let (mut wait, mut waiting) = (Duration::ZERO, Waiting::default());
        loop {
            match jobs.recv_timeout(wait) {
                Ok(job) => waiting.push(job, Instant::now()),
                Err(RecvTimeoutError::Timeout) => wait = self.upkeep(true),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Between two groups there is a step of upkeep as well.
            loop {
                let now = Instant::now();
                jobs.try_iter().for_each(|job| waiting.push(job, now));
                let group = waiting.take_group(now);
                if group.is_empty() {
                    break;
                }
                self.serve(group);
                wait = self.upkeep(false);
            }
        }
        let last_words = self.with(|appending, retention| {
            retention.close(appending)?;
            Ok(appending.newest())
        });
        let last_words = last_words.map(|newest| self.mark(newest));
        if let Err(error) = last_words {
            tracing::warn!(%error, "the store is closed without its last notes");
        }
    }

    fn serve(&mut self, mut group: Vec<Job>) {
        let entries = group.iter().map(|job| job.entries.len()).sum();
        if self.suspected.elapsed() > SUSPECT {
            self.suspects.clear();
        }
        // The entries of a tenant get numbers one after another (see `spans`).
        group.sort_by(|a, b| {
            let suspect = |job: &Job| self.suspects.contains(&job.tenant);
            (suspect(a), &a.tenant).cmp(&(suspect(b), &b.tenant))
        });
        let good = group.partition_point(|job| !self.suspects.contains(&job.tenant));
        let began = Instant::now();
        let parts: Vec<Part<'_>> =
            group.iter().map(|job| Part { tenant: &job.tenant, entries: &job.entries }).collect();
        let (trusted, suspects) = parts.split_at(good);
        let mut outcomes = self.write(trusted);
        for of_tenant in suspects.chunk_by(|a, b| a.tenant == b.tenant) {
            outcomes.extend(self.write(of_tenant));
        }
        self.meter.commit.observe(began.elapsed().as_secs_f64());
        self.count(&outcomes);
        let stored = |outcome: &Result<Vec<Appended>, StoreError>| {
            outcome.as_ref().is_ok_and(|outcome| outcome.contains(&Appended::Stored))
        };
        let told = parts.iter().zip(&outcomes).filter(|(_, outcome)| stored(outcome));
        self.changes.tell(told.map(|(part, _)| part.tenant));
        self.retention.appended(entries);
        self.meter.queued.sub(i64::try_from(group.len()).unwrap_or(0));
        answer(group, outcomes);
    }

    /// Writes parts as one transaction. Where that meets damage, they are written by tenant, by part
    /// and at last by entry, so that only what belongs to the damaged place is not stored.
    fn write(&mut self, parts: &[Part<'_>]) -> Vec<Result<Vec<Appended>, StoreError>> {
        let Some(first) = parts.first() else { return Vec::new() };
        let error = match self.with(|appending, _| appending.write(parts)) {
            Ok(outcomes) => return outcomes.into_iter().map(Ok).collect(),
            Err(error) => error,
        };
        if !error.is_damage() {
            if let Some(missed) = sampling::passes("nothing_stored") {
                let requests = parts.len();
                tracing::error!(requests, %error, missed, "nothing was stored");
            }
            return vec![Err(error); parts.len()];
        }
        if parts.iter().any(|part| part.tenant != first.tenant) {
            let tenants = parts.chunk_by(|a, b| a.tenant == b.tenant);
            return tenants.flat_map(|of_tenant| self.write(of_tenant)).collect();
        }
        if parts.len() > 1 {
            return parts.chunks(1).flat_map(|part| self.write(part)).collect();
        }
        self.suspects.insert(first.tenant.clone());
        self.suspected = Instant::now();
        let mut outcomes = Vec::with_capacity(first.entries.len());
        for entry in first.entries.chunks(1) {
            let alone = Part { entries: entry, ..*first };
            match self.with(|appending, _| appending.write(&[alone])) {
                Ok(outcome) => outcomes.extend(outcome.into_iter().flatten()),
                Err(error) if error.is_damage() => {
                    self.notices.damaged(&error);
                    outcomes.push(Appended::Damaged);
                }
                // What was stored of it is a duplicate when it is sent again.
                Err(error) => return vec![Err(error)],
            }
        }
        vec![Ok(outcomes)]
    }

    fn count(&self, outcomes: &[Result<Vec<Appended>, StoreError>]) {
        let all = || outcomes.iter().flatten().flatten();
        let count = |what| all().filter(|outcome| **outcome == what).count() as u64;
        self.meter.stored.inc_by(count(Appended::Stored));
        self.meter.duplicates.inc_by(count(Appended::Duplicate));
        if let Some(newest) = self.appending.as_ref().map(Appending::newest) {
            self.meter.newest.set(newest);
            self.mark(newest);
        }
    }

    fn mark(&self, newest: i64) {
        if let Err(error) = self.mark.write(newest)
            && let Some(missed) = sampling::passes("store_not_marked")
        {
            tracing::warn!(%error, missed, "how far the store has come is not noted in its lock");
        }
    }

    /// Does a step of what is to be done; says when the next is. What the next group would do as well
    /// is done when there is none.
    fn upkeep(&mut self, idle: bool) -> Duration {
        let notices = self.notices.clone();
        let step = self.with(|appending, retention| {
            // Neither keeps the other from its work.
            let written = if idle { appending.write_piece() } else { Ok(false) };
            let mut step = retention.step(appending, &notices)?;
            step.more |= written?;
            Ok(step)
        });
        self.checkpointer.wake();
        // A full disk may have room again once the log begins anew.
        if self.checkpointer.is_long() || matches!(step, Err(StoreError::Full)) {
            let brought_in =
                self.with(|appending, _| checkpoint::checkpoint(appending.connection()));
            if let Err(error) = brought_in {
                tracing::warn!(%error, "the store's log is not brought in");
            }
        }
        match step {
            Ok(step) => {
                self.meter.deleted.inc_by(step.deleted);
                if let Some(bytes) = step.bytes {
                    self.meter.bytes.set(bytes);
                }
                if step.more { BREATH } else { self.retention.interval() }
            }
            Err(error) => {
                if error.is_damage() {
                    self.notices.damaged(&error);
                }
                if let Some(missed) = sampling::passes("upkeep_fails") {
                    tracing::error!(%error, missed, "the store's upkeep fails");
                }
                AFTER_FAILURE
            }
        }
    }

    /// Works on the store. Whatever fails, its transaction as a whole is undone.
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Appending, &mut Retention) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut appending = match self.appending.take() {
            Some(appending) => appending,
            None => Appending::open(&self.path)?,
        };
        let result = work(&mut appending, &mut self.retention);
        match &result {
            // After another failure, of an fsync most of all, nothing that the connection believes
            // about the file can be trusted.
            Err(StoreError::Engine(_)) => {}
            _ => self.appending = Some(appending),
        }
        result
    }
}

fn answer(group: Vec<Job>, outcomes: Vec<Result<Vec<Appended>, StoreError>>) {
    let mut outcomes = outcomes.into_iter();
    for Job { answer, room, .. } in group {
        // Whoever is answered finds the room free.
        drop(room);
        // Whoever does not wait any more does not need the answer.
        answer.send(outcomes.next().unwrap_or(Err(StoreError::Closed))).ok();
    }
}
