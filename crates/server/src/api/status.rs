//! `GET /health` and `GET /version`, which need no key.

use axum::response::Response;
use logflux_wire::response::{ErrorCode, VersionResponse};

use super::answer;
use super::error::ApiError;

/// `GET /health`.
pub(super) async fn health() -> Response {
    answer::typed("text/plain; charset=utf-8", b"OK".to_vec())
}

/// `GET /version`.
pub(super) async fn version() -> Result<Response, ApiError> {
    let version = VersionResponse {
        api_version: "v1".to_owned(),
        service: "logflux-ingestor".to_owned(),
        supported_versions: vec!["v1".to_owned()],
        deprecated_versions: Vec::new(),
    };
    to_json(&version).map(answer::json)
}

/// Writes an answer's body.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value)
        .map_err(|_| ApiError::new(ErrorCode::Internal, "the answer could not be written"))
}
