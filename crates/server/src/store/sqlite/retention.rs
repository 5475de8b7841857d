//! Which entries are deleted, and when.
//!
//! Entries go in the order in which they came. Once a minute it is noted up to which number entries
//! have come (`arrivals`); an entry is too old when a note is, whose number is not below its own. So
//! a clock that was wrong for a while makes no entry stay for ever. A clock that jumps ahead while the
//! server runs makes nothing go: age is not looked at for a day, and a warning says why.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _};

use super::appending::{self, Appending};
use crate::store::{StoreError, StoreSettings};

/// A step deletes so many entries, or twice as many as have come since the last one where that is
/// more, so that a store at its size stays there; and about so many payload bytes.
const STEP_ENTRIES: usize = 500;
const STEP_BYTES: i64 = 4 << 20;

/// How often what is too old is looked for at least.
const INTERVAL: Duration = Duration::from_secs(60);

/// A clock that is this much ahead of the time that has passed has jumped.
const JUMP: Duration = Duration::from_secs(3_600);
/// For how long age is not looked at then.
const HELD: Duration = Duration::from_secs(86_400);

#[derive(Debug)]
pub(super) struct Retention {
    retain: Option<Duration>,
    max_size: Option<i64>,
    interval: Duration,
    next_look: Instant,
    clock: Clock,
    /// Entries up to this seq are too old.
    expired: i64,
    /// How many entries have come since the last step.
    came: usize,
}

/// What a step has done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    pub(super) deleted: u64,
    /// The store's size, where it was looked at.
    pub(super) bytes: Option<i64>,
    /// Whether there is more to do at once.
    pub(super) more: bool,
}

impl Retention {
    pub(super) fn new(settings: &StoreSettings) -> Self {
        let shortest = settings.retain.map_or(INTERVAL, |retain| retain / 10);
        Self {
            retain: settings.retain,
            max_size: settings
                .max_size
                .map(|size| i64::try_from(size.as_u64()).unwrap_or(i64::MAX)),
            interval: shortest.min(INTERVAL),
            next_look: Instant::now(),
            clock: Clock::new(Instant::now(), appending::now()),
            expired: 0,
            came: 0,
        }
    }

    /// How long there is nothing to do.
    pub(super) fn interval(&self) -> Duration {
        self.next_look.saturating_duration_since(Instant::now())
    }

    /// So many entries came.
    pub(super) fn appended(&mut self, entries: usize) {
        self.came = self.came.saturating_add(entries);
    }

    /// Looks for what is to be deleted, where it is time to, and deletes some of it.
    pub(super) fn step(&mut self, store: &mut Appending) -> Result<Step, StoreError> {
        let mut step = Step::default();
        let now = Instant::now();
        if now >= self.next_look {
            self.next_look = now + self.interval;
            self.look(store, now, appending::now())?;
            step.bytes = Some(size(store.connection())?);
        }
        let most = STEP_ENTRIES.max(2 * std::mem::take(&mut self.came));
        let excess = self.excess(store, &mut step)?;
        let expired = oldest(store.connection())?.is_some_and(|oldest| oldest <= self.expired);
        let end = match (expired, excess) {
            (true, _) => step_end(store.connection(), self.expired, most, STEP_BYTES)?,
            (false, 1..) => step_end(store.connection(), i64::MAX, most, STEP_BYTES.min(excess))?,
            _ => None,
        };
        if let Some(end) = end {
            step.deleted = store.delete_upto(end)?;
            step.more = step.deleted > 0;
        }
        Ok(step)
    }

    /// By how many bytes the store is too large.
    fn excess(&self, store: &Appending, step: &mut Step) -> Result<i64, StoreError> {
        let Some(max) = self.max_size else { return Ok(0) };
        let bytes = size(store.connection())?;
        step.bytes = Some(bytes);
        Ok(bytes - max)
    }

    fn look(&mut self, store: &Appending, now: Instant, wall: i64) -> Result<(), StoreError> {
        let connection = store.connection();
        note_arrivals(connection)?;
        let Some(retain) = self.retain else { return Ok(()) };
        if !self.clock.is_trusted(now, wall) {
            return Ok(());
        }
        let retain = i64::try_from(retain.as_millis()).unwrap_or(i64::MAX);
        let expired: Option<i64> = connection
            .prepare_cached("SELECT max(seq) FROM arrivals WHERE received < ?1")?
            .query_row([wall.saturating_sub(retain)], |row| row.get(0))?;
        self.expired = expired.unwrap_or(0);
        Ok(())
    }
}

/// Notes up to which number entries have come.
fn note_arrivals(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO arrivals
             SELECT seq, received FROM entries ORDER BY seq DESC LIMIT 1",
        )?
        .execute([])?;
    Ok(())
}

fn oldest(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let oldest = connection
        .prepare_cached("SELECT seq FROM entries ORDER BY seq LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(oldest)
}

/// The last of at most so many entries, with about so many bytes, up to this one.
fn step_end(
    connection: &Connection,
    upto: i64,
    most: usize,
    most_bytes: i64,
) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, length(payload) FROM entries WHERE seq <= ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = statement.query([upto, i64::try_from(most).unwrap_or(1)])?;
    let (mut end, mut bytes) = (None, 0);
    while let Some(row) = rows.next()?
        && bytes < most_bytes
    {
        end = Some(row.get(0)?);
        bytes += row.get::<_, i64>(1)?;
    }
    Ok(end)
}

/// The bytes of the pages in use.
pub(super) fn size(connection: &Connection) -> Result<i64, StoreError> {
    let pragma = |name: &str| connection.query_row(name, [], |row| row.get::<_, i64>(0));
    let pages = pragma("PRAGMA page_count")? - pragma("PRAGMA freelist_count")?;
    Ok(pages * pragma("PRAGMA page_size")?)
}

/// Notices that the clock on the wall was set.
#[derive(Debug)]
struct Clock {
    seen: Instant,
    /// Milliseconds since 1970.
    wall: i64,
    held_until: Option<Instant>,
}

impl Clock {
    fn new(seen: Instant, wall: i64) -> Self {
        Self { seen, wall, held_until: None }
    }

    /// Whether the clock has gone on as the time has.
    fn is_trusted(&mut self, now: Instant, wall: i64) -> bool {
        let passed = now.saturating_duration_since(self.seen);
        let ahead = wall.saturating_sub(self.wall).saturating_sub(millis(passed));
        (self.seen, self.wall) = (now, wall);
        if ahead > millis(JUMP) {
            tracing::warn!(
                seconds = ahead / 1_000,
                "the clock has jumped ahead: no entry is deleted for its age for a day"
            );
            self.held_until = Some(now + HELD);
        } else if ahead < -millis(JUMP) {
            // It was set back, and so is right again, or wrong in the harmless direction.
            self.held_until = None;
        }
        if self.held_until.is_some_and(|until| until <= now) {
            self.held_until = None;
        }
        self.held_until.is_none()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_ahead_is_not_believed_for_a_day_or_until_it_is_set_back() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let year = 365 * 86_400_000;
        let mut clock = Clock::new(start, 0);
        assert!(clock.is_trusted(after(60), 61_000));
        assert!(!clock.is_trusted(after(120), year));
        assert!(!clock.is_trusted(after(180), year + 60_000));
        assert!(clock.is_trusted(after(240), 240_000), "it was set back");
        assert!(!clock.is_trusted(after(300), year));
        assert!(!clock.is_trusted(after(80_000), year + 79_700_000));
        assert!(clock.is_trusted(after(90_000), year + 89_700_000), "a day is over");
    }
}
