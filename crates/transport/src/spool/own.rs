//! A folder for every process: several may spool under one parent.

use std::path::Path;
use std::sync::Arc;

use super::fs::{FileSystem, Real};
use super::store::Spool;
use super::types::{Recovery, SpoolError, SpoolFull, SpoolOptions};

/// What the folders of [`Spool::open_own`] are called, before their number.
const PREFIX: &str = "own-";
/// The most processes that can have a folder under one parent.
const OWN_MAX: u32 = 10_000;

impl Spool {
    /// Opens a spool in a subfolder of `parent` that no other process has: for processes of one
    /// program that are configured with one folder, and for the child of a fork. The first free one
    /// of `own-0000`, `own-0001`, … is taken, with what it holds, and then the entries of all others
    /// that no process has are moved into it.
    ///
    /// Folders are never removed, so that no process can hold the lock of one that is gone.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`SpoolError::Locked`] where 10,000 are taken. An abandoned folder
    /// that cannot be opened or moved is left as it is.
    pub fn open_own(parent: &Path, options: SpoolOptions) -> Result<(Self, Recovery), SpoolError> {
        Self::open_own_in(&(Arc::new(Real) as Arc<dyn FileSystem>), parent, options)
    }

    pub(super) fn open_own_in(
        fs: &Arc<dyn FileSystem>,
        parent: &Path,
        options: SpoolOptions,
    ) -> Result<(Self, Recovery), SpoolError> {
        for number in 0..OWN_MAX {
            let folder = parent.join(format!("{PREFIX}{number:04}"));
            match Self::open_in(Arc::clone(fs), &folder, options) {
                Ok((mut spool, mut recovery)) => {
                    if let Ok(adopted) = spool.adopt_abandoned(parent) {
                        recovery.lost += adopted.lost;
                        recovery.skipped_bytes += adopted.skipped_bytes;
                    }
                    recovery.entries = spool.len();
                    recovery.bytes = spool.bytes();
                    return Ok((spool, recovery));
                }
                Err(SpoolError::Locked(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(SpoolError::Locked(parent.to_owned()))
    }

    /// Moves into this spool what stands in the subfolders of `parent` that
    /// [`open_own`](Self::open_own) made and no process has any more. Entries are durable here
    /// before they are acknowledged there; a crash between the two leaves them in both.
    ///
    /// Tells how many were moved, and what was damaged. Where this spool is full, the rest is left
    /// where it is.
    ///
    /// # Errors
    /// [`SpoolError::NotDurable`], [`SpoolError::Forked`], [`SpoolError::Io`] where `parent` cannot
    /// be read.
    pub fn adopt_abandoned(&mut self, parent: &Path) -> Result<Recovery, SpoolError> {
        self.check_process()?;
        let mut adopted = Recovery::default();
        let mut names = self.fs.list(parent).map_err(super::types::at(parent))?;
        names.retain(|name| is_own(name));
        names.sort_unstable();
        for name in names {
            let folder = parent.join(name);
            if folder == self.folder {
                continue;
            }
            let fs = Arc::clone(&self.fs);
            let Ok((mut other, found)) = Self::open_in(fs, &folder, self.options) else { continue };
            adopted.lost += found.lost;
            adopted.skipped_bytes += found.skipped_bytes;
            if !self.take_from(&mut other, &mut adopted)? {
                break;
            }
        }
        Ok(adopted)
    }

    /// Moves entries here until the other is empty, or this one full; tells whether it has room.
    fn take_from(&mut self, other: &mut Self, adopted: &mut Recovery) -> Result<bool, SpoolError> {
        // To make room for old entries by dropping others would be no gain.
        let when_full = std::mem::replace(&mut self.options.when_full, SpoolFull::Refuse);
        let moved = self.move_from(other, adopted);
        self.options.when_full = when_full;
        moved
    }

    fn move_from(&mut self, other: &mut Self, adopted: &mut Recovery) -> Result<bool, SpoolError> {
        loop {
            let batch = other.next_batch(1_000, 1 << 20)?;
            if batch.is_empty() {
                return Ok(true);
            }
            let mut taken = Vec::with_capacity(batch.len());
            let mut full = false;
            for (id, entry) in &batch {
                match self.append(entry) {
                    Ok(_) => {
                        adopted.entries += 1;
                        adopted.bytes += entry.len() as u64;
                        taken.push(*id);
                    }
                    Err(SpoolError::Full { .. }) => {
                        full = true;
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
            self.sync()?;
            other.acknowledge(&taken)?;
            if full {
                return Ok(false);
            }
        }
    }
}

/// Whether this is the name of a folder of [`Spool::open_own`].
pub(super) fn is_own(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|number| number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()))
}
