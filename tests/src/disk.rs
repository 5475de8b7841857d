//! A disk that fills up.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // A failed test may say so.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system of half a MiB in memory.
#[derive(Debug)]
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// None, and says why, where it may not be mounted.
    #[must_use]
    pub fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512k", "none"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => return Some(Self(folder)),
            Ok(output) => println!("skipped: {}", String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => println!("skipped: mount: {error}"),
        }
        None
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room there is, and gives the file that has it.
    pub fn fill(&self) -> PathBuf {
        let path = self.path().join("others");
        let mut file = File::create(&path).unwrap();
        for size in [4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
