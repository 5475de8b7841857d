//! A TCP connection as `ureq` uses it.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Weak};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use ureq::config::Config;
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, ShutdownHandle, Transport};
use ureq::{Error, Timeout};

/// A non-blocking TCP connection. Every wait has the call's own time limit.
pub(super) struct TcpTransport {
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
}

impl TcpTransport {
    pub(super) fn new(stream: TcpStream, config: &Config) -> Self {
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Self { stream: Arc::new(stream), buffers }
    }

    pub(super) fn shutdown_handle(&self) -> Weak<dyn ShutdownHandle> {
        let stream: Arc<dyn ShutdownHandle> = Arc::clone(&self.stream) as _;
        Arc::downgrade(&stream)
    }
}

/// Until when a wait may last, and what is told where it lasts longer.
struct Limit {
    deadline: Option<Instant>,
    reason: Timeout,
}

impl Limit {
    fn new(timeout: NextTimeout) -> Result<Self, Error> {
        let deadline = match timeout.after {
            Duration::Exact(after) if after.is_zero() => {
                return Err(Error::Timeout(timeout.reason));
            }
            Duration::Exact(after) => Instant::now().checked_add(after),
            Duration::NotHappening => None,
        };
        Ok(Self { deadline, reason: timeout.reason })
    }

    /// Waits until the stream can be read or written.
    fn wait(&self, stream: &TcpStream, flags: PollFlags) -> Result<(), Error> {
        let left = self.deadline.map(|at| at.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Error::Timeout(self.reason));
        }
        let left = left.map(TryInto::try_into).transpose().map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(stream, flags)], left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(io::Error::from(errno).into()),
        }
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let limit = Limit::new(timeout.for_write())?;
        let Self { stream, buffers } = self;
        let mut rest =
            buffers.output().get(..amount).ok_or(Error::Io(io::ErrorKind::InvalidInput.into()))?;
        while !rest.is_empty() {
            match (&**stream).write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(length) => rest = rest.get(length..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    limit.wait(stream, PollFlags::OUT)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let limit = Limit::new(timeout.for_read())?;
        let Self { stream, buffers } = self;
        loop {
            match (&**stream).read(buffers.input_append_buf()) {
                Ok(length) => {
                    buffers.input_appended(length);
                    return Ok(length > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    limit.wait(stream, PollFlags::IN)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Between two requests nothing may come: neither an end, nor bytes that were not asked for.
    fn is_open(&mut self) -> bool {
        let peeked = self.stream.peek(&mut [0]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl fmt::Debug for TcpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpTransport").field("peer", &self.stream.peer_addr().ok()).finish()
    }
}
