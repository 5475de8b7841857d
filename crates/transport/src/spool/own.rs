//! A folder for every process: several may spool under one parent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fs::{FileSystem, Folder, Real};
use super::store::Spool;
use super::types::{Recovery, Skipped, SpoolError, SpoolOptions, at, is_exhausted};

/// What the folders of [`Spool::open_own`] are called, before their number.
const PREFIX: &str = "own-";
/// The most processes that can have a folder under one parent.
const OWN_MAX: u32 = 10_000;
/// How much of what others left is moved when a spool is opened.
const ADOPT_AT_OPEN: u64 = 16 << 20;

impl Spool {
    /// Opens a spool in a subfolder of `parent` that no other process has: for processes of one
    /// program that are configured with one folder, and for the child of a fork. The first free one
    /// of `own-0000`, `own-0001`, … is taken, with what it holds, and then up to about 16 MiB of
    /// entries that processes which are gone have left in others are moved into it, as
    /// [`adopt_abandoned`](Self::adopt_abandoned) does.
    ///
    /// A folder is left alone, and named in [`Recovery::skipped`], where it belongs to another user,
    /// is a symbolic link, may be written by every user, or cannot be opened. Folders are never
    /// removed, so that no process can hold the lock of one that is gone.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`SpoolError::Locked`] where 10,000 are taken.
    pub fn open_own(parent: &Path, options: SpoolOptions) -> Result<(Self, Recovery), SpoolError> {
        Self::open_own_in(&(Arc::new(Real) as Arc<dyn FileSystem>), parent, options)
    }

    pub(super) fn open_own_in(
        fs: &Arc<dyn FileSystem>,
        parent: &Path,
        options: SpoolOptions,
    ) -> Result<(Self, Recovery), SpoolError> {
        let mut skipped = Vec::new();
        for folder in own_folders(parent) {
            // Where this fails, so it does for all of them.
            let missing = match fs.look_at_folder(&folder).map_err(at(&folder))? {
                Folder::Missing => true,
                Folder::Usable => false,
                Folder::Foreign(reason) => {
                    skipped.push(Skipped::new(&folder, reason));
                    continue;
                }
            };
            match Self::open_in(Arc::clone(fs), &folder, options) {
                Ok((mut spool, mut recovery)) => {
                    spool.parent = Some(parent.to_owned());
                    if let Ok(mut adopted) = spool.adopt_abandoned(parent, ADOPT_AT_OPEN) {
                        recovery.lost += adopted.lost;
                        recovery.skipped_bytes += adopted.skipped_bytes;
                        recovery.more = adopted.more;
                        skipped.append(&mut recovery.skipped);
                        let new = |found: &Skipped| !skipped.iter().any(|s| s.path == found.path);
                        adopted.skipped.retain(new);
                        skipped.append(&mut adopted.skipped);
                    }
                    skipped.append(&mut recovery.skipped);
                    recovery.skipped = skipped;
                    recovery.entries = spool.len();
                    recovery.bytes = spool.bytes();
                    spool.take_changes();
                    return Ok((spool, recovery));
                }
                Err(SpoolError::Locked(_)) => {}
                Err(SpoolError::Io { source, path }) if missing || is_exhausted(&source) => {
                    return Err(SpoolError::Io { source, path });
                }
                Err(error) => skipped.push(Skipped::new(&folder, error)),
            }
        }
        Err(SpoolError::Locked(parent.to_owned()))
    }
}

/// The folders that processes may have under a parent.
pub(super) fn own_folders(parent: &Path) -> impl Iterator<Item = PathBuf> {
    (0..OWN_MAX).map(move |number| parent.join(format!("{PREFIX}{number:04}")))
}

/// Whether this is the name of a folder of [`Spool::open_own`].
pub(super) fn is_own(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|number| number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()))
}
