//! What every answer has: a request id, the security headers, and the form of an error.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use logflux_wire::response::{ErrorResponse, Status};

use super::error::ApiError;
use crate::keys::KeyId;
use crate::random;
use crate::room::Held;

/// The five that every answer bears, and one that keeps answers out of caches.
pub(super) const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000; includeSubDomains"),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request's own name: `req_` and 20 letters or digits.
#[derive(Clone, Debug)]
pub(super) struct RequestId(String);

impl RequestId {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        match random::alphanumerics("req_", 20) {
            Ok(id) => Self(id.to_string()),
            // An id need not be secret, and a request need not fail for it.
            Err(_) => Self(format!("req_{:020}", COUNT.fetch_add(1, Ordering::Relaxed))),
        }
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// The layer around all calls.
pub(super) async fn finish(mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = RequestId::new();
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    // Of the address only the route is logged: a query may hold anything.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;

    let status = response.status();
    let error = response.extensions_mut().remove::<ApiError>();
    let failed = status.is_client_error() || status.is_server_error();
    let error = error.or_else(|| failed.then(|| ApiError::of_status(status)));
    tracing::debug!(
        request_id = id.0,
        %method,
        route = route.as_ref().map_or("none", MatchedPath::as_str),
        status = status.as_u16(),
        code = error.as_ref().map(|error| error.code().as_str()),
        elapsed_us = began.elapsed().as_micros(),
        "answered"
    );
    if let Some(error) = error {
        write_error(&mut response, error, &id);
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(X_REQUEST_ID, id);
    }
    response
}

fn write_error(response: &mut Response, error: ApiError, id: &RequestId) {
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    let body =
        ErrorResponse { status: Status::Error, error: error.into_body(), request_id: id.0.clone() };
    *response.body_mut() = Body::from(serde_json::to_vec(&body).unwrap_or_default());
}

/// A JSON answer with status 200.
pub(super) fn json(body: Vec<u8>) -> Response {
    typed("application/json", body)
}

/// An answer of some media type with status 200.
pub(super) fn typed(media_type: &'static str, body: Vec<u8>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    (headers, body).into_response()
}

/// As [`typed`], with a body that holds its room until it is written.
pub(super) fn held(media_type: &'static str, body: Vec<u8>, held: Held<KeyId>) -> Response {
    let mut response = typed(media_type, Vec::new());
    *response.body_mut() = Body::from(held_bytes(body, held));
    response
}

/// Bytes that hold their room, and no more, for as long as they are there.
pub(super) fn held_bytes(bytes: Vec<u8>, mut held: Held<KeyId>) -> Bytes {
    let room = held.split(bytes.len());
    Bytes::from_owner(HeldBytes { bytes, _room: room })
}

struct HeldBytes {
    bytes: Vec<u8>,
    _room: Held<KeyId>,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
