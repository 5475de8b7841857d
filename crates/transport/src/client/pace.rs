//! How fast requests may follow one another under the server's rate limit.
//!
//! Several processes share the limit of one address, and none knows of the others but by what the
//! answers say: how many requests remain in the window, and when it ends. What went between two
//! answers to this process tells how fast all of them go together.
//!
//! - A request that is full makes the best use of the limit, so it waits for little: from half of
//!   the window on, for an even share of what remains.
//! - A request that is not full waits for longer, so that fewer and fuller ones come together to
//!   what the window allows. All processes measure the same sum, and so all slow down by the same
//!   factor; a constant part in the law makes their shares alike in time.
//! - A tenth of the window is left for flushes and closes, less of it towards the window's end, and
//!   the last two requests for closes alone.

use std::time::{Duration, Instant};

use crate::api::RateLimit;

/// The longest that a limit holds a request back, whatever its reset says.
const LONGEST: Duration = Duration::from_secs(120);
/// Two answers that say the same end of a window, but for so much, speak of the same window.
const ALIKE: Duration = Duration::from_secs(5);
/// How much of a share is the same for all processes.
const CONSTANT: f64 = 0.2;
/// Of how many processes such a constant share would fill the window.
const PROCESSES: f64 = 8.0;
/// The share of the window that is left for flushes.
const RESERVE: u64 = 10;
/// How many requests are left for closes, of a limit of at least ten times as many.
const FOR_CLOSE: u64 = 2;

/// How urgent a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// It has room for more entries.
    Patient,
    /// It is full, or somebody waits for it.
    Full,
    /// The client ends.
    Last,
}

/// The pace under the limit that the answers tell of.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    seen: Option<Seen>,
    /// How long the window is: the longest that an answer said it would last.
    window: Duration,
    /// How many requests a second that are not full.
    rate: Option<f64>,
    patient: Option<Instant>,
    full: Option<Instant>,
    last: Option<Instant>,
}

/// The limit as the last answer told of it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Instant,
    limit: u64,
    remaining: u64,
    ends: Instant,
}

impl Pace {
    /// When the next request may begin; `None` for at once.
    pub(crate) fn not_before(&self, urgency: Urgency) -> Option<Instant> {
        match urgency {
            Urgency::Patient => self.patient,
            Urgency::Full => self.full,
            Urgency::Last => self.last,
        }
    }

    /// The limit, where it holds a full request back at `now`: so many requests in this time.
    pub(crate) fn holds_back(&self, now: Instant) -> Option<(u64, Duration)> {
        let seen = self.seen?;
        (self.full? > now).then_some((seen.limit, self.window))
    }

    /// An answer came that tells of no limit.
    pub(crate) fn unlimited(&mut self) {
        *self = Self::default();
    }

    /// An answer came, while so many requests are under way. `jitter` is from 0 to 1.
    pub(crate) fn answered(&mut self, rate: RateLimit, in_flight: u64, jitter: f64, now: Instant) {
        let left = rate.resets_in.min(LONGEST);
        let ends = now + left;
        let before = self.seen.filter(|seen| alike(seen.ends, ends) && seen.limit == rate.limit);
        // Answers overtake one another: the one that says less is the newer one.
        let remaining = before.map_or(rate.remaining, |seen| seen.remaining.min(rate.remaining));
        self.window = self.window.max(left);
        self.measure(before, rate.limit, remaining, left, now);
        self.seen = Some(Seen { at: now, limit: rate.limit, remaining, ends });

        // What is under way may not be counted yet.
        let free = remaining.saturating_sub(in_flight);
        let next_window = now + left + left.mul_f64(jitter / 20.0);
        let kept = self.kept(rate.limit, left);
        let for_close = FOR_CLOSE.min(rate.limit / RESERVE);
        self.last = (free == 0).then_some(next_window);
        self.full = if free <= for_close {
            Some(next_window)
        } else if free > rate.limit / 2 {
            None
        } else {
            let shares = u32::try_from(free.saturating_sub(kept)).unwrap_or(u32::MAX);
            Some(now + left / shares.saturating_add(1))
        };
        let pause =
            self.rate.map(|rate| Duration::from_secs_f64((1.0 / rate).min(LONGEST.as_secs_f64())));
        // A new window is new room.
        let paused = pause.map(|pause| (now + pause).min(next_window));
        self.patient = self.full.max(paused);
        if free <= kept {
            self.patient = self.patient.max(Some(now + left.min(Duration::from_secs(1))));
        }
    }

    /// How many requests are kept back for flushes and closes, with so much of the window left.
    fn kept(&self, limit: u64, left: Duration) -> u64 {
        let window = self.window.as_secs_f64().max(0.001);
        let part = (left.as_secs_f64() / window).min(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rounded, and from 0 to a tenth of the limit"
        )]
        #[expect(
            clippy::cast_precision_loss,
            reason = "a limit is a small number, and this a share of it"
        )]
        let kept = ((limit / RESERVE) as f64 * part).ceil() as u64;
        kept
    }

    /// Learns from what went since the answer before, or since the window began.
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of requests are small, and these are rates"
    )]
    fn measure(
        &mut self,
        before: Option<Seen>,
        limit: u64,
        remaining: u64,
        left: Duration,
        now: Instant,
    ) {
        let (used, span) = match before {
            Some(seen) => (seen.remaining - remaining, now.duration_since(seen.at)),
            None => (limit.saturating_sub(remaining), self.window.saturating_sub(left)),
        };
        if used == 0 || span < Duration::from_millis(500) {
            return;
        }
        let left = left.as_secs_f64().max(0.5);
        let free = remaining.saturating_sub(self.kept(limit, Duration::from_secs_f64(left)));
        let allowed = free as f64 / left;
        let alone = before.is_some() && used == 1;
        let rate = if alone {
            allowed
        } else {
            let all = used as f64 / span.as_secs_f64();
            let mine = self.rate.unwrap_or(1.0);
            let usable = limit.saturating_sub(limit / RESERVE) as f64;
            let alike = usable / self.window.as_secs_f64().max(0.5) / PROCESSES;
            (1.0 - CONSTANT) * mine * (allowed / all).clamp(0.25, 2.0) + CONSTANT * alike
        };
        self.rate = Some(rate.max(1.0 / LONGEST.as_secs_f64()));
    }
}

fn alike(one: Instant, other: Instant) -> bool {
    let apart = one.saturating_duration_since(other) + other.saturating_duration_since(one);
    apart < ALIKE
}

#[cfg(test)]
mod tests;
