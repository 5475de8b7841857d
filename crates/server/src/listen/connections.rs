//! A bound on connections, all together and of one address, and on the time that a peer takes to
//! read.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

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
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(self.app.config().timeouts.write));
            Ok((Bounded { stream: Box::pin(stream), _permit: permit }, service))
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

/// A connection that has its place.
pub(super) struct Bounded {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _permit: Permit,
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(cx, into)
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}
