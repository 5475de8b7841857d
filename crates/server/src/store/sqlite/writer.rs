//! The one thread that writes.
//!
//! Requests wait in a bounded queue. The writer takes one, and with it whatever else waits, up to
//! [`GROUP_ENTRIES`]; all of them become one transaction, and each is answered after its commit. One
//! fsync is thus shared by as many requests as came during the one before.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use logflux_wire::Entry;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::row::{COLUMNS, read_entry};
use super::schema;
use crate::config::Limits;
use crate::room::{Held, Room};
use crate::store::{Appended, StoreError};
use crate::tenant::Tenant;

/// A transaction takes no further request once it has this many entries.
const GROUP_ENTRIES: usize = 10_000;

/// The queue's end for requests. When it is dropped, the writer finishes what waits and ends.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    /// For payload bytes that wait or are being written.
    room: Room,
    thread: Option<JoinHandle<()>>,
}

/// A request's entries, and where its answer goes.
struct Job {
    tenant: Tenant,
    entries: Vec<Entry>,
    answer: oneshot::Sender<Result<Vec<Appended>, StoreError>>,
    room: Held,
}

impl Writer {
    pub(super) fn start(path: PathBuf, limits: &Limits) -> Result<Self, StoreError> {
        let connection = schema::open_writer(&path)?;
        let (queue, jobs) = sync_channel(limits.queue_requests);
        let mut thread =
            WriterThread { path, connection: Some(connection), tenants: HashMap::new() };
        let thread = std::thread::Builder::new()
            .name("logflux-writer".to_owned())
            .spawn(move || thread.run(&jobs))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { queue: Some(queue), room: Room::new(limits.queue_bytes), thread: Some(thread) })
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
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Closed,
        })?;
        answered.await.unwrap_or(Err(StoreError::Closed))
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
    /// None after a failure that leaves a connection in doubt; the next group opens another.
    connection: Option<Connection>,
    /// The rows of `tenants` that are known to be durable.
    tenants: HashMap<Tenant, i64>,
}

impl WriterThread {
    fn run(&mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let mut entries = job.entries.len();
            let mut group = vec![job];
            while entries < GROUP_ENTRIES
                && let Ok(job) = jobs.try_recv()
            {
                entries += job.entries.len();
                group.push(job);
            }
            let result = self.write(&group);
            if let Err(error) = &result {
                tracing::error!(requests = group.len(), entries, %error, "nothing was stored");
            }
            answer(group, result);
        }
    }

    /// Writes a group as one transaction. Whatever fails, the transaction as a whole is undone.
    fn write(&mut self, group: &[Job]) -> Result<Vec<Vec<Appended>>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => schema::open_writer(&self.path)?,
        };
        let result = write_group(&mut connection, &mut self.tenants, group);
        match &result {
            // After another failure, of an fsync most of all, nothing that the connection believes
            // about the file can be trusted.
            Err(StoreError::Engine(_)) => {}
            _ => self.connection = Some(connection),
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

fn write_group(
    connection: &mut Connection,
    tenants: &mut HashMap<Tenant, i64>,
    group: &[Job],
) -> Result<Vec<Vec<Appended>>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let received = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let received = i64::try_from(received).unwrap_or(i64::MAX);
    let mut fresh = HashMap::new();
    let mut outcomes = Vec::with_capacity(group.len());
    for job in group {
        let tenant = match tenants.get(&job.tenant).or_else(|| fresh.get(&job.tenant)) {
            Some(id) => *id,
            None => {
                let id = tenant_id(&transaction, &job.tenant)?;
                fresh.insert(job.tenant.clone(), id);
                id
            }
        };
        let insert = |entry| insert(&transaction, tenant, received, entry);
        outcomes.push(job.entries.iter().map(insert).collect::<Result<Vec<_>, _>>()?);
    }
    transaction.commit()?;
    tenants.extend(fresh);
    Ok(outcomes)
}

/// Writes one request's entries.
#[cfg(test)]
pub(super) fn write_alone(
    connection: &mut Connection,
    tenant: &Tenant,
    entries: Vec<Entry>,
) -> Result<Vec<Appended>, StoreError> {
    let room = Room::new(0).enter();
    let job = Job { tenant: tenant.clone(), entries, answer: oneshot::channel().0, room };
    Ok(write_group(connection, &mut HashMap::new(), &[job])?.remove(0))
}

fn tenant_id(transaction: &Transaction<'_>, tenant: &Tenant) -> Result<i64, StoreError> {
    let name = tenant.as_str();
    transaction.execute("INSERT INTO tenants (name) VALUES (?1) ON CONFLICT DO NOTHING", [name])?;
    let id =
        transaction.query_row("SELECT id FROM tenants WHERE name = ?1", [name], |row| row.get(0));
    Ok(id?)
}

fn insert(
    transaction: &Transaction<'_>,
    tenant: i64,
    received: i64,
    entry: &Entry,
) -> Result<Appended, StoreError> {
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO entries (tenant, node, level, seconds, nanoseconds, mode, iv, salt, received, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (tenant, salt, iv) DO NOTHING",
        )?
        .execute((
            tenant,
            entry.node().as_str(),
            entry.level().number(),
            entry.timestamp().unix_seconds(),
            entry.timestamp().nanoseconds(),
            entry.mode().number(),
            entry.iv().as_bytes(),
            entry.salt().as_bytes(),
            received,
            entry.payload().as_bytes(),
        ))?;
    if inserted == 1 {
        return Ok(Appended::Stored);
    }
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM entries WHERE tenant = ?1 AND salt = ?2 AND iv = ?3"
    ))?;
    let stored = statement
        .query_row((tenant, entry.salt().as_bytes(), entry.iv().as_bytes()), |row| {
            Ok(read_entry(row))
        })
        .optional()?
        .transpose()?;
    match stored {
        Some(stored) if stored == *entry => Ok(Appended::Duplicate),
        Some(_) => Ok(Appended::NonceReused),
        None => Err(StoreError::Engine("an entry is refused that is not there".to_owned())),
    }
}
