//! Which entries there are, by their identity.
//!
//! A B-tree of random 44-byte identities costs a page for every entry once it is larger than the
//! cache: at ten million entries most of what is written would be index. Here an identity is a keyed
//! hash of 64 bits. Those of the newest entries are in memory, found again at the start from the
//! entries themselves; whenever there are [`RUN`] of them they are sorted and written as one *run* of
//! [`BUCKETS`] rows, piece by piece in the transactions that come, so that nobody waits for it. A [`Filter`] in memory stands before the runs: an entry that is new, and nearly
//! every entry is, asks only that. A hash that is found leads to the row, and the row decides; so
//! neither the filter nor the hash can make an answer wrong.
//!
//! A run goes when the last of its entries is deleted. Memory: about 1.5 bytes for an entry, and
//! 20 MiB.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use logflux_wire::{Iv, Salt};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use sha2::{Digest as _, Sha256};

use super::appending::newest;
use super::filter::Filter;
use crate::store::StoreError;

/// How many identities are in memory before they become a run: what a hash table of 2^18 holds.
pub(super) const RUN: usize = 200_000;
/// The rows of a run, chosen by the hash's first 12 bits.
const BUCKETS: i64 = 1 << BUCKET_BITS;
const BUCKET_BITS: u32 = 12;
/// A number in a bucket is 40 further bits of the hash, and 24 of the entry's place in the run.
const PLACE_BITS: u32 = 24;
/// How many entries are read one by one where some cannot be read.
const APART: i64 = 1_000;
/// How many runs share a filter.
const SHARED: usize = 16;

/// The hash of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Identity(u64);

#[derive(Debug)]
pub(super) struct Identities {
    key: [u8; 16],
    /// Hash to seq, of all entries after the last run.
    recent: HashMap<Identity, i64>,
    /// The lowest seq in `recent`, where there is one.
    first: i64,
    /// Those of `recent` whose hash is another's: hardly ever one.
    twins: Vec<(Identity, i64)>,
    /// What the transaction that has begun has added.
    fresh: Vec<(Identity, i64)>,
    /// The run that is being written.
    frozen: Option<Frozen>,
    /// From the oldest to the newest.
    groups: Vec<Group>,
    next_run: i64,
    /// The highest seq that was ever added.
    newest: i64,
    /// [`RUN`], but for tests.
    run_size: usize,
}

/// A run that is being written: it counts when all of it is durable.
#[derive(Debug)]
struct Frozen {
    run: Run,
    /// Sorted.
    all: Vec<(Identity, i64)>,
    /// How many buckets are durable, and how many will be once the transaction is.
    written: i64,
    writing: i64,
}

/// Runs that share a filter.
#[derive(Debug)]
struct Group {
    filter: Filter,
    runs: Vec<Run>,
    /// How many runs the filter was given, those that have gone included.
    filled: usize,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    id: i64,
    first: i64,
    last: i64,
}

impl Identities {
    /// Reads what there is; entries that no run has are read from `entries`.
    /// A connection that may only read makes no runs of them.
    pub(super) fn load(connection: &mut Connection) -> Result<Self, StoreError> {
        let reads = connection.query_row("PRAGMA query_only", [], |row| row.get::<_, i64>(0))?;
        match Self::load_all(connection, reads == 0) {
            // A transaction that has met damage cannot write: what cannot be read is passed over, and
            // the others stay in memory.
            Err(error) if error.is_damage() => Self::load_all(connection, false),
            loaded => loaded,
        }
    }

    fn load_all(connection: &mut Connection, may_write: bool) -> Result<Self, StoreError> {
        let transaction = connection.transaction()?;
        let mut all = Self {
            key: key(&transaction)?,
            recent: HashMap::with_capacity(RUN),
            first: 0,
            twins: Vec::new(),
            fresh: Vec::new(),
            frozen: None,
            groups: Vec::new(),
            next_run: 1,
            newest: 0,
            run_size: RUN,
        };
        let mut last = 0;
        for run in runs(&transaction)? {
            let group = all.filling();
            group.runs.push(run);
            group.filled += 1;
            read_run(&transaction, run, |place, hashes| {
                for number in numbers(hashes) {
                    group.filter.insert(partial_hash(place % BUCKETS, number));
                }
            })?;
            all.next_run = run.id + 1;
            last = run.last;
            all.newest = run.last;
        }
        all.read_on(&transaction, last, may_write)?;
        if may_write {
            transaction.commit()?;
        }
        Ok(all)
    }

    /// Reads the identities of the entries after `last`, and makes runs of them as there are enough.
    fn read_on(
        &mut self,
        transaction: &Transaction<'_>,
        last: i64,
        may_write: bool,
    ) -> Result<(), StoreError> {
        if may_write {
            self.delete_unfinished(transaction)?;
        }
        let newest = newest(transaction)?;
        let mut from = last + 1;
        while from <= newest {
            match self.read_range(transaction, (from, newest), may_write) {
                Ok(()) => break,
                Err((next, error)) if error.is_damage() && !may_write => {
                    tracing::error!(from = next, %error, "entries cannot be read: run `logflux store check`");
                    from = next + APART;
                    for seq in next..from.min(newest + 1) {
                        match self.read_range(transaction, (seq, seq), may_write) {
                            Err((_, error)) if !error.is_damage() => return Err(error),
                            // What cannot be read has no identity.
                            Ok(()) | Err(_) => {}
                        }
                    }
                }
                Err((_, error)) => return Err(error),
            }
        }
        self.fresh.clear();
        // More than a run can number.
        if self.recent.len() >= 1 << (PLACE_BITS - 1) {
            return Err(StoreError::Corrupt("too much of it is not known".to_owned()));
        }
        Ok(())
    }

    /// Reads the identities of a range, up to the first that cannot be read: with the error comes its
    /// number.
    fn read_range(
        &mut self,
        transaction: &Transaction<'_>,
        (from, upto): (i64, i64),
        may_write: bool,
    ) -> Result<(), (i64, StoreError)> {
        let fail = |at: i64| move |error: rusqlite::Error| (at, StoreError::from(error));
        let mut reached = from;
        let mut statement = transaction
            .prepare_cached(
                "SELECT seq, tenant, salt, iv FROM entries NOT INDEXED
                 WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?2 - ?1 + 1",
            )
            .map_err(fail(from))?;
        let mut rows = statement.query([from, upto]).map_err(fail(from))?;
        while let Some(row) = rows.next().map_err(fail(reached))? {
            let seq: i64 = row.get(0).map_err(fail(reached))?;
            reached = seq + 1;
            let part = |at: usize| row.get_ref(at).ok().and_then(|value| value.as_blob().ok());
            let salt: Option<[u8; 32]> = part(2).and_then(|b| b.try_into().ok());
            let iv: Option<[u8; 12]> = part(3).and_then(|b| b.try_into().ok());
            // A row that is damaged has no identity; the others are known all the same.
            let Some((salt, iv)) = salt.zip(iv) else { continue };
            let tenant = row.get(1).map_err(fail(seq))?;
            let identity = self.identity(tenant, &salt.into(), &iv.into());
            if may_write {
                self.turn(seq);
                self.write_piece(transaction, BUCKETS).map_err(|error| (seq, error))?;
                self.commit();
            }
            self.add(identity, seq);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn set_run_size(&mut self, size: usize) {
        self.run_size = size;
    }

    #[cfg(test)]
    pub(super) fn runs(&self) -> usize {
        self.groups.iter().map(|group| group.runs.len()).sum()
    }

    /// The hash of an identity.
    pub(super) fn identity(&self, tenant: i64, salt: &Salt, iv: &Iv) -> Identity {
        let mut hasher = Sha256::new();
        hasher.update(self.key);
        hasher.update(tenant.to_be_bytes());
        hasher.update(salt.as_bytes());
        hasher.update(iv.as_bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = hash;
        Identity(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// The entries that may have this identity.
    pub(super) fn find(
        &self,
        transaction: &Transaction<'_>,
        identity: Identity,
    ) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::new();
        found.extend(self.recent.get(&identity));
        found.extend(self.twins.iter().filter(|(twin, _)| *twin == identity).map(|(_, seq)| *seq));
        let bucket = bucket(identity);
        if let Some(frozen) = &self.frozen {
            let here = piece(&frozen.all, bucket, bucket + 1).iter();
            found.extend(here.filter(|(other, _)| *other == identity).map(|(_, seq)| *seq));
        }
        for group in &self.groups {
            if !group.filter.may_have(partial(identity)) {
                continue;
            }
            for run in &group.runs {
                let hashes: Option<Vec<u8>> = transaction
                    .prepare_cached("SELECT hashes FROM identity_buckets WHERE place = ?1")?
                    .query_row([run.id * BUCKETS + bucket], |row| row.get(0))
                    .optional()?;
                found.extend(
                    numbers(&hashes.unwrap_or_default())
                        .filter(|number| number >> PLACE_BITS == middle(identity))
                        .map(|number| run.first + place(number)),
                );
            }
        }
        Ok(found)
    }

    /// Whether an entry came after these were read.
    pub(super) fn is_newer(&self, seq: i64) -> bool {
        seq > self.newest
    }

    /// Adds one that the transaction that has begun has written.
    pub(super) fn add(&mut self, identity: Identity, seq: i64) {
        if self.recent.is_empty() {
            self.first = seq;
        }
        match self.recent.entry(identity) {
            Entry::Vacant(place) => {
                place.insert(seq);
            }
            Entry::Occupied(_) => self.twins.push((identity, seq)),
        }
        self.fresh.push((identity, seq));
        self.newest = self.newest.max(seq);
    }

    /// What was added and written since the last commit is durable.
    pub(super) fn commit(&mut self) {
        self.fresh.clear();
        let Some(mut frozen) = self.frozen.take() else { return };
        let filter = &mut self.filling().filter;
        for (identity, _) in piece(&frozen.all, frozen.written, frozen.writing) {
            filter.insert(partial(*identity));
        }
        frozen.written = frozen.writing;
        if frozen.written < BUCKETS {
            self.frozen = Some(frozen);
            return;
        }
        let group = self.filling();
        group.runs.push(frozen.run);
        group.filled += 1;
        self.next_run = frozen.run.id + 1;
    }

    /// What was added and written since the last commit was not.
    pub(super) fn rollback(&mut self) {
        for (identity, seq) in self.fresh.drain(..) {
            let twins = self.twins.len();
            self.twins.retain(|twin| *twin != (identity, seq));
            if self.twins.len() == twins {
                self.recent.remove(&identity);
            }
        }
        if let Some(frozen) = &mut self.frozen {
            frozen.writing = frozen.written;
        }
    }

    /// Takes what is in memory out as a run to be written, where it is enough for one before an entry
    /// with this seq is added, and the one before is written.
    pub(super) fn turn(&mut self, seq: i64) {
        // Only a store with gaps comes near the second bound.
        let full = self.recent.len() >= self.run_size
            || !self.recent.is_empty() && seq - self.first >= 1 << PLACE_BITS;
        if !full || self.frozen.is_some() {
            return;
        }
        let mut all: Vec<(Identity, i64)> = self.recent.drain().collect();
        all.append(&mut self.twins);
        let last = all.iter().map(|(_, seq)| *seq).max().unwrap_or(0);
        all.sort_unstable();
        let run = Run { id: self.next_run, first: self.first, last };
        self.frozen = Some(Frozen { run, all, written: 0, writing: 0 });
    }

    /// Whether a run is being written.
    pub(super) fn is_writing(&self) -> bool {
        self.frozen.is_some()
    }

    /// Writes the next buckets of the run that is being written, where there is one.
    pub(super) fn write_piece(
        &mut self,
        transaction: &Transaction<'_>,
        buckets: i64,
    ) -> Result<(), StoreError> {
        let Some(Frozen { run, all, written, writing }) = &mut self.frozen else { return Ok(()) };
        let end = (*written + buckets).min(BUCKETS);
        let mut statement = transaction
            .prepare_cached("INSERT INTO identity_buckets (place, hashes) VALUES (?1, ?2)")?;
        for chunk in piece(all, *written, end).chunk_by(|(a, _), (b, _)| bucket(*a) == bucket(*b)) {
            let Some((of, _)) = chunk.first() else { continue };
            let mut hashes = Vec::with_capacity(chunk.len() * 8);
            for (identity, seq) in chunk {
                let number = middle(*identity) << PLACE_BITS | (seq - run.first).cast_unsigned();
                hashes.extend_from_slice(&number.to_le_bytes());
            }
            statement.execute((run.id * BUCKETS + bucket(*of), hashes))?;
        }
        if end == BUCKETS {
            transaction.execute(
                "INSERT INTO identity_runs (id, first, last, entries) VALUES (?1, ?2, ?3, ?4)",
                params![run.id, run.first, run.last, i64::try_from(all.len()).unwrap_or(i64::MAX)],
            )?;
        }
        *writing = end;
        Ok(())
    }

    /// A run of which the server's end has left a part is written anew.
    pub(super) fn delete_unfinished(&self, connection: &Connection) -> Result<(), StoreError> {
        connection
            .execute("DELETE FROM identity_buckets WHERE place >= ?1", [self.next_run * BUCKETS])?;
        Ok(())
    }

    /// The group whose filter has room for a run.
    fn filling(&mut self) -> &mut Group {
        if self.groups.last().is_none_or(|group| group.filled >= SHARED) {
            let filter = Filter::new(SHARED * RUN);
            self.groups.push(Group { filter, runs: Vec::new(), filled: 0 });
        }
        let last = self.groups.len() - 1;
        // There is one: it was just put there.
        #[allow(clippy::indexing_slicing)]
        &mut self.groups[last]
    }

    /// Deletes the runs of which the deletion of this range has left no entry; gives their ids.
    pub(super) fn delete_runs(
        &self,
        transaction: &Transaction<'_>,
        (first, last): (i64, i64),
    ) -> Result<Vec<i64>, StoreError> {
        let mut gone = Vec::new();
        for run in self.groups.iter().flat_map(|group| &group.runs) {
            if run.last < first || run.first > last {
                continue;
            }
            let left = transaction
                .prepare_cached("SELECT 1 FROM entries WHERE seq BETWEEN ?1 AND ?2 LIMIT 1")?
                .exists([run.first, run.last])?;
            if !left {
                let (from, to) = (run.id * BUCKETS, run.id * BUCKETS + BUCKETS - 1);
                transaction.execute(
                    "DELETE FROM identity_buckets WHERE place BETWEEN ?1 AND ?2",
                    [from, to],
                )?;
                transaction.execute("DELETE FROM identity_runs WHERE id = ?1", [run.id])?;
                gone.push(run.id);
            }
        }
        Ok(gone)
    }

    /// Takes effect once the deletion is durable.
    pub(super) fn forget_runs(&mut self, gone: &[i64]) {
        if gone.is_empty() {
            return;
        }
        for group in &mut self.groups {
            group.runs.retain(|run| !gone.contains(&run.id));
        }
        self.groups.retain(|group| !group.runs.is_empty() || group.filled < SHARED);
    }
}

/// The key of the hash: with another store's, nobody can choose entries whose hashes are equal.
fn key(transaction: &Transaction<'_>) -> Result<[u8; 16], StoreError> {
    let found: Vec<u8> =
        transaction.query_row("SELECT key FROM identity_key", [], |row| row.get(0))?;
    found
        .try_into()
        .map_err(|_| StoreError::Corrupt("the key of the identities is damaged".to_owned()))
}

/// Whether [`Identities::load`] could read what is written of them. Nothing is kept.
pub(super) fn check(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    key(&transaction)?;
    for run in runs(&transaction)? {
        read_run(&transaction, run, |_, _| {})?;
    }
    Ok(())
}

/// The runs, from the oldest to the newest.
fn runs(transaction: &Transaction<'_>) -> Result<Vec<Run>, StoreError> {
    let mut statement =
        transaction.prepare("SELECT id, first, last FROM identity_runs ORDER BY id")?;
    let rows = statement
        .query_map([], |row| Ok(Run { id: row.get(0)?, first: row.get(1)?, last: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Reads a run, bucket by bucket.
fn read_run(
    transaction: &Transaction<'_>,
    run: Run,
    mut each: impl FnMut(i64, &[u8]),
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT place, hashes FROM identity_buckets WHERE place BETWEEN ?1 AND ?2",
    )?;
    let mut rows = statement.query([run.id * BUCKETS, run.id * BUCKETS + BUCKETS - 1])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?);
    }
    Ok(())
}

/// Of sorted identities those of the buckets from `from` on and before `to`.
fn piece(all: &[(Identity, i64)], from: i64, to: i64) -> &[(Identity, i64)] {
    let start = all.partition_point(|(identity, _)| bucket(*identity) < from);
    let end = all.partition_point(|(identity, _)| bucket(*identity) < to);
    all.get(start..end).unwrap_or_default()
}

fn bucket(identity: Identity) -> i64 {
    i64::try_from(identity.0 >> (64 - BUCKET_BITS)).unwrap_or(0)
}

/// The 40 bits of a hash that a bucket holds.
fn middle(identity: Identity) -> u64 {
    identity.0 << BUCKET_BITS >> PLACE_BITS
}

fn place(number: u64) -> i64 {
    (number & ((1 << PLACE_BITS) - 1)).cast_signed()
}

fn numbers(hashes: &[u8]) -> impl Iterator<Item = u64> {
    hashes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

/// What the filter is given: of a hash the 52 bits that a run holds as well.
fn partial(identity: Identity) -> u64 {
    partial_hash(bucket(identity), middle(identity) << PLACE_BITS)
}

fn partial_hash(bucket: i64, number: u64) -> u64 {
    let hash = bucket.cast_unsigned() << (64 - BUCKET_BITS)
        | number >> PLACE_BITS << (PLACE_BITS - BUCKET_BITS);
    // The filter's second half needs the low bits, which a run does not hold.
    hash | hash >> 52
}
