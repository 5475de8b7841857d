//! The one thread that writes.
//!
//! Requests wait in a bounded queue. The writer takes one, and with it whatever else waits, up to
//! [`GROUP_ENTRIES`]; all of them become one transaction, and each is answered after its commit. One
//! fsync is thus shared by as many requests as came during the one before.
//!
//! Between groups, and when nothing comes, it does the upkeep: entries that are too old or too many
//! are deleted in small steps ([`Retention`]), and what is begun of a run of identities is written.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use logflux_wire::Entry;
use tokio::sync::{oneshot, watch};

use super::appending::Appending;
use super::checkpoint::{self, Checkpointer};
use super::retention::Retention;
use crate::config::Limits;
use crate::room::{Held, Room};
use crate::store::{Appended, Meter, StoreError, StoreSettings};
use crate::tenant::Tenant;

/// A transaction takes no further request once it has this many entries.
const GROUP_ENTRIES: usize = 10_000;

/// How long the writer waits for requests between two steps of deleting.
const BREATH: Duration = Duration::from_millis(5);

/// How long it leaves upkeep that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The queue's end for requests. When it is dropped, the writer finishes what waits and ends.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    /// For payload bytes that wait or are being written.
    room: Room,
    meter: Meter,
    newest: watch::Receiver<i64>,
    thread: Option<JoinHandle<()>>,
}

/// A request's entries, and where its answer goes.
pub(super) struct Job {
    pub(super) tenant: Tenant,
    pub(super) entries: Vec<Entry>,
    answer: oneshot::Sender<Result<Vec<Appended>, StoreError>>,
    room: Held,
}

impl Writer {
    pub(super) fn start(
        path: PathBuf,
        limits: &Limits,
        settings: &StoreSettings,
        meter: Meter,
    ) -> Result<Self, StoreError> {
        let appending = Appending::open(&path)?;
        let (newest, newest_seen) = watch::channel(appending.newest());
        let checkpointer = Checkpointer::start(path.clone())?;
        let (queue, jobs) = sync_channel(limits.queue_requests);
        let mut thread = WriterThread {
            path,
            appending: Some(appending),
            retention: Retention::new(settings),
            checkpointer,
            meter: meter.clone(),
            newest,
        };
        let thread = std::thread::Builder::new()
            .name("logflux-writer".to_owned())
            .spawn(move || thread.run(&jobs))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self {
            queue: Some(queue),
            room: Room::new(limits.queue_bytes),
            meter,
            newest: newest_seen,
            thread: Some(thread),
        })
    }

    /// Queues entries at once, or refuses them at once; the future waits for the commit.
    pub(super) async fn append(
        &self,
        tenant: Tenant,
        entries: Vec<Entry>,
    ) -> Result<Vec<Appended>, StoreError> {
        let bytes = entries.iter().map(|entry| entry.payload().as_bytes().len()).sum();
        let (answer, answered) = oneshot::channel();
        let room = self.room.hold(bytes).ok_or(StoreError::Busy)?;
        let job = Job { tenant, entries, answer, room };
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

    pub(super) fn newest(&self) -> watch::Receiver<i64> {
        self.newest.clone()
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
    meter: Meter,
    newest: watch::Sender<i64>,
}

impl WriterThread {
    fn run(&mut self, jobs: &Receiver<Job>) {
        let mut wait = Duration::ZERO;
        loop {
            let idle = match jobs.recv_timeout(wait) {
                Ok(job) => {
                    self.serve(job, jobs);
                    false
                }
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            wait = self.upkeep(idle);
        }
    }

    fn serve(&mut self, job: Job, jobs: &Receiver<Job>) {
        let mut entries = job.entries.len();
        let mut group = vec![job];
        while entries < GROUP_ENTRIES
            && let Ok(job) = jobs.try_recv()
        {
            entries += job.entries.len();
            group.push(job);
        }
        let began = Instant::now();
        let result = self.with(|appending, _| appending.write(&group));
        match &result {
            Ok(outcomes) => {
                self.meter.commit.observe(began.elapsed().as_secs_f64());
                self.count(outcomes);
            }
            Err(error) => {
                tracing::error!(requests = group.len(), entries, %error, "nothing was stored");
            }
        }
        self.retention.appended(entries);
        self.meter.queued.sub(i64::try_from(group.len()).unwrap_or(0));
        answer(group, result);
    }

    fn count(&self, outcomes: &[Vec<Appended>]) {
        let all = || outcomes.iter().flatten();
        let count = |what| all().filter(|outcome| **outcome == what).count() as u64;
        self.meter.stored.inc_by(count(Appended::Stored));
        self.meter.duplicates.inc_by(count(Appended::Duplicate));
        if let Some(appending) = &self.appending {
            let newest = appending.newest();
            self.meter.newest.set(newest);
            self.newest.send_if_modified(|seen| std::mem::replace(seen, newest) != newest);
        }
    }

    /// Does a step of what is to be done; says when the next is. What the next group would do as well
    /// is done when there is none.
    fn upkeep(&mut self, idle: bool) -> Duration {
        let step = self.with(|appending, retention| {
            let mut step = retention.step(appending)?;
            step.more |= idle && appending.write_piece()?;
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
                tracing::error!(%error, "the store's upkeep fails");
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

fn answer(group: Vec<Job>, result: Result<Vec<Vec<Appended>>, StoreError>) {
    let (outcomes, error) = match result {
        Ok(outcomes) => (outcomes, StoreError::Closed),
        Err(error) => (Vec::new(), error),
    };
    let mut outcomes = outcomes.into_iter();
    for Job { answer, room, .. } in group {
        // Whoever is answered finds the room free.
        drop(room);
        // Whoever does not wait any more does not need the answer.
        answer.send(outcomes.next().ok_or_else(|| error.clone())).ok();
    }
}

/// A request by itself.
#[cfg(test)]
pub(super) fn job(tenant: &Tenant, entries: Vec<Entry>) -> Job {
    let room = Room::new(0).enter();
    Job { tenant: tenant.clone(), entries, answer: oneshot::channel().0, room }
}
