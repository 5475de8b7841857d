//! The data folder: its names, and who may read it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The database of entries.
pub(crate) fn entries_db(data: &Path) -> PathBuf {
    data.join("entries.db")
}

/// Whoever has locked this file has the store open for writing.
pub(crate) fn store_lock(data: &Path) -> PathBuf {
    data.join("entries.lock")
}

/// The database of API keys. It is a file of its own, so that making a key never waits for the
/// entries' writer.
pub(crate) fn keys_db(data: &Path) -> PathBuf {
    data.join("keys.db")
}

/// The database of alerts.
pub(crate) fn alerts_db(data: &Path) -> PathBuf {
    data.join("alerts.db")
}

/// It is there while a restore replaces the databases, one after the other.
pub(crate) fn restoring(data: &Path) -> PathBuf {
    data.join("restoring")
}

/// Whether the folder is whole: a restore that was cut off leaves databases of two moments.
pub(crate) fn check_whole(data: &Path) -> io::Result<()> {
    if !restoring(data).exists() {
        return Ok(());
    }
    Err(io::Error::other(
        "a restore was cut off, and what is there is of two moments: run `logflux store restore` again",
    ))
}

/// Makes the folder, and those above it, for its owner alone; one that exists is left as it is.
pub(crate) fn create(data: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data)
}

/// Makes one folder, for its owner alone, that must not be there.
pub(crate) fn create_new(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes durable which files are in a folder.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    let _ = folder;
    Ok(())
}

/// Whether a server can write in the folder, or make it, and use the files that are there; with the
/// path that is in the way. Nothing stays changed.
pub(crate) fn check(data: &Path) -> Result<(), (PathBuf, io::Error)> {
    let there = data.ancestors().find(|folder| !folder.as_os_str().is_empty() && folder.exists());
    let there = there.unwrap_or(Path::new("."));
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    if !std::fs::metadata(there).map_err(at(there))?.is_dir() {
        return Err((there.to_owned(), io::ErrorKind::NotADirectory.into()));
    }
    let probe = there.join(format!(".logflux-check.{}", std::process::id()));
    touch(&probe).map_err(at(there))?;
    std::fs::remove_file(&probe).map_err(at(&probe))?;
    for file in [entries_db(data), store_lock(data), keys_db(data), alerts_db(data)] {
        if file.exists() {
            OpenOptions::new().read(true).append(true).open(&file).map_err(at(&file))?;
        }
    }
    Ok(())
}

/// Makes an empty file for its owner alone where there is none. SQLite takes an empty file for a new
/// database, and gives its side files the same permissions.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    owner_only(OpenOptions::new().append(true).create(true)).open(path).map(|_: File| ())
}

/// Writes a file for its owner alone, as a whole or not at all.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = owner_only(OpenOptions::new().write(true).create(true).truncate(true))
        .open(&temporary)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        std::fs::remove_file(&temporary).ok();
    }
    written
}

/// Makes a file its owner's alone.
pub(crate) fn set_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    let _ = path;
    Ok(())
}

/// Gives a file to the owner of the folder, where root has made it for another.
pub(crate) fn give_to_owner_of(folder: &Path, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (owner, file) = (std::fs::metadata(folder)?, std::fs::metadata(path)?);
        if (file.uid(), file.gid()) != (owner.uid(), owner.gid()) {
            std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    let _ = (folder, path);
    Ok(())
}

fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
