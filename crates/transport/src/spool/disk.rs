//! Where a client has its spool: the operating system's files, or those of a test that fail on
//! demand.

use std::path::Path;
use std::sync::Arc;

use super::dead_letters::DeadLetters;
use super::fs::{FileSystem, Real};
use super::store::Spool;
use super::types::{Recovery, SpoolError, SpoolOptions};

/// The files that the spool of a client is in.
#[derive(Clone, Debug)]
pub(crate) struct Disk(pub(super) Arc<dyn FileSystem>);

impl Default for Disk {
    fn default() -> Self {
        Self(Arc::new(Real))
    }
}

impl Disk {
    /// As [`Spool::open_own`].
    pub(crate) fn open_own(
        &self,
        parent: &Path,
        options: SpoolOptions,
    ) -> Result<(Spool, Recovery), SpoolError> {
        Spool::open_own_in(&self.0, parent, options)
    }

    /// The dead letters of a spool that is open here.
    pub(crate) fn dead_letters(&self, spool: &Spool) -> DeadLetters {
        DeadLetters::of_spool_in(Arc::clone(&self.0), spool.folder())
    }
}
