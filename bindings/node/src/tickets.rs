//! Waiting until messages are delivered. JavaScript asks after a ticket from a timer; only at the end
//! of a process does a call wait.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use logflux_transport::{Client, FlushTicket, Unflushed};
use napi_derive::napi;

/// What a flush or a close found.
#[napi(object, object_from_js = false)]
#[derive(Clone, Copy, Debug)]
pub struct FlushResult {
    /// Messages that were dropped since the client was built.
    pub dropped: f64,
    /// Messages that are still on their way.
    pub left: f64,
}

impl From<Result<(), Unflushed>> for FlushResult {
    #[allow(clippy::cast_precision_loss)] // Nobody logs 2^53 messages.
    fn from(result: Result<(), Unflushed>) -> Self {
        match result {
            Ok(()) => Self { dropped: 0.0, left: 0.0 },
            Err(Unflushed { dropped, left }) => Self { dropped: dropped as f64, left: left as f64 },
        }
    }
}

/// A flush or a close that has begun.
pub(crate) enum Ticket {
    Flush(FlushTicket),
    Close(Arc<OnceLock<FlushResult>>),
}

impl Ticket {
    pub(crate) fn flush(client: &Client) -> Self {
        Self::Flush(client.flush_begin())
    }

    /// Closes on a thread of its own, or, where none can be had, at once.
    pub(crate) fn close(client: &Client, timeout: Duration) -> Self {
        let found = Arc::new(OnceLock::new());
        let (closing, answer) = (client.clone(), Arc::clone(&found));
        let started = logflux_process::start_thread("logflux-close", move || {
            // It is set once.
            let _ = answer.set(closing.close(timeout).into());
        });
        if started.is_err() {
            let _ = found.set(client.close(timeout).into());
        }
        Self::Close(found)
    }

    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Flush(ticket) => ticket.is_done(),
            Self::Close(found) => found.get().is_some(),
        }
    }

    /// What is known now.
    pub(crate) fn answer(&self) -> FlushResult {
        match self {
            Self::Flush(ticket) => ticket.answer().into(),
            Self::Close(found) => {
                found.get().copied().unwrap_or(FlushResult { dropped: 0.0, left: 1.0 })
            }
        }
    }
}
