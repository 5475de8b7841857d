//! Reading a folder of vectors.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::{SCHEMA, VectorFile};

/// Files of a folder of vectors that are no vectors themselves.
const NO_VECTORS: &[&str] = &["schema.json"];

/// Why vectors cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The folder or a file of it cannot be read.
    #[error("{path}: {error}")]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// Why it was not.
        error: io::Error,
    },
    /// There is no vector file in the folder.
    #[error("{folder} holds no vectors: `logflux vectors generate` writes them")]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is not of the form of `schema.json`.
    #[error("{file}: not a vector file: {error}")]
    Form {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// A file is of another schema than this program knows.
    #[error("{file}: schema is {found:?}, and this program knows {SCHEMA:?}")]
    Schema {
        /// The file's name.
        file: String,
        /// What it says.
        found: String,
    },
    /// A test is not what its operation needs.
    #[error("{file}: {id}: {what}")]
    Test {
        /// The file's name.
        file: String,
        /// The test.
        id: String,
        /// What is wrong with it.
        what: String,
    },
}

/// The names and bytes of a folder's vector files, by name.
pub(crate) fn read(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
    let io = |path: &Path, error| LoadError::Io { path: path.to_owned(), error };
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(|error| io(folder, error))? {
        let path = entry.map_err(|error| io(folder, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "json")
            && !NO_VECTORS.contains(&name.as_str())
        {
            files.push((name, std::fs::read(&path).map_err(|error| io(&path, error))?));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(LoadError::Empty { folder: folder.to_owned() });
    }
    Ok(files)
}

/// The names and bytes of the vector files that this program was built with, by name.
pub(crate) fn built_in() -> [(&'static str, &'static [u8]); 5] {
    macro_rules! file {
        ($name:literal) => {
            ($name, include_bytes!(concat!("../vectors/", $name)))
        };
    }
    [
        file!("derive.json"),
        file!("known_answers.json"),
        file!("open.json"),
        file!("parse.json"),
        file!("seal.json"),
    ]
}

/// What a vector file holds.
pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<VectorFile, LoadError> {
    let file: VectorFile = serde_json::from_slice(bytes)
        .map_err(|error| LoadError::Form { file: name.to_owned(), error })?;
    if file.schema == SCHEMA {
        Ok(file)
    } else {
        Err(LoadError::Schema { file: name.to_owned(), found: file.schema })
    }
}
