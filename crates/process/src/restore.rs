//! Snapshots: what a restored copy of a process must not share with the other copies.
//!
//! A snapshot of a virtual machine or of a process (CRIU, Lambda SnapStart) duplicates a process
//! with all of its threads, and nothing tells the copies. The host must.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::per_process::PerProcess;

static RESTORES: AtomicU64 = AtomicU64::new(0);

/// Tells LogFlux that this process was restored from a snapshot, and that other copies of it may
/// run.
///
/// Every entry that is sealed afterwards gets a key, a salt and an iv that were drawn afterwards,
/// and every call to a server a TLS connection that was opened afterwards. Clients go on: queues,
/// spools, threads and locks stay as they are. Each copy may deliver what its queue held at the
/// snapshot; the server stores such an entry once where it was sealed before, and once for each copy
/// where it was not.
///
/// Call it first of all after the restore, before anything is logged or sealed. It is not needed
/// after `fork`. It takes no lock and returns at once.
pub fn after_restore() {
    RESTORES.fetch_add(1, Ordering::AcqRel);
}

/// How often [`after_restore`] was called, in this process and its ancestors.
#[must_use]
pub fn restores() -> u64 {
    RESTORES.load(Ordering::Acquire)
}

/// A value that every copy of a process makes for itself: a child, as with [`PerProcess`], and a
/// process that was restored from a snapshot. Unlike there, the old value is dropped after a
/// restore.
pub struct PerCopy<T> {
    values: PerProcess<Mutex<Numbered<T>>>,
}

struct Numbered<T> {
    restores: u64,
    value: T,
}

impl<T: Clone> PerCopy<T> {
    /// Holds `value` for the copy that calls.
    pub fn new(value: T) -> Self {
        Self { values: PerProcess::new(Mutex::new(Numbered::make(|| value))) }
    }

    /// The value of the copy that calls, made by `make` where there is none yet.
    pub fn get(&self, make: impl Fn() -> T) -> T {
        let numbered = self.values.get(|| Mutex::new(Numbered::make(&make)));
        let mut numbered = numbered.lock().unwrap_or_else(PoisonError::into_inner);
        if numbered.restores != restores() {
            *numbered = Numbered::make(make);
        }
        numbered.value.clone()
    }
}

impl<T> Numbered<T> {
    /// The count is read first: a restore meanwhile makes the value old.
    fn make(make: impl FnOnce() -> T) -> Self {
        Self { restores: restores(), value: make() }
    }
}

impl<T> fmt::Debug for PerCopy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerCopy").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_restore_makes_a_new_value_once_and_drops_the_old_one() {
        let old = Arc::new(1);
        let values = PerCopy::new(Arc::clone(&old));
        assert_eq!(*values.get(|| Arc::new(2)), 1);
        after_restore();
        let new = values.get(|| Arc::new(2));
        assert_eq!((*new, Arc::strong_count(&old)), (2, 1));
        assert!(Arc::ptr_eq(&new, &values.get(|| Arc::new(3))));
    }
}
