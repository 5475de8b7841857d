//! A value for every process: parent and child have each their own.

use once_cell::race::OnceBox;

use crate::generation::generation;

/// A value that every process makes for itself.
#[derive(Debug)]
pub struct PerProcess<T> {
    generation: u64,
    value: T,
    /// The value of a child; in the parent this stays empty.
    child: OnceBox<Self>,
}

impl<T> PerProcess<T> {
    /// Holds `value` for the process that calls.
    pub fn new(value: T) -> Self {
        Self { generation: generation(), value, child: OnceBox::new() }
    }

    /// The value of the process that calls, made by `make` where there is none yet.
    pub fn get(&self, make: impl FnOnce() -> T) -> &T {
        let last = self.last();
        if last.generation == generation() {
            return &last.value;
        }
        // Two threads may both get here; one value wins, and both use it. No lock is held meanwhile,
        // which a fork by another thread would leave locked in the grandchild for good.
        &last.child.get_or_init(|| Box::new(Self::new(make()))).value
    }

    /// The value of the process that calls, if it has made one.
    pub fn existing(&self) -> Option<&T> {
        let last = self.last();
        (last.generation == generation()).then_some(&last.value)
    }

    /// The newest value, the only one that can be ours: those before it are our ancestors'.
    fn last(&self) -> &Self {
        let mut last = self;
        while let Some(child) = last.child.get() {
            last = child;
        }
        last
    }
}
