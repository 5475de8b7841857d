//! What a `fork` must not share.
//!
//! A child of `fork` begins as a copy of its parent: with the same ivs drawn ahead, the same keys,
//! locks held by threads that it does not have, and no pool thread. So everything of that kind
//! lives in a [`PerProcess`], which gives every process a value of its own, and never touches the
//! value of another.

use std::sync::OnceLock;

/// A value that every process makes for itself.
#[derive(Debug)]
pub struct PerProcess<T> {
    pid: u32,
    value: T,
    /// The value of a child; in the parent this stays empty.
    child: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    /// Holds `value` for the process that calls.
    pub fn new(value: T) -> Self {
        Self { pid: std::process::id(), value, child: OnceLock::new() }
    }

    /// The value of the process that calls, made by `make` where there is none yet.
    pub fn get(&self, make: impl FnOnce() -> T) -> &T {
        let pid = std::process::id();
        // Only the last link can be ours: the links before it are our ancestors'.
        let mut last = self;
        while let Some(child) = last.child.get() {
            last = child;
        }
        if last.pid == pid {
            return &last.value;
        }
        // Two threads may both get here; one value wins, and both use it.
        let mine = last.child.get_or_init(|| Box::new(Self::new(make())));
        &mine.value
    }

    /// The value of the process that calls, if it has made one.
    pub fn existing(&self) -> Option<&T> {
        let pid = std::process::id();
        let mut last = self;
        while let Some(child) = last.child.get() {
            last = child;
        }
        (last.pid == pid).then_some(&last.value)
    }
}
