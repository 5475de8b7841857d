//! The standard streams, whatever is behind them: a pipe that somebody made non-blocking, a full
//! disk, a terminal.

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};

use crate::escape;
use crate::failure::Outcome;

/// Says a line on stderr, in which nothing steers a terminal. Where stderr cannot be written, nothing
/// can be said.
macro_rules! say {
    ($($arg:tt)*) => { $crate::streams::say_line(&format!($($arg)*)) };
}
pub(crate) use say;

pub(crate) fn say_line(text: &str) {
    let _ = Stderr.write_all(format!("{}\n", escape::line(text)).as_bytes());
}

/// Gives the numbers of streams that are closed to `/dev/null`, so that no file of ours gets one. The
/// runtime of a Rust program has done it already; other hosts have not.
pub(crate) fn fill_closed() {
    #[cfg(unix)]
    while let Ok(file) = std::fs::File::options().read(true).write(true).open("/dev/null") {
        if std::os::fd::AsRawFd::as_raw_fd(&file) > 2 {
            break;
        }
        std::mem::forget(file);
    }
}

/// Standard output. On a terminal, what is written is escaped but for line ends and tabs; so every
/// write has whole characters.
pub(crate) struct Stdout {
    terminal: bool,
}

pub(crate) fn stdout() -> Stdout {
    Stdout { terminal: io::stdout().is_terminal() }
}

impl Stdout {
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The same without escapes, for what is not ours to change.
    pub(crate) fn raw() -> Self {
        Self { terminal: false }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut shown = Vec::new();
        if self.terminal {
            escape::append(bytes, &['\n', '\t'], &mut shown);
        }
        let written = if self.terminal { &shown } else { bytes };
        system::write_all(system::OUT, written)
            .map_err(|error| io::Error::new(error.kind(), StdoutError(error)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// In one piece.
    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.write_all(text.to_string().as_bytes())
    }
}

/// Prints text with colours, where they are wanted. It holds nothing that steers a terminal beside.
pub(crate) fn print_styled(text: &str) -> Outcome {
    let mut stdout = Stdout::raw();
    match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => {
            let plain = anstream::adapter::strip_str(text).to_string();
            stdout.write_all(plain.as_bytes())?;
        }
        _ => stdout.write_all(text.as_bytes())?,
    }
    Ok(())
}

/// Why standard output took no more.
#[derive(Debug)]
pub(crate) struct StdoutError(io::Error);

impl fmt::Display for StdoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "standard output: {}", self.0)
    }
}

impl Error for StdoutError {}

/// Whether an error of [`Stdout`] says that the reader is gone, which is no fault.
pub(crate) fn is_reader_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
        && error.get_ref().is_some_and(|inner| inner.is::<StdoutError>())
}

/// Standard error.
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        system::write_all(system::ERR, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard input.
pub(crate) struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        system::read_stdin(buffer)
    }
}

/// Waits until standard input has something to read, or has ended.
pub(crate) fn wait_for_stdin() {
    #[cfg(unix)]
    system::wait_for(rustix::stdio::stdin());
}

/// As [`wait_for_stdin`], for a file, which may be a pipe.
pub(crate) fn wait_for(file: &std::fs::File) {
    #[cfg(unix)]
    system::wait_for(std::os::fd::AsFd::as_fd(file));
    #[cfg(not(unix))]
    let _ = file;
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::os::fd::BorrowedFd;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    use rustix::stdio;

    pub(super) const OUT: BorrowedFd<'static> = stdio::stdout();
    pub(super) const ERR: BorrowedFd<'static> = stdio::stderr();

    /// Whether to try again: behind an interruption, and when the stream is ready.
    fn again(error: Errno, fd: BorrowedFd<'_>, ready: PollFlags) -> io::Result<()> {
        match error {
            Errno::INTR => Ok(()),
            Errno::AGAIN => match poll(&mut [PollFd::new(&fd, ready)], None) {
                Ok(_) | Err(Errno::INTR) => Ok(()),
                Err(error) => Err(error.into()),
            },
            error => Err(error.into()),
        }
    }

    pub(super) fn wait_for(fd: BorrowedFd<'_>) {
        while let Err(Errno::INTR) = poll(&mut [PollFd::new(&fd, PollFlags::IN)], None) {}
    }

    pub(super) fn write_all(fd: BorrowedFd<'static>, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(fd, bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) => again(error, fd, PollFlags::OUT)?,
            }
        }
        Ok(())
    }

    pub(super) fn read_stdin(buffer: &mut [u8]) -> io::Result<usize> {
        let fd = stdio::stdin();
        loop {
            match rustix::io::read(fd, &mut *buffer) {
                Ok(count) => return Ok(count),
                Err(error) => again(error, fd, PollFlags::IN)?,
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io::{self, Read, Write};

    #[derive(Clone, Copy)]
    pub(super) enum Stream {
        Out,
        Err,
    }

    pub(super) const OUT: Stream = Stream::Out;
    pub(super) const ERR: Stream = Stream::Err;

    pub(super) fn write_all(stream: Stream, bytes: &[u8]) -> io::Result<()> {
        match stream {
            Stream::Out => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()),
            Stream::Err => io::stderr().write_all(bytes),
        }
    }

    pub(super) fn read_stdin(buffer: &mut [u8]) -> io::Result<usize> {
        io::stdin().read(buffer)
    }
}
