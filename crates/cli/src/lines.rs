//! What standard input or a file holds, read ahead by a thread, so that a batch is as large as what
//! has come and never waits for more.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::splitter::{Piece, Splitter};
use crate::streams::{self, Stdin};

/// How many bytes are read at once, and how many such chunks are read ahead.
const CHUNK: usize = 64 << 10;
const AHEAD: usize = 16;
/// How many bytes of lines are given together.
const BATCH_BYTES: usize = 4 << 20;

/// No entry is longer than this: the longest payload, and what is around it.
pub(crate) const ENTRY_MAX: usize = 2 << 20;
/// What is said of a longer line.
pub(crate) const TOO_LONG: &str = "it is longer than any entry";

/// A file, or standard input.
pub(crate) struct Input {
    name: String,
    reader: Box<dyn Read + Send>,
    /// Waits until there is something to read.
    wait: Box<dyn Fn() + Send>,
    metadata: Option<Metadata>,
}

impl Input {
    /// A file, or standard input where it is `-` or none is named.
    pub(crate) fn open(path: Option<&Path>) -> Outcome<Self> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            let (name, metadata) = ("standard input".to_owned(), stdin_metadata());
            let wait = Box::new(streams::wait_for_stdin);
            return Ok(Self { name, reader: Box::new(Stdin), wait, metadata });
        };
        let name = escape::path(path);
        let file = File::open(path).and_then(logflux_process::above_standard_streams);
        let failed = |error| Failure::new(format!("{name}: {error}"));
        let file = file.map_err(failed)?;
        let (metadata, waited) = (file.metadata().ok(), file.try_clone().map_err(failed)?);
        let wait = Box::new(move || streams::wait_for(&waited));
        Ok(Self { name, reader: Box::new(file), wait, metadata })
    }

    /// What the system knows of the file behind it.
    pub(crate) fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }
}

impl Source for Input {
    fn wait(&self) {
        (self.wait)();
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        read.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => io::Error::new(kind, format!("{}: {error}", self.name)),
        })
    }
}

#[cfg(unix)]
fn stdin_metadata() -> Option<Metadata> {
    use std::os::fd::AsFd;
    let stdin = io::stdin().as_fd().try_clone_to_owned().ok()?;
    File::from(stdin).metadata().ok()
}

#[cfg(not(unix))]
fn stdin_metadata() -> Option<Metadata> {
    None
}

/// What is read by a thread of its own.
pub(crate) trait Source: Read + Send + 'static {
    /// Waits until there is something to read, if that may take long: while it waits, reading can be
    /// stopped, and nothing is lost.
    fn wait(&self) {}
}

impl Source for Stdin {
    fn wait(&self) {
        streams::wait_for_stdin();
    }
}

impl Source for &'static [u8] {}

impl Source for io::BufReader<Input> {}

impl Source for Box<dyn Source> {
    fn wait(&self) {
        (**self).wait();
    }
}

/// What comes of the input.
pub(crate) enum Event {
    Bytes(Vec<u8>),
    /// It cannot be read on.
    Failed(io::Error),
    /// Nothing has come, but there is something else to look at.
    Woken,
    End,
}

/// Bytes as they come.
pub(crate) struct Chunks {
    sender: SyncSender<Event>,
    events: Receiver<Event>,
    waiting: Arc<AtomicU64>,
    gate: Arc<Gate>,
}

/// What the reading thread passes before each read.
#[derive(Default)]
struct Gate {
    stopped: AtomicBool,
    /// Held while it reads.
    reading: Mutex<()>,
}

/// Ends a wait for bytes.
#[derive(Clone)]
pub(crate) struct Waker {
    sender: SyncSender<Event>,
    waiting: Arc<AtomicU64>,
}

impl Waker {
    pub(crate) fn wake(&self) {
        // Where there is no room, nobody waits.
        let _ = self.sender.try_send(Event::Woken);
    }

    /// How many bytes were read that are not [handled](Chunks::handled).
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Acquire)
    }
}

impl Chunks {
    /// Nothing is read before [`start`](Self::start).
    pub(crate) fn new() -> Self {
        let (sender, events) = sync_channel(AHEAD);
        Self { sender, events, waiting: Arc::default(), gate: Arc::default() }
    }

    /// What ends a wait.
    pub(crate) fn waker(&self) -> Waker {
        Waker { sender: self.sender.clone(), waiting: Arc::clone(&self.waiting) }
    }

    /// Begins to read.
    pub(crate) fn start(&self, mut reader: impl Source) -> Outcome {
        let (sender, waiting) = (self.sender.clone(), Arc::clone(&self.waiting));
        let gate = Arc::clone(&self.gate);
        let read = move || {
            let mut buffer = vec![0; CHUNK];
            loop {
                reader.wait();
                let reading = gate.reading.lock().unwrap_or_else(PoisonError::into_inner);
                if gate.stopped.load(Ordering::Acquire) {
                    return;
                }
                let event = match reader.read(&mut buffer) {
                    Ok(0) => Event::End,
                    Ok(count) => Event::Bytes(buffer.get(..count).unwrap_or_default().to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Event::Failed(error),
                };
                let ended = !matches!(event, Event::Bytes(_));
                if let Event::Bytes(bytes) = &event {
                    waiting.fetch_add(bytes.len() as u64, Ordering::AcqRel);
                }
                drop(reading);
                if sender.send(event).is_err() || ended {
                    return;
                }
            }
        };
        thread::Builder::new().name("input".to_owned()).spawn(read)?;
        Ok(())
    }

    /// Waits for what comes next. Nothing does after the end, or where reading has failed.
    pub(crate) fn next(&self) -> Event {
        self.events.recv().unwrap_or(Event::End)
    }

    /// What has come already.
    pub(crate) fn next_ready(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// Reads no more. What was read is given first: [`waiting`](Self::waiting) says whether any of it is
    /// left.
    pub(crate) fn stop_reading(&self) {
        self.gate.stopped.store(true, Ordering::Release);
        // A read that has begun ends first, so that what it takes is counted. Where another process
        // has taken what it waited for, it does not end.
        for _ in 0..100 {
            match self.gate.reading.try_lock() {
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
                _ => return,
            }
        }
    }

    /// How many bytes were read that are not [handled](Self::handled).
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Acquire)
    }

    /// So many bytes would not be lost any more.
    pub(crate) fn handled(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes as u64, Ordering::AcqRel);
    }
}

/// Ends lines before their end.
#[derive(Clone)]
pub(crate) struct Stopper {
    stopped: Arc<AtomicBool>,
    waker: Waker,
}

impl Stopper {
    /// Stops; false where that was done before.
    pub(crate) fn stop(&self) -> bool {
        let first = !self.stopped.swap(true, Ordering::AcqRel);
        self.waker.wake();
        first
    }

    /// Is set when it stops.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopped)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

/// Lines, and parts of lines that are too long.
pub(crate) struct Lines {
    chunks: Chunks,
    /// What nothing was read of yet.
    unread: Option<Box<dyn Source>>,
    splitter: Splitter,
    ready: VecDeque<Piece>,
    stopped: Arc<AtomicBool>,
    ended: bool,
    failed: Option<io::Error>,
}

impl Lines {
    /// The lines of a reader, which may have `max` bytes each before they are split. Nothing is read
    /// before the first is asked for, so that a signal can be answered by then.
    pub(crate) fn of(reader: impl Source, max: usize) -> Self {
        Self {
            chunks: Chunks::new(),
            unread: Some(Box::new(reader)),
            splitter: Splitter::new(max),
            ready: VecDeque::new(),
            stopped: Arc::default(),
            ended: false,
            failed: None,
        }
    }

    /// What ends the lines before the input's end, from another thread. Those that were read still
    /// come.
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper { stopped: Arc::clone(&self.stopped), waker: self.chunks.waker() }
    }

    /// Waits for a line, and takes those that have come with it, up to `max`; none at the end.
    ///
    /// Where reading fails, what came before is given first.
    pub(crate) fn batch(&mut self, max: usize) -> Outcome<Vec<Piece>> {
        if self.stopped.load(Ordering::Acquire) && !self.ended {
            self.take_read();
        }
        if let Some(reader) = self.unread.take()
            && !self.ended
        {
            self.chunks.start(reader)?;
        }
        while self.ready.is_empty() && !self.ended {
            let next = self.chunks.next();
            self.add(next);
        }
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < max && bytes < BATCH_BYTES {
            let Some(piece) = self.ready.pop_front() else {
                match self.chunks.next_ready() {
                    Some(event) if !self.ended => self.add(event),
                    _ => break,
                }
                continue;
            };
            bytes += piece.bytes.len();
            batch.push(piece);
        }
        match self.failed.take() {
            Some(error) if batch.is_empty() => Err(error.into()),
            failed => {
                self.failed = failed;
                Ok(batch)
            }
        }
    }

    fn add(&mut self, event: Event) {
        match event {
            Event::Bytes(bytes) => {
                self.chunks.handled(bytes.len());
                self.splitter.push(&bytes, |piece| self.ready.push_back(piece));
                return;
            }
            Event::Woken if self.stopped.load(Ordering::Acquire) => return self.take_read(),
            Event::Woken => return,
            Event::Failed(error) => self.failed = Some(error),
            Event::End => {}
        }
        self.ended = true;
        self.ready.extend(self.splitter.finish());
    }

    /// Takes what was read ahead, and no more.
    fn take_read(&mut self) {
        self.chunks.stop_reading();
        while self.chunks.waiting() > 0 && !self.ended {
            match self.chunks.next() {
                Event::Woken => {}
                event => self.add(event),
            }
        }
        if !self.ended {
            self.add(Event::End);
        }
    }

    /// All lines.
    pub(crate) fn all(&mut self) -> Outcome<Vec<Piece>> {
        let mut all = Vec::new();
        loop {
            let batch = self.batch(usize::MAX)?;
            if batch.is_empty() {
                return Ok(all);
            }
            all.extend(batch);
        }
    }
}
