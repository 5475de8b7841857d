//! A stream on which no answer goes out without its headers.
//!
//! The HTTP layer answers a request that it cannot read by itself, with a status and nothing else,
//! and offers no way to add to that. Such an answer is known here as it is written, and replaced by
//! one in the API's form.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::api::{self, App};

/// Dresses what `A` accepts.
#[derive(Clone)]
pub(super) struct DressingAcceptor<A> {
    pub(super) inner: A,
    pub(super) app: App,
}

impl<A, S> Accept<TcpStream, S> for DressingAcceptor<A>
where
    A: Accept<TcpStream, S, Future: Send + 'static>,
{
    type Stream = Dressed<A::Stream>;
    type Service = A::Service;
    type Future =
        Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send + 'static>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let (peer, app) = (stream.peer_addr().ok().map(|peer| peer.ip()), self.app.clone());
        let accepting = self.inner.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            Ok((Dressed { stream, peer, app, replacement: None }, service))
        })
    }
}

/// The stream.
pub(super) struct Dressed<S> {
    stream: S,
    peer: Option<IpAddr>,
    app: App,
    replacement: Option<Replacement>,
}

/// An answer that is written in place of another.
struct Replacement {
    bytes: Vec<u8>,
    written: usize,
    /// How many bytes of the other it stands for.
    stands_for: usize,
}

impl<S: AsyncWrite + Unpin> Dressed<S> {
    /// Writes what is left of a replacement, and says how much it stands for.
    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some(replacement) = &mut self.replacement {
            let rest = replacement.bytes.get(replacement.written..).unwrap_or_default();
            if rest.is_empty() {
                let stands_for = replacement.stands_for;
                self.replacement = None;
                return Poll::Ready(Ok(stands_for));
            }
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => replacement.written += written,
            }
        }
        Poll::Ready(Ok(0))
    }

    /// Begins a replacement if this is an answer without its headers; true if there is one.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if self.replacement.is_none() {
            self.replacement = api::dress(&self.app, self.peer, bytes).map(|dressed| Replacement {
                bytes: dressed,
                written: 0,
                stands_for: bytes.len(),
            });
        }
        self.replacement.is_some()
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Dressed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return self.poll_replacement(cx);
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A bare answer is one piece; the API's own may be several.
        let mut filled = parts.iter().filter(|part| !part.is_empty());
        if let (Some(only), None) = (filled.next(), filled.next()) {
            return self.poll_write(cx, only);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Dressed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}
