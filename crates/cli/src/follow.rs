//! A file that grows, as `tail -F` reads it: by its name, through rotation and truncation.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How often the file is looked at when nothing came.
const INTERVAL: Duration = Duration::from_millis(200);
/// A line without an end is given when it is this long.
const LINE_MAX: usize = 1 << 20;

/// Gives the lines of a file that grows.
pub(crate) struct Follow {
    path: PathBuf,
    open: Option<BufReader<File>>,
    /// What came of a line whose end has not come yet.
    part: Vec<u8>,
}

impl Follow {
    /// Follows the file of this name from its end, or from its start. It need not exist yet.
    pub(crate) fn new(path: &Path, from_start: bool) -> io::Result<Self> {
        let mut follow = Self { path: path.to_owned(), open: None, part: Vec::new() };
        match File::open(path) {
            Ok(mut file) => {
                if !from_start {
                    file.seek(SeekFrom::End(0))?;
                }
                follow.open = Some(BufReader::new(file));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(follow)
    }

    /// Waits for lines; gives those that have come, up to `max`, at least one.
    pub(crate) fn lines(&mut self, max: usize) -> io::Result<Vec<Vec<u8>>> {
        loop {
            let lines = self.read(max)?;
            if !lines.is_empty() {
                return Ok(lines);
            }
            thread::sleep(INTERVAL);
        }
    }

    /// What there is without waiting.
    fn read(&mut self, max: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut lines = Vec::new();
        while lines.len() < max {
            let Some(reader) = &mut self.open else {
                if !self.reopen()? {
                    break;
                }
                continue;
            };
            let count = reader.read_until(b'\n', &mut self.part)?;
            let ended = self.part.last() == Some(&b'\n');
            if ended {
                self.part.pop();
            }
            if ended || self.part.len() >= LINE_MAX {
                lines.push(std::mem::take(&mut self.part));
            } else if count == 0 && !self.turn(&mut lines)? {
                break;
            }
        }
        Ok(lines)
    }

    /// At the end of the file: whether the name is another file now, or the file was cut. The old
    /// file was read to its end, so that its last line is complete as it is.
    fn turn(&mut self, lines: &mut Vec<Vec<u8>>) -> io::Result<bool> {
        let Some(reader) = &mut self.open else { return Ok(false) };
        let ours = reader.get_ref().metadata()?;
        let rotated = match std::fs::metadata(&self.path) {
            Ok(named) => !same_file(&ours, &named),
            // Between the renaming and the new file there is none of the name.
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        let cut = ours.len() < reader.stream_position()?;
        if !rotated && !cut {
            return Ok(false);
        }
        if !self.part.is_empty() {
            lines.push(std::mem::take(&mut self.part));
        }
        if rotated {
            self.open = None;
        } else {
            reader.seek(SeekFrom::Start(0))?;
        }
        Ok(true)
    }

    fn reopen(&mut self) -> io::Result<bool> {
        match File::open(&self.path) {
            Ok(file) => {
                self.open = Some(BufReader::new(file));
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    a.created().ok() == b.created().ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn read(follow: &mut Follow) -> Vec<String> {
        let lines = follow.read(100).unwrap();
        lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn lines_come_whole_and_from_the_end_unless_the_start_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        append(&path, "old\n");
        let mut from_end = Follow::new(&path, false).unwrap();
        let mut from_start = Follow::new(&path, true).unwrap();
        append(&path, "one\ntw");
        assert_eq!(read(&mut from_end), ["one"]);
        append(&path, "o\n");
        assert_eq!(read(&mut from_end), ["two"]);
        assert_eq!(read(&mut from_start), ["old", "one", "two"]);
        assert!(read(&mut from_end).is_empty());
    }

    #[test]
    fn a_rotation_loses_nothing_whichever_way_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        let mut follow = Follow::new(&path, true).unwrap();
        assert!(read(&mut follow).is_empty());
        append(&path, "one\n");
        assert_eq!(read(&mut follow), ["one"]);
        // Renamed: the writer goes on with the old file until it opens the new one.
        let old = folder.path().join("app.log.1");
        fs::rename(&path, &old).unwrap();
        append(&old, "two\nthr");
        assert_eq!(read(&mut follow), ["two"]);
        append(&old, "ee");
        append(&path, "four\n");
        assert_eq!(read(&mut follow), ["three", "four"]);
        // Copied and cut.
        fs::write(&path, "").unwrap();
        assert!(read(&mut follow).is_empty());
        append(&path, "5\n");
        assert_eq!(read(&mut follow), ["5"]);
    }
}
