//! The reference endpoint: a small HTTPS server that misbehaves as it is told, and remembers what
//! arrived.
//!
//! What a connection gets is a [`Manner`], what a request gets a [`Reply`], which the caller's own
//! function chooses. A request is remembered before it is answered.

mod certificates;
mod connection;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fmt, io};

use serde::Deserialize;
use serde_json::value::RawValue;

pub use certificates::{Authority, Presented, self_signed};

/// Why an endpoint, or a certificate for one, could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// No port could be listened on.
    #[error("the endpoint cannot listen: {0}")]
    Listen(#[source] io::Error),
    /// A file could not be written.
    #[error("{}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A certificate could not be made.
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A certificate cannot be presented.
    #[error("a certificate cannot be presented: {0}")]
    Tls(#[from] rustls::Error),
}

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
    /// With its end, when the first bytes have come.
    Closed,
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

    /// What is no answer of an ingest API, such as a proxy's.
    #[must_use]
    pub fn foreign(status: u16) -> Self {
        let headers = vec![("Content-Type", "text/html".to_owned())];
        Self::Answer { status, headers, body: "<html>please log in</html>".to_owned() }
    }

    /// An answer with this JSON.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::Answer { status, headers, body: body.to_owned() }
    }

    /// The same answer with another status.
    #[must_use]
    pub fn but(mut self, other: u16) -> Self {
        if let Self::Answer { status, .. } = &mut self {
            *status = other;
        }
        self
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
    /// The entries in it, as they are written: of an array, of `{"entries":[…]}`, or the one that
    /// the body is. None where it is no JSON.
    #[must_use]
    pub fn entries(&self) -> Vec<Box<RawValue>> {
        #[derive(Deserialize)]
        struct Batch {
            entries: Vec<Box<RawValue>>,
        }
        if let Ok(entries) = serde_json::from_slice(&self.body) {
            return entries;
        }
        if let Ok(Batch { entries }) = serde_json::from_slice(&self.body) {
            return entries;
        }
        serde_json::from_slice(&self.body).map(|one| vec![one]).unwrap_or_default()
    }

    /// The value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
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
    /// What each of them got, in a few words.
    replies: Vec<String>,
    /// How many bytes of endless answers were written.
    endless: usize,
}

impl Seen {
    /// Remembers what a request got. Those of several connections are answered in any order.
    fn remember(&mut self, number: usize, reply: String) {
        if self.replies.len() <= number {
            self.replies.resize(number + 1, String::new());
        }
        if let Some(slot) = self.replies.get_mut(number) {
            *slot = reply;
        }
    }
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
                accepting.accept(stream);
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
