//! Panics as messages.

use std::panic::{self, PanicHookInfo};
use std::sync::Once;
use std::thread;

use logflux_envelope::Level;

use crate::global::{close_within, enabled, with_client};
use crate::text::with_text;

/// Logs every panic of the process as an error, through the client of the process, and then calls the
/// panic hook that was there before, which by default writes to stderr.
///
/// ```text
/// thread 'main' panicked at src/main.rs:7:5: index out of bounds: the len is 3 but the index is 7
/// ```
///
/// The message leaves with all others: when the client has time to, or when the
/// [`Guard`](crate::Guard) is dropped while the panic unwinds. A program that is built with
/// `panic = "abort"` ends right after its hook, so there the hook waits for the message to leave, for
/// [`Config::close_within`](crate::Config::close_within) at most.
///
/// Panics of LogFlux's own threads are not logged. A second call does nothing. A hook that is set later
/// replaces this one, unless it calls the one before it.
pub fn log_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            log(info);
            before(info);
        }));
    });
}

/// Only values whose formatting cannot panic: a panic in here would abort the process.
fn log(info: &PanicHookInfo<'_>) {
    if !enabled(Level::Error) {
        return;
    }
    let thread = thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let message = info.payload_as_str().unwrap_or("a value that is no text");
    with_client(|client| {
        let log = |text: &str| client.log(Level::Error, text);
        match info.location() {
            Some(at) => with_text(format_args!("thread '{name}' panicked at {at}: {message}"), log),
            None => with_text(format_args!("thread '{name}' panicked: {message}"), log),
        }
        if cfg!(panic = "abort") {
            // What is left is counted, and told by the client's own report of drops.
            let _ = client.flush(close_within());
        }
    });
}
