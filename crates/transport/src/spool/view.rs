//! A look at a spool, which changes nothing and needs no lock.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format::{Frame, Header, read_record};
use super::fs::{FileSystem, Real};
use super::own::is_own;
use super::recovery::{Record, headers, read_file, read_segment, waiting};
use super::types::{Skipped, SpoolError, at, is_exhausted};

/// What stands in a spool's folder. Its owner may go on meanwhile: then what is written just now may
/// look damaged, and what is delivered just now be left out.
#[derive(Debug)]
pub struct SpoolView {
    fs: Arc<dyn FileSystem>,
    folder: PathBuf,
    names: Vec<String>,
    /// Where each segment stands, and what its checksums are seeded with.
    places: Vec<(Header, u64)>,
    segments: Vec<SegmentView>,
    records: Vec<Record>,
    skipped: Vec<Skipped>,
}

/// What stands in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentView {
    /// Its file's name.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many sound entries are not acknowledged.
    pub entries: u64,
    /// How many are.
    pub acknowledged: u64,
    /// How many records are damaged; see [`Recovery::lost`](super::Recovery::lost).
    pub lost: u64,
    /// How many bytes are no sound record.
    pub skipped_bytes: u64,
}

impl SpoolView {
    /// Looks at the spool of a folder.
    ///
    /// # Errors
    /// [`SpoolError::Version`], [`SpoolError::Io`].
    pub fn read(folder: &Path) -> Result<Self, SpoolError> {
        let fs: Arc<dyn FileSystem> = Arc::new(Real);
        let names = fs.list(folder).map_err(at(folder))?;
        let mut view = Self {
            fs,
            folder: folder.to_owned(),
            places: Vec::new(),
            segments: Vec::new(),
            records: Vec::new(),
            skipped: Vec::new(),
            names,
        };
        view.names.retain(|name| {
            let path = folder.join(name);
            let link = is_own(name)
                && std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
            if link {
                view.skipped.push(Skipped::new(&path, "it is a symbolic link"));
            }
            !link
        });
        let mut records = Vec::new();
        for header in headers(&view.names) {
            let read = match read_segment(&*view.fs, folder, header) {
                // It was delivered meanwhile.
                Err(SpoolError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    continue;
                }
                Err(SpoolError::Io { source, path }) if !is_exhausted(&source) => {
                    view.skipped.push(Skipped::new(&path, source));
                    continue;
                }
                other => other?,
            };
            let acknowledged = read.records.iter().filter(|(_, done)| *done).count();
            let number = u32::try_from(view.places.len()).unwrap_or(u32::MAX);
            view.segments.push(SegmentView {
                name: header.file_name(),
                bytes: read.len as u64,
                entries: (read.records.len() - acknowledged) as u64,
                acknowledged: acknowledged as u64,
                lost: read.lost,
                skipped_bytes: read.skipped,
            });
            view.places.push((header, read.salt));
            records.extend(read.records.into_iter().map(|(found, done)| Record {
                found,
                number,
                done,
            }));
        }
        view.records = waiting(records);
        Ok(view)
    }

    /// The segments, in the order of their records.
    #[must_use]
    pub fn segments(&self) -> &[SegmentView] {
        &self.segments
    }

    /// Segments that cannot be opened, such as those of another user, and subfolders that are
    /// symbolic links. Nothing is known of them.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// How many entries are not acknowledged.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// Whether none are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Gives every entry that is not acknowledged to `each`, the oldest first, until it fails.
    ///
    /// # Errors
    /// What `each` fails with; [`SpoolError::Io`] as its `From` makes of it.
    pub fn each_entry<E: From<SpoolError>>(
        &self,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut open: Option<(u32, Vec<u8>)> = None;
        for record in &self.records {
            let Some((header, salt)) = self.places.get(record.number as usize) else { continue };
            let bytes = match &open {
                Some((number, bytes)) if *number == record.number => bytes,
                _ => {
                    let path = self.folder.join(header.file_name());
                    let bytes = match read_file(&*self.fs, &path) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                        other => other.map_err(at(&path))?,
                    };
                    &open.insert((record.number, bytes)).1
                }
            };
            let frame = bytes.get(record.found.offset..).unwrap_or_default();
            if let Frame::Good { payload, .. } = read_record(frame, *salt) {
                each(payload)?;
            }
        }
        Ok(())
    }

    /// The subfolders that [`Spool::open_own`](super::Spool::open_own) made for processes.
    #[must_use]
    pub fn own_folders(&self) -> Vec<PathBuf> {
        let mut names: Vec<&String> = self.names.iter().filter(|name| is_own(name)).collect();
        names.sort_unstable();
        names.into_iter().map(|name| self.folder.join(name)).collect()
    }
}
