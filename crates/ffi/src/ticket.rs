//! Flush tickets: a flush that goes on while its caller does.

use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use logflux_transport::{FlushTicket, Unflushed};

use crate::arguments::{Out, there};
use crate::boundary::{answering, boundary, freeing, has_interrupted_a_call};
use crate::client::logflux_client;
use crate::error::{Failure, logflux_error};
use crate::status::logflux_status;

/// A flush that has begun. Any number of threads may ask and wait at once. It outlives its client: a
/// client that ends settles all its messages. In a child of fork a ticket of the parent stays as it
/// was at the fork.
pub struct logflux_flush_ticket(FlushTicket);

/// Begins to flush, and does not wait: the ticket tells when every message that was logged before is
/// delivered, durable in the spool, or dropped.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_flush_begin(
    client: Option<&logflux_client>,
    out: Option<&mut *mut logflux_flush_ticket>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    if has_interrupted_a_call() {
        // A signal has interrupted a call on this thread, which may hold the lock that is needed.
        return logflux_status::Timeout;
    }
    boundary(error, || {
        let out = Out::new(out)?;
        out.give(logflux_flush_ticket(there(client, "client")?.core().flush_begin()))
    })
}

/// Whether every message of the ticket is delivered, durable, or dropped. It takes no lock and costs
/// a few nanoseconds. False for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_flush_ticket_is_done(ticket: Option<&logflux_flush_ticket>) -> bool {
    answering(false, || ticket.is_some_and(|ticket| ticket.0.is_done()))
}

/// Waits until the ticket is done, for `timeout_ms` at most, and answers as logflux_client_flush
/// does. It may be called again. In a callback of the same client it does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_flush_ticket_wait(
    ticket: Option<&logflux_flush_ticket>,
    timeout_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    let timeout = Duration::from_millis(timeout_ms);
    if let Some(ticket) = ticket.filter(|_| has_interrupted_a_call()) {
        return wait_in_a_handler(&ticket.0, timeout);
    }
    boundary(error, || Ok(there(ticket, "ticket")?.0.wait(timeout)?))
}

/// Frees a ticket; the flush goes on. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_flush_ticket_free(ticket: Option<Box<logflux_flush_ticket>>) {
    if has_interrupted_a_call() {
        mem::forget(ticket);
        return;
    }
    freeing(ticket);
}

/// Waits with no lock, where a signal has interrupted another call on this thread.
fn wait_in_a_handler(ticket: &FlushTicket, timeout: Duration) -> logflux_status {
    const LOOK: Duration = Duration::from_millis(2);
    let begun = Instant::now();
    while !ticket.is_done() && begun.elapsed() < timeout {
        thread::sleep(LOOK);
    }
    ticket.answer().map_or_else(|unflushed| status(&unflushed), |()| logflux_status::Ok)
}

/// Dropped messages do not come back; what is left may still arrive.
fn status(unflushed: &Unflushed) -> logflux_status {
    if unflushed.dropped > 0 { logflux_status::Unflushed } else { logflux_status::Timeout }
}

impl From<Unflushed> for Failure {
    fn from(unflushed: Unflushed) -> Self {
        let Unflushed { dropped, left } = unflushed;
        logflux_error::new(status(&unflushed), unflushed).with_counts(dropped, left)
    }
}
