//! What waits for the writer, and whose turn it is.
//!
//! A group takes a request of each tenant in turn, so that one who sends much is not in front of
//! those who send little. While several send, groups are short: nobody waits long for another's.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::writer::Job;
use crate::tenant::Tenant;

/// A group takes no further request once it has this many entries.
const GROUP_ENTRIES: usize = 10_000;

/// The same while several tenants send, or so many bytes of payloads.
const SHARED_ENTRIES: usize = 300;
const SHARED_BYTES: usize = 4 << 20;

/// How long after the last change from one tenant to another several are taken to send.
const SHARED: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Waiting {
    of_tenants: HashMap<Tenant, VecDeque<Job>>,
    /// The tenants that have something here, each once.
    turns: VecDeque<Tenant>,
    /// Whose the last request was.
    last: Option<Tenant>,
    /// When it last was another's than the one before it.
    shared: Option<Instant>,
}

impl Waiting {
    pub(super) fn push(&mut self, job: Job, now: Instant) {
        if self.last.as_ref() != Some(&job.tenant) {
            let first = self.last.replace(job.tenant.clone()).is_none();
            self.shared = (!first).then_some(now);
        }
        let jobs = self.of_tenants.entry(job.tenant.clone()).or_default();
        if jobs.is_empty() {
            self.turns.push_back(job.tenant.clone());
        }
        jobs.push_back(job);
    }

    /// Takes a group; it is empty where nothing waits.
    pub(super) fn take_group(&mut self, now: Instant) -> Vec<Job> {
        let shared = self.shared.is_some_and(|at| now.saturating_duration_since(at) < SHARED);
        let (most, most_bytes) =
            if shared { (SHARED_ENTRIES, SHARED_BYTES) } else { (GROUP_ENTRIES, usize::MAX) };
        let (mut group, mut entries, mut bytes) = (Vec::new(), 0, 0);
        while entries < most
            && bytes < most_bytes
            && let Some(tenant) = self.turns.pop_front()
        {
            let Some(jobs) = self.of_tenants.get_mut(&tenant) else { continue };
            if let Some(job) = jobs.pop_front() {
                entries += job.entries.len();
                bytes += job.bytes();
                group.push(job);
            }
            if jobs.is_empty() {
                self.of_tenants.remove(&tenant);
            } else {
                self.turns.push_back(tenant);
            }
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::entry;
    use super::*;

    fn job(tenant: &str, entries: usize) -> Job {
        Job::new(tenant.parse().unwrap(), vec![entry(16); entries])
    }

    fn whose(group: &[Job]) -> String {
        group.iter().map(|job| job.tenant.as_str()).collect()
    }

    #[test]
    fn one_who_sends_little_is_in_the_next_group_behind_any_flood() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        for _ in 0..600 {
            waiting.push(job("a", 100), now);
        }
        // Alone, a tenant has a whole group.
        assert_eq!(waiting.take_group(now).len(), GROUP_ENTRIES / 100);
        for other in ["b", "c", "c"] {
            waiting.push(job(other, 1), now);
        }
        assert_eq!(whose(&waiting.take_group(now)), "abcaca");
        assert_eq!(whose(&waiting.take_group(now)), "aaa");
        // Once nobody else has sent for a while, it has whole groups again, until nothing is left.
        let later = now + SHARED;
        let groups = std::array::from_fn::<_, 6, _>(|_| waiting.take_group(later).len());
        assert_eq!(groups, [100, 100, 100, 100, 94, 0]);
        assert!(waiting.of_tenants.is_empty() && waiting.turns.is_empty());
    }
}
