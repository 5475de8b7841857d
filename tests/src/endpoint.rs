//! A small HTTPS server that misbehaves as it is told, and remembers what arrived.
//!
//! What a connection gets is a [`Manner`], what a request gets a [`Reply`], which a test's own
//! function chooses. A request is remembered before it is answered.

#![allow(clippy::unwrap_used)] // A failed test may say so.

mod certificates;
mod connection;

use std::fmt;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use logflux_envelope::Entry;
use logflux_transport::Settings;
use logflux_wire::ApiKey;
use serde_json::value::RawValue;

pub use certificates::{Authority, Presented, self_signed};

use crate::client::{ENOUGH, open_all, settings};

/// How a connection is met.
#[derive(Clone)]
pub enum Manner {
    /// With TLS, and this certificate.
    Tls(Presented),
    /// With TLS, and not a byte read after the handshake.
    Deaf(Presented),
    /// With HTTP in plain text.
    Plain,
    /// With nothing: it is accepted, and nobody reads or writes.
    Silent,
    /// With these bytes for the first that come.
    Bytes(Vec<u8>),
}

/// What a request gets.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers besides `Content-Length`.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// These bytes as they are, and the end of the connection.
    Raw(Vec<u8>),
    /// The end of the connection.
    Lost,
    /// Nothing, as long as the client waits.
    Hang,
    /// A good answer's head, and then spaces without an end.
    Endless,
    /// A good answer, a byte each time.
    Trickle(Duration),
}

impl Reply {
    /// An answer with a status and one header.
    #[must_use]
    pub fn status(status: u16, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self::Answer { status, headers, body: String::new() }
    }

    /// A refusal in the API's form.
    #[must_use]
    pub fn refusal(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            r#"{{"status":"error","error":{{"code":"{code}","message":"{message}"}},"request_id":"req_1"}}"#
        );
        Self::Answer { status, headers: Vec::new(), body }
    }

    /// All entries of a request are taken.
    #[must_use]
    pub fn taken(request: &Request) -> Self {
        Self::partly(request, &[])
    }

    /// The entries of a request are taken, but for those at these places, with their codes.
    #[must_use]
    pub fn partly(request: &Request, failures: &[(usize, &str)]) -> Self {
        let total = request.entries().len();
        let failed = failures.len();
        let succeeded = total.saturating_sub(failed);
        let status = if failed == 0 { "success" } else { "partial" };
        let failures: Vec<String> = failures
            .iter()
            .map(|(i, code)| format!(r#"{{"index":{i},"code":"{code}","message":"bad {i}"}}"#))
            .collect();
        let body = format!(
            r#"{{"status":"{status}","message":"m","request_id":"req_1","data":{{"total":{total},"succeeded":{succeeded},"failed":{failed},"duplicates":0}},"failures":[{}]}}"#,
            failures.join(",")
        );
        Self::Answer { status: 200, headers: Vec::new(), body }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_string()));
        }
        self
    }
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// How many came before.
    pub number: usize,
    /// When it was complete.
    pub at: Instant,
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The entries in it, as they are written.
    #[must_use]
    pub fn entries(&self) -> Vec<Box<RawValue>> {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The messages in it.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        let entries = self.entries();
        let parsed = entries.iter().map(|raw| Entry::parse_strict(raw.get().as_bytes()).unwrap());
        open_all(&parsed.collect::<Vec<_>>())
    }
}

/// Chooses what a request gets.
type Script = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// An endpoint that runs. It ends when it is dropped.
pub struct Endpoint {
    shared: Arc<Shared>,
    address: String,
    listener: Option<JoinHandle<()>>,
}

struct Shared {
    script: Script,
    manner: Mutex<Manner>,
    seen: Mutex<Seen>,
    arrived: Condvar,
    over: AtomicBool,
}

#[derive(Default)]
struct Seen {
    connections: Vec<TcpStream>,
    threads: Vec<JoinHandle<()>>,
    /// Every byte that came, below TLS.
    raw: Vec<u8>,
    /// Every byte that came, above it.
    plain: Vec<u8>,
    requests: Vec<Request>,
    /// How many bytes of endless answers were written.
    endless: usize,
}

impl Endpoint {
    /// Starts an endpoint at a free port of the local machine.
    #[must_use]
    pub fn start(
        manner: Manner,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
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
                accepting.accept(stream);
            }
        });
        Self { shared, address, listener: Some(listener) }
    }

    /// Its address, such as `127.0.0.1:40123`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Settings for a client of this endpoint that trusts an authority.
    #[must_use]
    pub fn settings(&self, authority: &Authority) -> Settings {
        settings(&self.address, &key(), &authority.file())
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

    /// Waits until so many requests have come.
    pub fn wait_for_requests(&self, count: usize) {
        self.wait("requests", |seen| seen.requests.len() >= count);
    }

    /// Waits until so many bytes have come, whatever they are.
    pub fn wait_for_bytes(&self, count: usize) {
        self.wait("bytes", |seen| seen.raw.len() >= count);
    }

    fn wait(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        let (seen, late) = self
            .shared
            .arrived
            .wait_timeout_while(self.shared.seen(), ENOUGH, |seen| !done(seen))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "only {} {what}", seen.requests.len());
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

/// The key that clients of an endpoint have.
#[must_use]
pub fn key() -> ApiKey {
    "lf_0123456789abcdefABCDEF0123456789".parse().unwrap()
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, stream: TcpStream) {
        let manner = self.manner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Ok(copy) = stream.try_clone() else { return };
        let shared = Arc::clone(self);
        let mut seen = self.seen();
        seen.connections.push(copy);
        self.arrived.notify_all();
        let served = thread::spawn(move || {
            // That a client is gone is no failure here.
            let _ = connection::serve(&shared, &stream, manner);
            let _ = stream.shutdown(Shutdown::Both);
        });
        seen.threads.push(served);
    }
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
