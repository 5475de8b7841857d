//! The listener: connections, TLS, HTTP/1.1, and the bounds on all of them.

mod connections;
mod dressed;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};

use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use connections::BoundedAcceptor;
use dressed::DressingAcceptor;

use crate::api::{self, App};

/// The most bytes of a request's head. A longer one is refused by the HTTP layer.
const HEAD_MAX: usize = 64 << 10;

/// Serves until `shutdown` is done; then takes no more connections, answers the requests that have
/// begun, and waits for them at most [`Timeouts::shutdown`].
pub(crate) async fn serve(
    listener: TcpListener,
    tls: RustlsConfig,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let timeouts = app.config().timeouts;
    let acceptor = RustlsAcceptor::new(tls)
        .handshake_timeout(timeouts.handshake)
        .acceptor(BoundedAcceptor::new(app.clone()));
    let handle = Handle::<SocketAddr>::new();
    let mut server: Server<SocketAddr, _> = axum_server::from_tcp(listener)?
        .acceptor(DressingAcceptor { inner: acceptor, app: app.clone() })
        .handle(handle.clone())
        .first_request_timeout(timeouts.header)
        .accept_error_handler(|peer, error| {
            tracing::debug!(peer = ?peer, %error, "a connection was not accepted");
        })
        .http1_only();
    server.http_builder().http1().header_read_timeout(timeouts.header).max_buf_size(HEAD_MAX);
    let router = api::router(app.clone());
    let serving = server.serve(router.into_make_service_with_connect_info::<SocketAddr>());
    tokio::pin!(serving, shutdown);
    tokio::select! {
        result = &mut serving => return result,
        () = &mut shutdown => handle.graceful_shutdown(Some(app.config().timeouts.shutdown)),
    }
    serving.await
}
