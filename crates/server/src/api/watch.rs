//! The layer that tells the monitors of every request and its answer.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use logflux_wire::ApiKey;

use super::App;
use super::error::ApiError;
use crate::keys::KeyInfo;
use crate::limits::Network;
use crate::monitor::{Borne, Event};

/// What is found out about a request while it is answered.
#[derive(Default)]
struct Seen {
    key: Option<Arc<KeyInfo>>,
    borne: Option<Borne>,
    address: Option<IpAddr>,
}

tokio::task_local! {
    static SEEN: RefCell<Seen>;
}

/// The layer.
pub(super) async fn watch(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let seen = RefCell::new(Seen { address: Some(peer.ip()), ..Seen::default() });
    SEEN.scope(seen, async move {
        let response = next.run(request).await;
        let Seen { key, borne, address } = SEEN.with(RefCell::take);
        app.monitor().record(&Event::Answered {
            route: route.as_ref().map(MatchedPath::as_str),
            status: response.status().as_u16(),
            code: response.extensions().get::<ApiError>().map(ApiError::code),
            elapsed: began.elapsed(),
            key: key.as_ref(),
            borne: borne.as_ref(),
            network: address.map(Network::of),
        });
        response
    })
    .await
}

/// The request that is under way bears this key, which is good.
pub(super) fn key(key: &Arc<KeyInfo>) {
    note(|seen| seen.key = Some(Arc::clone(key)));
}

/// The request that is under way bears this key, which is this one where it is known.
pub(super) fn bears(key: &ApiKey, known: Option<&KeyInfo>) {
    note(|seen| {
        seen.borne = Some(match known {
            Some(info) => Borne::Key(info.id.clone(), info.tenant.clone()),
            None => Borne::prefix(key),
        });
    });
}

/// The request that is under way comes from this address, and not from that of its connection.
pub(super) fn address(address: IpAddr) {
    note(|seen| seen.address = Some(address));
}

/// Outside the layer there is nobody to tell.
fn note(write: impl FnOnce(&mut Seen)) {
    let _ = SEEN.try_with(|seen| write(&mut seen.borrow_mut()));
}
