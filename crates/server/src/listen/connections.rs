//! A bound on connections, all together and of one address, and on the time that a peer takes to
//! read.

use std::collections::HashMap;
use std::future::{Future as _, Ready, ready};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::api::App;
use crate::limits::Network;

/// Takes a connection where there is room for it, and closes it at once where there is not.
#[derive(Clone)]
pub(super) struct BoundedAcceptor {
    app: App,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_network: HashMap<Network, usize>,
}

impl BoundedAcceptor {
    pub(super) fn new(app: App) -> Self {
        Self { app, open: Arc::default() }
    }

    fn admit(&self, peer: IpAddr) -> io::Result<Permit> {
        let config = self.app.config();
        let network = Network::of(peer);
        let canonical = peer.to_canonical();
        let is_proxy = config.rates.trusted_proxies.iter().any(|net| net.contains(&canonical));
        if !is_proxy && !self.app.limiter().handshake(network, &config.rates) {
            return Err(io::Error::other("this address has begun too many connections"));
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = open.by_network.get(&network).copied().unwrap_or_default();
        if open.all >= config.limits.connections {
            return Err(io::Error::other("there are too many connections"));
        }
        if !is_proxy && of_network >= config.limits.connections_per_address {
            return Err(io::Error::other("there are too many connections of this address"));
        }
        open.all += 1;
        open.by_network.insert(network, of_network + 1);
        Ok(Permit { open: Arc::clone(&self.open), network })
    }
}

impl<S> Accept<TcpStream, S> for BoundedAcceptor {
    type Stream = Bounded;
    type Service = S;
    type Future = Ready<io::Result<(Bounded, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = stream.peer_addr().and_then(|peer| {
            let permit = self.admit(peer.ip())?;
            stream.set_nodelay(true)?;
            let patience = self.app.config().timeouts.write;
            Ok((Bounded { stream, patience, behind: None, _permit: permit }, service))
        });
        ready(accepted)
    }
}

/// A place among the connections, given back when it is dropped.
struct Permit {
    open: Arc<Mutex<Open>>,
    network: Network,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(count) = open.by_network.get_mut(&self.network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_network.remove(&self.network);
            }
        }
    }
}

/// How many bytes a second a peer takes at least that is behind.
const RATE: u64 = 2_048;

/// A connection that has its place.
pub(super) struct Bounded {
    stream: TcpStream,
    patience: Duration,
    behind: Option<Behind>,
    _permit: Permit,
}

/// A peer that has not taken all that there is for it.
struct Behind {
    /// When it must have taken enough.
    deadline: Pin<Box<Sleep>>,
    taken: u64,
}

impl Bounded {
    /// Notes what a write did. One that cannot go on begins the time in which the peer must take
    /// enough; single bytes begin no new one.
    fn note(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(behind) = &mut self.behind {
                    behind.taken = behind.taken.saturating_add(*bytes as u64);
                }
                return written;
            }
            Poll::Ready(Err(_)) => return written,
            Poll::Pending => {}
        }
        let patience = self.patience;
        let behind = self.behind.get_or_insert_with(|| Behind {
            deadline: Box::pin(tokio::time::sleep(patience)),
            taken: 0,
        });
        while behind.deadline.as_mut().poll(cx).is_ready() {
            if behind.taken < (RATE * patience.as_secs()).max(1) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            behind.taken = 0;
            behind.deadline.as_mut().reset(Instant::now() + patience);
        }
        Poll::Pending
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.note(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// It is called when all that there was is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.behind = None;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
