//! What an endpoint and its connections share.

use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::script::{Manner, Reply, Request};

/// Chooses what a request gets.
pub(super) type Script = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

pub(super) struct Shared {
    pub(super) script: Script,
    pub(super) manner: Mutex<Manner>,
    pub(super) seen: Mutex<Seen>,
    pub(super) arrived: Condvar,
    pub(super) over: AtomicBool,
}

#[derive(Default)]
pub(super) struct Seen {
    pub(super) connections: Vec<TcpStream>,
    pub(super) threads: Vec<JoinHandle<()>>,
    /// Every byte that came, below TLS.
    pub(super) raw: Vec<u8>,
    /// Every byte that came, above it.
    pub(super) plain: Vec<u8>,
    pub(super) requests: Vec<Request>,
    /// What each of them got, in a few words.
    pub(super) replies: Vec<String>,
    /// How many bytes of endless answers were written.
    pub(super) endless: usize,
}

impl Seen {
    /// Remembers what a request got. Those of several connections are answered in any order.
    pub(super) fn remember(&mut self, number: usize, reply: String) {
        if self.replies.len() <= number {
            self.replies.resize(number + 1, String::new());
        }
        if let Some(slot) = self.replies.get_mut(number) {
            *slot = reply;
        }
    }
}

impl Shared {
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
