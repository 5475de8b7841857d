//! Log lines that a flood of requests would repeat: so many of a class in a minute, then their number.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many lines of a class are logged in a minute.
const LINES: u64 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// The classes of the process, by their names.
static CLASSES: Mutex<Option<HashMap<&'static str, Class>>> = Mutex::new(None);

#[derive(Clone, Copy, Debug)]
struct Class {
    began: Instant,
    seen: u64,
}

impl Class {
    /// How many lines were left out.
    fn missed(self) -> u64 {
        self.seen.saturating_sub(LINES)
    }

    /// Whether one more line is logged, and then how many were left out in the minute before.
    fn passes(&mut self, now: Instant) -> Option<u64> {
        let mut missed = 0;
        if now.saturating_duration_since(self.began) >= MINUTE {
            missed = self.missed();
            *self = Self { began: now, seen: 0 };
        }
        self.seen += 1;
        (self.seen <= LINES).then_some(missed)
    }
}

/// Whether a line of this class is logged now, and then how many of it were left out in the minute
/// before.
pub(crate) fn passes(class: &'static str) -> Option<u64> {
    let now = Instant::now();
    let mut classes = CLASSES.lock().unwrap_or_else(PoisonError::into_inner);
    let classes = classes.get_or_insert_default();
    classes.entry(class).or_insert(Class { began: now, seen: 0 }).passes(now)
}

/// Logs how many lines were left out in the minutes that are over.
pub(crate) fn tell_missed() {
    let now = Instant::now();
    let mut ended = Vec::new();
    if let Some(classes) = CLASSES.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        classes.retain(|name, class| {
            let over = now.saturating_duration_since(class.began) >= MINUTE;
            if over && class.missed() > 0 {
                ended.push((*name, class.missed()));
            }
            !over
        });
    }
    for (class, missed) in ended {
        tracing::warn!(class, missed, "so many more lines of this class were left out in a minute");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_lines_of_a_class_pass_in_a_minute_and_then_their_number() {
        let start = Instant::now();
        let mut class = Class { began: start, seen: 0 };
        let logged = (0..1_000).filter(|_| class.passes(start).is_some()).count();
        assert_eq!(logged, 10);
        assert_eq!(class.passes(start + MINUTE), Some(990));
        assert_eq!(class.passes(start + MINUTE), Some(0));
    }
}
