//! How `pipe` ends when a signal asks for it: it reads on to the end of its input, since the
//! application that writes there may have got the same signal and still has something to say.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use logflux_transport::Client;

use crate::failure::{Failure, Outcome};
use crate::lines::Waker;
use crate::output::count;
use crate::shipping::outcome;
use crate::signals;
use crate::streams::say;

/// When it is said that the input goes on.
const SAY_AFTER: Duration = Duration::from_secs(1);
/// How long what reads may take to notice that it should stop; then the client is closed without it.
const GRACE: Duration = Duration::from_secs(1);

/// The end of a `pipe`. Clones are the same.
#[derive(Clone)]
pub(crate) struct Ending {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    asked: AtomicBool,
    stopped: AtomicBool,
    closing: AtomicBool,
    /// A second signal has come.
    aborted: AtomicBool,
}

impl Ending {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default() }
    }

    /// Whether to read no more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state.stopped.load(Ordering::Acquire)
    }

    /// A signal asks for the end. The first gives the input its close timeout to end, the second
    /// ends the program at once.
    pub(crate) fn ask(&self, client: &Client, waker: &Waker, signal: i32) {
        let second = self.state.asked.swap(true, Ordering::AcqRel);
        // A terminal that is closed may say so twice.
        if second && signals::is_hangup(signal) {
            return;
        }
        let (ending, late, wake) = (self.clone(), client.clone(), waker.clone());
        let wait = move || ending.stop_after(&late, &wake);
        let waits = !second && thread::Builder::new().name("ending".to_owned()).spawn(wait).is_ok();
        if !waits {
            self.state.aborted.store(true, Ordering::Release);
            let _ = client.close(Duration::ZERO);
            tell_lost(client, waker);
            signals::end_by(signal);
        }
    }

    fn stop_after(&self, client: &Client, waker: &Waker) {
        let timeout = client.close_timeout();
        let quiet = timeout.min(SAY_AFTER);
        thread::sleep(quiet);
        if !self.state.closing.load(Ordering::Acquire) && timeout > quiet {
            say!(
                "the input has not ended: it is read on for {timeout:?} at most; a second signal ends at once"
            );
            thread::sleep(timeout.saturating_sub(quiet));
        }
        self.state.stopped.store(true, Ordering::Release);
        waker.wake();
        thread::sleep(GRACE);
        // What reads may wait for a stdout that nobody reads, or for room in the queue.
        if self.state.closing.swap(true, Ordering::AcqRel) {
            return;
        }
        let _ = client.close(timeout);
        process::exit(i32::from(tell_lost(client, waker)));
    }

    /// Delivers what is left, unless another thread does it, which then ends the program.
    pub(crate) fn close(&self, client: &Client, waker: &Waker) -> Outcome {
        if !self.state.closing.swap(true, Ordering::AcqRel) {
            let _ = client.close(client.close_timeout());
            if !self.state.aborted.load(Ordering::Acquire) {
                return if tell_lost(client, waker) { Err(Failure::Told) } else { Ok(()) };
            }
        }
        loop {
            thread::park();
        }
    }
}

/// Says what is lost; whether anything is.
fn tell_lost(client: &Client, waker: &Waker) -> bool {
    let ended = outcome(client);
    if let Err(lost) = &ended {
        say!("{lost}");
    }
    let unshipped = usize::try_from(waker.waiting()).unwrap_or(usize::MAX);
    if unshipped > 0 {
        say!("{} not shipped", count(unshipped, "byte at the end was", "bytes at the end were"));
    }
    ended.is_err() || unshipped > 0
}
