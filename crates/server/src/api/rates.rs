//! The limits on requests: counted here for the address, in [`auth`](super::auth) for the key.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use logflux_wire::response::ErrorCode;

use super::error::ApiError;
use super::{App, body, watch};
use crate::keys::KeyInfo;
use crate::limits::{self, Network, Quota};
use crate::monitor::{Event, Whose};
use crate::sampling;

const X_RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RATELIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

tokio::task_local! {
    /// Where the request under way comes from.
    static ADDRESS: IpAddr;
    /// The tighter of the quotas that it was counted in.
    static TIGHTER: Cell<Option<Quota>>;
}

/// Where the request under way comes from. There is one for whatever a call does itself.
pub(super) fn address() -> Option<IpAddr> {
    ADDRESS.try_with(|address| *address).ok()
}

/// The layer that counts requests by address and gives every answer its `X-RateLimit-…` headers.
pub(super) async fn limit(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let config = app.config();
    let address = limits::client(peer.ip(), request.headers(), &config.rates.trusted_proxies);
    let quota = app.limiter().address(address, &config.rates);
    watch::address(address);
    if let Some(quota) = quota {
        app.monitor().record(&counted(Whose::Address(Network::of(address)), &quota));
    }
    let answer = async move {
        let mut response = match check(quota, "address") {
            Ok(()) => next.run(request).await,
            Err(refusal) => {
                if let Some(missed) = sampling::passes("address_limited") {
                    tracing::warn!(%address, missed, "an address has used up its requests");
                }
                body::drain(request).await;
                refusal.into_response()
            }
        };
        if let Some(quota) = TIGHTER.with(Cell::get) {
            for (name, value) in headers(&quota) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    };
    ADDRESS.scope(address, TIGHTER.scope(Cell::new(quota), answer)).await
}

/// Counts a request of a key.
pub(super) fn count_key(app: &App, key: &KeyInfo) -> Result<(), ApiError> {
    let quota = app.limiter().key(&key.id, &app.config().rates);
    if let Some(quota) = quota {
        app.monitor().record(&counted(Whose::Key(key), &quota));
    }
    // Outside the layer there is nobody to tell.
    let _ = TIGHTER.try_with(|tighter| {
        tighter.set(match (tighter.get(), quota) {
            (Some(one), Some(other)) => Some(one.tighter(other)),
            (one, other) => one.or(other),
        });
    });
    let checked = check(quota, "key");
    if checked.is_err()
        && let Some(missed) = sampling::passes("key_limited")
    {
        tracing::warn!(
            key = %key.id, tenant = %key.tenant, missed, "a key has used up its requests"
        );
    }
    checked
}

/// What the monitors are told of a request that was counted.
fn counted<'a>(whose: Whose<'a>, quota: &Quota) -> Event<'a> {
    let limit = u64::from(quota.limit);
    let used = limit - u64::from(quota.remaining).min(limit) + u64::from(!quota.within);
    Event::Counted { whose, used, limit }
}

fn check(quota: Option<Quota>, whose: &str) -> Result<(), ApiError> {
    let Some(quota) = quota.filter(|quota| !quota.within) else { return Ok(()) };
    let (limit, wait) = (quota.limit, quota.retry_after());
    let message =
        format!("this {whose} has sent its {limit} requests of this minute: wait {wait} s");
    Err(ApiError::new(ErrorCode::RateLimited, message).retry_in(wait))
}

/// What an answer says of a quota.
pub(super) fn headers(quota: &Quota) -> [(HeaderName, HeaderValue); 3] {
    [
        (X_RATELIMIT_LIMIT, quota.limit.into()),
        (X_RATELIMIT_REMAINING, quota.remaining.into()),
        (X_RATELIMIT_RESET, quota.reset().into()),
    ]
}
