//! Waiting until messages are delivered. The SDK asks after a ticket; nothing here waits.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use logflux_transport::{Client, FlushTicket, Unflushed};

use crate::{Fault, clients};

/// What a flush or a close found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushResult {
    /// Messages that were dropped since the client was built.
    pub dropped: u64,
    /// Messages that are still on their way.
    pub left: u64,
}

impl From<Result<(), Unflushed>> for FlushResult {
    fn from(result: Result<(), Unflushed>) -> Self {
        match result {
            Ok(()) => Self::default(),
            Err(Unflushed { dropped, left }) => Self { dropped, left },
        }
    }
}

/// A flush or a close that has begun.
#[derive(Debug)]
pub struct Ticket(Kind);

#[derive(Debug)]
enum Kind {
    Flush(FlushTicket),
    Close(Arc<OnceLock<FlushResult>>),
}

impl Ticket {
    /// Begins to flush.
    #[must_use]
    pub fn flush(client: &Client) -> Self {
        Self(Kind::Flush(client.flush_begin()))
    }

    /// One user of the client less: closes it where the caller is to, as [`clients::leave`] says, and
    /// flushes it otherwise.
    ///
    /// # Errors
    /// [`Fault::Other`] where the client is not there.
    pub fn leave(number: u32, timeout: Duration, all: bool) -> Result<Self, Fault> {
        clients::of(number, |shared| {
            if clients::leave(number, shared, all) {
                Self::close(&shared.client, timeout)
            } else {
                Self::flush(&shared.client)
            }
        })
    }

    /// Closes on a thread of its own, or, where none can be had, at once.
    fn close(client: &Client, timeout: Duration) -> Self {
        let found = Arc::new(OnceLock::new());
        let (closing, answer) = (client.clone(), Arc::clone(&found));
        let started = logflux_process::start_thread("logflux-close", move || {
            // It is set once.
            let _ = answer.set(closing.close(timeout).into());
        });
        if started.is_err() {
            let _ = found.set(client.close(timeout).into());
        }
        Self(Kind::Close(found))
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.0 {
            Kind::Flush(ticket) => ticket.is_done(),
            Kind::Close(found) => found.get().is_some(),
        }
    }

    /// What is known now.
    #[must_use]
    pub fn answer(&self) -> FlushResult {
        match &self.0 {
            Kind::Flush(ticket) => ticket.answer().into(),
            Kind::Close(found) => {
                found.get().copied().unwrap_or(FlushResult { dropped: 0, left: 1 })
            }
        }
    }
}
