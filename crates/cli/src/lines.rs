//! Lines of standard input or a file, read ahead by a thread, so that a batch is as large as what
//! has come and never waits for more.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use crate::failure::{Failure, Outcome};

/// How many lines are read ahead.
const AHEAD: usize = 16_384;

/// Lines without their line feed; everything else of a line is kept.
pub(crate) struct Lines {
    lines: Receiver<io::Result<Vec<u8>>>,
}

impl Lines {
    /// The lines of a file; of standard input where it is `-` or none is named.
    pub(crate) fn open(path: Option<&Path>) -> Outcome<Self> {
        Ok(Self::of(BufReader::new(input(path)?)))
    }

    /// The lines of a reader.
    pub(crate) fn of(mut reader: impl BufRead + Send + 'static) -> Self {
        let (sender, lines) = sync_channel(AHEAD);
        thread::spawn(move || {
            loop {
                let mut line = Vec::new();
                let result = reader.read_until(b'\n', &mut line);
                if matches!(result, Ok(0)) {
                    return;
                }
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                let ended = result.is_err();
                if sender.send(result.map(|_| line)).is_err() || ended {
                    return;
                }
            }
        });
        Self { lines }
    }

    /// Waits for a line, and takes those that have come with it, up to `max`; none at the end.
    pub(crate) fn batch(&self, max: usize) -> Outcome<Vec<Vec<u8>>> {
        let Ok(first) = self.lines.recv() else { return Ok(Vec::new()) };
        let mut batch = vec![first?];
        while batch.len() < max {
            match self.lines.try_recv() {
                Ok(line) => batch.push(line?),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        Ok(batch)
    }

    /// All lines.
    pub(crate) fn all(&self) -> Outcome<Vec<Vec<u8>>> {
        Ok(self.lines.iter().collect::<Result<_, _>>()?)
    }
}

/// A file, or standard input where it is `-` or none is named.
pub(crate) fn input(path: Option<&Path>) -> Outcome<Box<dyn Read + Send>> {
    match path {
        Some(path) if path != Path::new("-") => {
            let file = File::open(path)
                .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
            Ok(Box::new(file))
        }
        _ => Ok(Box::new(io::stdin())),
    }
}
