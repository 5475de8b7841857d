//! Writing the vectors into a folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::progress::Progress;
use crate::suite::{GenerateError, generate_with};

/// Why the vectors were not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// They could not be made.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// A file could not be written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Writes every file that the generator makes into a folder, which is made where it is not there,
/// and gives the names of those that were not there in the same bytes before.
///
/// # Errors
/// [`WriteError`] where they could not be made or written.
pub fn write(folder: &Path) -> Result<Vec<String>, WriteError> {
    write_with(folder, |_| {})
}

/// Like [`write()`], and tells from any thread how many topics of the generator are done.
///
/// # Errors
/// [`WriteError`] where they could not be made or written.
pub fn write_with(
    folder: &Path,
    progress: impl Fn(Progress) + Sync,
) -> Result<Vec<String>, WriteError> {
    let files = generate_with(progress)?;
    let io = |path: &Path, error| WriteError::Io { path: path.to_owned(), error };
    std::fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
    let mut written = Vec::new();
    for file in files {
        let path = folder.join(&file.name);
        if std::fs::read(&path).is_ok_and(|there| there == file.bytes) {
            continue;
        }
        std::fs::write(&path, &file.bytes).map_err(|error| io(&path, error))?;
        written.push(file.name);
    }
    Ok(written)
}
