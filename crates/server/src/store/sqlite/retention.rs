//! Which entries are deleted, and when.
//!
//! For their age entries go in the order in which they came. Once a minute it is noted up to which
//! number entries have come (`arrivals`), never at a time before the note before it; an entry is too
//! old when such a note is. For the size the oldest go of the tenant that has most.
//!
//! A clock that is more than a day from where it is expected, while the server runs or at its start,
//! is not believed: nothing is deleted for its age until it is right again, or an operator confirms it.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _};

use super::appending::{self, Appending};
use super::deleting::{Deleted, Most};
use super::notices::Notices;
use super::{spans, state};
use crate::store::{Notice, StoreError, StoreSettings};

/// A step deletes so many entries, or twice as many as have come since the last one where that is
/// more, so that a store at its size stays there; and about so many payload bytes.
const STEP_ENTRIES: usize = 500;
const STEP_BYTES: i64 = 4 << 20;

/// How often what is too old is looked for at least.
const INTERVAL: Duration = Duration::from_secs(60);

/// How often it is asked whether an operator has confirmed the clock.
const ASKED: Duration = Duration::from_secs(1);

/// Milliseconds by which a clock may be off: a day.
const JUMP: i64 = 86_400_000;

#[derive(Debug)]
pub(super) struct Retention {
    retain: Option<Duration>,
    max_size: Option<i64>,
    interval: Duration,
    next_look: Instant,
    /// None before the first look.
    clock: Option<Clock>,
    /// Entries up to this seq are too old.
    expired: i64,
    /// Up to this seq all are gone, or damaged so that they cannot be deleted.
    passed: i64,
    /// How many entries have come since the last step.
    came: usize,
    /// How many were deleted since that was logged last.
    deleted: u64,
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
            clock: None,
            expired: 0,
            passed: 0,
            came: 0,
            deleted: 0,
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
    pub(super) fn step(
        &mut self,
        store: &mut Appending,
        notices: &Notices,
    ) -> Result<Step, StoreError> {
        let mut step = Step::default();
        let now = Instant::now();
        if now >= self.next_look {
            self.next_look = now + self.interval;
            self.look(store, now, notices)?;
            step.bytes = Some(size(store.connection())?);
        }
        let entries = STEP_ENTRIES.max(2 * std::mem::take(&mut self.came));
        let excess = self.excess(store, &mut step)?;
        let mut damaged = |error| notices.damaged(&error);
        let deleted = if self.has_expired(store.connection())? {
            let range = (self.passed + 1, self.expired);
            let most = Most { entries, bytes: STEP_BYTES };
            let deleted = store.delete_oldest(range, most, &mut damaged)?;
            if deleted.stuck > 0 {
                self.passed = deleted.upto;
            }
            deleted
        } else if excess > 0 {
            let most = Most { entries, bytes: STEP_BYTES.min(excess) };
            store.delete_of_largest(most, &mut damaged)?
        } else {
            Deleted::default()
        };
        step.deleted = deleted.entries;
        self.deleted += step.deleted;
        step.more = deleted.entries > 0 || deleted.stuck > 0;
        Ok(step)
    }

    /// Whether there is an entry that is too old, and may be deleted.
    fn has_expired(&self, connection: &Connection) -> Result<bool, StoreError> {
        let oldest = connection
            .prepare_cached("SELECT seq FROM entries WHERE seq > ?1 ORDER BY seq LIMIT 1")?
            .query_row([self.passed], |row| row.get::<_, i64>(0))
            .optional();
        match oldest.map_err(StoreError::from) {
            Ok(oldest) => Ok(oldest.is_some_and(|oldest| oldest <= self.expired)),
            // The oldest are damaged: where they begin is known all the same.
            Err(error) if error.is_damage() => {
                let first = spans::first(connection, self.passed)?;
                Ok(first.is_some_and(|first| first <= self.expired))
            }
            Err(error) => Err(error),
        }
    }

    /// The last notes before the store is closed.
    pub(super) fn close(&mut self, store: &Appending) -> Result<(), StoreError> {
        let Some(clock) = &mut self.clock else { return Ok(()) };
        let wall = appending::now();
        clock.look(store.connection(), Instant::now(), wall, self.retain.is_some())?;
        note_arrivals(store.connection(), clock.believed(wall))
    }

    /// By how many bytes the store is too large.
    fn excess(&self, store: &Appending, step: &mut Step) -> Result<i64, StoreError> {
        let Some(max) = self.max_size else { return Ok(0) };
        let bytes = size(store.connection())?;
        step.bytes = Some(bytes);
        Ok(bytes - max)
    }

    fn look(
        &mut self,
        store: &Appending,
        now: Instant,
        notices: &Notices,
    ) -> Result<(), StoreError> {
        if self.deleted > 0 {
            tracing::info!(
                entries = self.deleted,
                "entries were deleted for their age or the size"
            );
            self.deleted = 0;
        }
        let (connection, wall) = (store.connection(), appending::now());
        let clock = match &mut self.clock {
            Some(clock) => clock,
            None => self.clock.insert(Clock::load(connection, now, wall)?),
        };
        if let Some(ahead) = clock.look(connection, now, wall, self.retain.is_some())? {
            tracing::warn!(
                seconds = ahead / 1_000,
                "the clock has jumped: no entry is deleted for its age until it is right again or \
                 `logflux store retain --accept-clock` confirms it"
            );
            notices.tell(Notice::ClockJumped { seconds: ahead / 1_000 });
        }
        note_arrivals(connection, clock.believed(wall))?;
        notices.meter().held.set(i64::from(clock.held && self.retain.is_some()));
        self.expired = 0;
        if clock.held {
            self.next_look = now + ASKED.min(self.interval);
        } else if let Some(retain) = self.retain {
            let retain = i64::try_from(retain.as_millis()).unwrap_or(i64::MAX);
            self.expired = expired(connection, wall.saturating_sub(retain))?;
        }
        Ok(())
    }
}

/// The last number that a note says had come before a time, and no note before it a later time.
fn expired(connection: &Connection, before: i64) -> Result<i64, StoreError> {
    let expired: Option<i64> = connection
        .prepare_cached(
            "SELECT max(seq) FROM arrivals WHERE seq < coalesce(
                 (SELECT seq FROM arrivals WHERE received >= ?1 ORDER BY seq LIMIT 1),
                 9223372036854775807)",
        )?
        .query_row([before], |row| row.get(0))?;
    Ok(expired.unwrap_or(0))
}

/// Notes up to which number entries have come: at the time of the newest, but not after `most`, and
/// not before the note before it.
fn note_arrivals(connection: &Connection, most: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO arrivals
             SELECT seq, max(min(received, ?1), coalesce(
                 (SELECT received FROM arrivals ORDER BY seq DESC LIMIT 1), received))
             FROM entries ORDER BY seq DESC LIMIT 1",
        )?
        .execute([most])?;
    Ok(())
}

/// The bytes of the pages in use.
pub(super) fn size(connection: &Connection) -> Result<i64, StoreError> {
    let pragma = |name: &str| connection.query_row(name, [], |row| row.get::<_, i64>(0));
    let pages = pragma("PRAGMA page_count")? - pragma("PRAGMA freelist_count")?;
    Ok(pages * pragma("PRAGMA page_size")?)
}

/// Notices that the clock on the wall is not where it should be.
#[derive(Debug)]
struct Clock {
    /// What it showed when it was last believed, or should have shown.
    base: i64,
    /// When that was.
    at: Instant,
    held: bool,
    /// The first look at it is at the start, after a time that is not known.
    first: bool,
    /// When it was last written.
    written: Option<Instant>,
}

/// How often the time is written.
const WRITTEN: Duration = Duration::from_secs(60);

impl Clock {
    fn load(connection: &Connection, now: Instant, wall: i64) -> Result<Self, StoreError> {
        let known = state::clock(connection)?;
        let base = known.last.unwrap_or(wall);
        Ok(Self { base, at: now, held: known.held.is_some(), first: true, written: None })
    }

    /// Up to which time an arrival can be.
    fn believed(&self, wall: i64) -> i64 {
        if self.held { i64::MAX } else { wall }
    }

    /// Looks whether the clock can be believed. Where it no longer can, says how far it is ahead.
    /// Without an age that depends on it (`matters`) it always is.
    fn look(
        &mut self,
        connection: &Connection,
        now: Instant,
        wall: i64,
        matters: bool,
    ) -> Result<Option<i64>, StoreError> {
        let passed = now.saturating_duration_since(self.at);
        let expected =
            self.base.saturating_add(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX));
        let known = state::clock(connection)?;
        let confirmed = known.accepted.is_some_and(|at| is_near(at, wall));
        let ahead = wall.saturating_sub(expected);
        if matters && !confirmed && !is_near(wall, expected) {
            let news = self.first || !self.held;
            (self.held, self.first) = (true, false);
            // What was believed last stays written, so that a restart believes nothing else.
            if known.held.is_none() || known.accepted.is_some() {
                let last = known.last.unwrap_or(expected);
                state::set_clock(connection, Some(last), Some(known.held.unwrap_or(expected)))?;
            }
            return Ok(news.then_some(ahead));
        }
        if self.held {
            tracing::info!("the clock is believed again: entries are deleted for their age");
        }
        let again = self.first || self.held || confirmed;
        if again {
            // No entry came later than now, whatever the clock showed then.
            connection
                .execute("UPDATE arrivals SET received = ?1 WHERE received > ?1", [latest(wall)])?;
            self.base = wall;
        } else {
            // A clock that is set by little now and then, or a machine that sleeps, is off by more and
            // more; an hour of it is forgotten in an hour, and so many small jumps at once are one.
            let passed = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
            self.base = expected.saturating_add(ahead.clamp(-passed, passed));
        }
        self.at = now;
        (self.held, self.first) = (false, false);
        if again || self.written.is_none_or(|at| now.saturating_duration_since(at) >= WRITTEN) {
            state::set_clock(connection, Some(wall), None)?;
            self.written = Some(now);
        }
        Ok(None)
    }
}

/// What a note says at most: a clock may be wrong by a day and still be believed.
fn latest(wall: i64) -> i64 {
    wall.saturating_add(JUMP)
}

fn is_near(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= JUMP.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    const DAY: i64 = JUMP;

    fn store() -> (tempfile::TempDir, Connection) {
        let data = tempfile::tempdir().unwrap();
        let connection = schema::open_writer(&data.path().join("entries.db")).unwrap();
        (data, connection)
    }

    #[test]
    fn a_clock_that_jumps_is_not_believed_until_it_is_right_or_confirmed() {
        let (_data, connection) = store();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let now = 20_000 * DAY;
        let mut clock = Clock::load(&connection, start, now).unwrap();
        let look = |clock: &mut Clock, at, wall| clock.look(&connection, at, wall, true).unwrap();
        assert_eq!(look(&mut clock, start, now), None);
        assert_eq!(look(&mut clock, after(60), now + 61_000), None);
        // Ahead by a year, told once.
        let year = 365 * DAY;
        assert!(look(&mut clock, after(120), now + year).is_some_and(|ahead| ahead > 364 * DAY));
        assert_eq!(look(&mut clock, after(180), now + year + 60_000), None);
        assert!(clock.held);
        // A restart believes it no more than before, and tells it again.
        clock = Clock::load(&connection, after(200), now + year).unwrap();
        assert!(look(&mut clock, after(200), now + year + 80_000).is_some() && clock.held);
        // It is set back.
        look(&mut clock, after(240), now + 240_000);
        assert!(!clock.held);
        // Back by 40 days at a start, and right again at the next, two days later.
        clock = Clock::load(&connection, after(300), now - 40 * DAY).unwrap();
        assert!(look(&mut clock, after(300), now - 40 * DAY).is_some_and(|ahead| ahead < 0));
        clock = Clock::load(&connection, after(400), now + 2 * DAY).unwrap();
        assert!(look(&mut clock, after(400), now + 2 * DAY).is_some() && clock.held);
        // Many small jumps are one.
        clock = Clock::load(&connection, after(500), now).unwrap();
        look(&mut clock, after(500), now);
        for hours in 1..=30 {
            look(&mut clock, after(500 + hours), now + i64::try_from(hours).unwrap() * 3_600_000);
        }
        assert!(clock.held);
        // An operator confirms it, but not another time than the server's.
        let accept = |at: i64| connection.execute("UPDATE state SET accepted = ?1", [at]).unwrap();
        accept(now + 400 * DAY);
        look(&mut clock, after(600), now + 2 * DAY);
        assert!(clock.held && state::clock(&connection).unwrap().accepted.is_none());
        accept(now + 2 * DAY);
        look(&mut clock, after(601), now + 2 * DAY + 1_000);
        assert!(!clock.held);
        // Where nothing depends on it, it is believed.
        look(&mut clock, after(700), now + 2 * DAY);
        assert_eq!(clock.look(&connection, after(701), now + year, false).unwrap(), None);
        assert!(!clock.held);
    }

    #[test]
    fn a_clock_that_is_set_by_little_now_and_then_is_believed() {
        for step in [1, -1] {
            let (_data, connection) = store();
            let start = Instant::now();
            let mut clock = Clock::load(&connection, start, 20_000 * DAY).unwrap();
            // For 100 days it is set by half an hour twice a day.
            for hours in 0..100 * 24 {
                let wall = 20_000 * DAY
                    + i64::try_from(hours).unwrap() * 3_600_000
                    + i64::try_from(hours / 12).unwrap() * step * 1_800_000;
                let at = start + Duration::from_secs(hours * 3_600);
                assert_eq!(clock.look(&connection, at, wall, true).unwrap(), None, "{hours}");
            }
            assert!(!clock.held);
            // It still does not jump by a day at once.
            let (at, wall) = (start + Duration::from_secs(8_640_000), 20_000 * DAY + 8_640_000_000);
            let jumped = wall + 100 * step * 3_600_000 + step * (DAY + 7_200_000);
            assert!(clock.look(&connection, at, jumped, true).unwrap().is_some() && clock.held);
        }
    }

    #[test]
    fn a_note_out_of_order_makes_nothing_old() {
        let (_data, connection) = store();
        let notes = [(10, 50), (20, 40), (30, 60), (40, 55), (50, 200), (60, 61)];
        for note in notes {
            connection.execute("INSERT INTO arrivals VALUES (?1, ?2)", note).unwrap();
        }
        let expired = |before| expired(&connection, before).unwrap();
        assert_eq!([45, 50, 51, 61, 199, 201].map(expired), [0, 0, 20, 40, 40, 60]);
    }
}
