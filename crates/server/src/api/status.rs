//! `GET /health` and `GET /version`, which need no key.

use axum::response::Response;
use logflux_wire::response::{ErrorCode, VersionResponse};

use super::answer;
use super::error::ApiError;
use crate::openapi::EveryError;

/// Say that the server answers
#[utoipa::path(
    get,
    path = "/health",
    responses((status = 200, description = "`OK`", body = String, content_type = "text/plain"), EveryError)
)]
pub(super) async fn health() -> Response {
    answer::typed("text/plain; charset=utf-8", b"OK".to_vec())
}

/// Say which versions of the API there are
#[utoipa::path(
    get,
    path = "/version",
    responses((status = 200, description = "The versions.", body = VersionResponse), EveryError)
)]
pub(super) async fn version() -> Result<Response, ApiError> {
    let version = VersionResponse {
        api_version: "v1".to_owned(),
        service: "logflux-ingestor".to_owned(),
        supported_versions: vec!["v1".to_owned()],
        deprecated_versions: Vec::new(),
    };
    to_json(&version).map(answer::json)
}

/// Describe the API
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses((status = 200, description = "This description.", body = Object), EveryError)
)]
pub(super) async fn openapi() -> Response {
    answer::json(crate::openapi::openapi().as_bytes().to_vec())
}

/// Writes an answer's body.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value)
        .map_err(|_| ApiError::new(ErrorCode::Internal, "the answer could not be written"))
}
