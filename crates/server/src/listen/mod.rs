//! The listener: TLS, HTTP/1.1, and the time limits on both.

mod dressed;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use dressed::DressingAcceptor;

use crate::config::Timeouts;

/// The most bytes of a request's head. A longer one is refused by the HTTP layer.
const HEAD_MAX: usize = 64 << 10;

/// Serves until `shutdown` is done; then takes no more connections, answers the requests that have
/// begun, and waits for them at most [`Timeouts::shutdown`].
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    router: Router,
    timeouts: Timeouts,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(tls))
        .handshake_timeout(timeouts.handshake)
        .acceptor(NoDelayAcceptor::new());
    let handle = Handle::<SocketAddr>::new();
    let mut server: Server<SocketAddr, _> = axum_server::from_tcp(listener)?
        .acceptor(DressingAcceptor(acceptor))
        .handle(handle.clone())
        .first_request_timeout(timeouts.header)
        .accept_error_handler(|peer, error| {
            tracing::debug!(peer = ?peer, %error, "a connection was not accepted");
        })
        .http1_only();
    server.http_builder().http1().header_read_timeout(timeouts.header).max_buf_size(HEAD_MAX);
    let serving = server.serve(router.into_make_service_with_connect_info::<SocketAddr>());
    tokio::pin!(serving, shutdown);
    tokio::select! {
        result = &mut serving => return result,
        () = &mut shutdown => handle.graceful_shutdown(Some(timeouts.shutdown)),
    }
    serving.await
}
