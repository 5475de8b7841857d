//! The reference endpoint: a small HTTPS server that misbehaves as it is told, and remembers what
//! arrived.
//!
//! What a connection gets is a [`Manner`], what a request gets a [`Reply`], which the caller's own
//! function chooses. A request is remembered before it is answered.

mod certificates;
mod connection;
mod error;
mod script;
mod shared;

use std::fmt;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use certificates::{Authority, Presented, self_signed};
pub use error::EndpointError;
pub use script::{Manner, Reply, Request};
use shared::{Seen, Shared};

/// An endpoint that runs. It ends when it is dropped.
pub struct Endpoint {
    shared: Arc<Shared>,
    address: String,
    listener: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Starts an endpoint at a free port of the local machine.
    ///
    /// # Errors
    /// [`EndpointError::Listen`] where there is none.
    pub fn start(
        manner: Manner,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Result<Self, EndpointError> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(EndpointError::Listen)?;
        let address = listener.local_addr().map_err(EndpointError::Listen)?.to_string();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            manner: Mutex::new(manner),
            seen: Mutex::default(),
            arrived: Condvar::new(),
            over: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let listener = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepting.over.load(Ordering::Relaxed) {
                    return;
                }
                accept(&accepting, stream);
            }
        });
        Ok(Self { shared, address, listener: Some(listener) })
    }

    /// Its address, such as `127.0.0.1:40123`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Meets connections in another manner from now on, and ends those there are.
    pub fn meet(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
        for connection in self.shared.seen().connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.seen().requests.clone()
    }

    /// What the requests so far got, each in a few words, such as `503`.
    #[must_use]
    pub fn replies(&self) -> Vec<String> {
        self.shared.seen().replies.clone()
    }

    /// Forgets the requests so far: the next one is the first.
    pub fn forget(&self) {
        let mut seen = self.shared.seen();
        seen.requests.clear();
        seen.replies.clear();
    }

    /// Waits until so many requests have come, but no longer than `limit`; false where they have
    /// not.
    #[must_use]
    pub fn wait_for_requests(&self, count: usize, limit: Duration) -> bool {
        self.wait(limit, |seen| seen.requests.len() >= count)
    }

    /// Waits until so many bytes have come, whatever they are, but no longer than `limit`; false
    /// where they have not.
    #[must_use]
    pub fn wait_for_bytes(&self, count: usize, limit: Duration) -> bool {
        self.wait(limit, |seen| seen.raw.len() >= count)
    }

    /// Waits until so many connections have come since the manner changed, but no longer than
    /// `limit`; false where they have not.
    #[must_use]
    pub fn wait_for_connections(&self, count: usize, limit: Duration) -> bool {
        self.wait(limit, |seen| seen.connections.len() >= count)
    }

    fn wait(&self, limit: Duration, done: impl Fn(&Seen) -> bool) -> bool {
        let waited =
            self.shared.arrived.wait_timeout_while(self.shared.seen(), limit, |seen| !done(seen));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Every byte that came, below TLS and above it.
    #[must_use]
    pub fn everything(&self) -> (Vec<u8>, Vec<u8>) {
        let seen = self.shared.seen();
        (seen.raw.clone(), seen.plain.clone())
    }

    /// Whether these bytes came, encrypted or not.
    #[must_use]
    pub fn has_seen(&self, bytes: &[u8]) -> bool {
        let seen = self.shared.seen();
        [&seen.raw, &seen.plain].iter().any(|all| all.windows(bytes.len()).any(|w| w == bytes))
    }

    /// How many bytes came, below TLS and above it.
    #[must_use]
    pub fn bytes(&self) -> (usize, usize) {
        let seen = self.shared.seen();
        (seen.raw.len(), seen.plain.len())
    }

    /// How many bytes of endless answers could be written.
    #[must_use]
    pub fn endless_bytes(&self) -> usize {
        self.shared.seen().endless
    }

    /// How many connections came since the manner changed.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.seen().connections.len()
    }
}

/// Serves a connection in a thread of its own.
fn accept(shared: &Arc<Shared>, stream: TcpStream) {
    let manner = shared.manner.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Ok(copy) = stream.try_clone() else { return };
    let serving = Arc::clone(shared);
    let mut seen = shared.seen();
    seen.connections.push(copy);
    shared.arrived.notify_all();
    let served = thread::spawn(move || {
        // That a client is gone is no failure here.
        let _ = connection::serve(&serving, &stream, manner);
        let _ = stream.shutdown(Shutdown::Both);
    });
    seen.threads.push(served);
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(&self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        let mut seen = self.shared.seen();
        for connection in seen.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        let threads = std::mem::take(&mut seen.threads);
        self.shared.arrived.notify_all();
        drop(seen);
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}
