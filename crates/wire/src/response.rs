//! What the ingest API answers (PROTOCOL 7).

use serde::{Deserialize, Serialize};

/// An error code of the API, with its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The body is not JSON.
    InvalidJson,
    /// An entry breaks a rule; the message names the field.
    InvalidEntry,
    /// An entry has a field that no entry has.
    UnknownField,
    /// A payload is plain text.
    PlaintextPayload,
    /// The mode does not exist, or this server does not take it.
    UnsupportedMode,
    /// The same salt and iv came before with another payload.
    NonceReused,
    /// There is no key, or no such key.
    Unauthorized,
    /// The key was revoked or has expired.
    KeyRevoked,
    /// The key has not the scope.
    Forbidden,
    /// There is no such path.
    NotFound,
    /// The path has no such method.
    MethodNotAllowed,
    /// A payload, or the whole body, is too large.
    PayloadTooLarge,
    /// There are too many entries.
    BatchTooLarge,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// A query parameter breaks a rule; the message names it.
    InvalidQuery,
    /// The request is not well-formed HTTP, or its body broke off.
    InvalidRequest,
    /// Too many requests in the window.
    RateLimited,
    /// The server can take no more just now.
    Overloaded,
    /// The server's disk is full.
    StorageFull,
    /// The server failed; the entry was not stored.
    Internal,
}

impl ErrorCode {
    /// The code as it travels, such as `invalid_entry`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidEntry => "invalid_entry",
            Self::UnknownField => "unknown_field",
            Self::PlaintextPayload => "plaintext_payload",
            Self::UnsupportedMode => "unsupported_mode",
            Self::NonceReused => "nonce_reused",
            Self::Unauthorized => "unauthorized",
            Self::KeyRevoked => "key_revoked",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::BatchTooLarge => "batch_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::InvalidQuery => "invalid_query",
            Self::InvalidRequest => "invalid_request",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::StorageFull => "storage_full",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidJson
            | Self::InvalidEntry
            | Self::UnknownField
            | Self::PlaintextPayload
            | Self::UnsupportedMode
            | Self::NonceReused
            | Self::InvalidQuery
            | Self::InvalidRequest => 400,
            Self::Unauthorized | Self::KeyRevoked => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::PayloadTooLarge | Self::BatchTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Overloaded => 503,
            Self::StorageFull => 507,
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a request did all, some or none of what it asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All of it.
    Success,
    /// Some of a batch; `failures` names the others.
    Partial,
    /// None of it.
    Error,
}

/// The answer to `POST /v1/ingest` and `/v1/batch` when at least one entry is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestResponse {
    /// `success`, or `partial` where some entries of a batch were refused.
    pub status: Status,
    /// A sentence for people.
    pub message: String,
    /// The request's own name, `req_…`.
    pub request_id: String,
    /// The counts.
    pub data: IngestCounts,
    /// The entries that were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

/// How many entries of a request were stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestCounts {
    /// How many came.
    pub total: usize,
    /// How many are durable now, duplicates included.
    pub succeeded: usize,
    /// How many were refused.
    pub failed: usize,
    /// How many were durable before: the same entry, sent again.
    pub duplicates: usize,
}

/// An entry of a batch that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Why.
    pub code: ErrorCode,
    /// Why, in a sentence that names the field.
    pub message: String,
}

/// The answer to a request that did nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorResponse {
    /// Always `error`.
    pub status: Status,
    /// What is wrong.
    pub error: ErrorBody,
    /// The request's own name, `req_…`.
    pub request_id: String,
}

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The code, for programs.
    pub code: ErrorCode,
    /// A sentence for people.
    pub message: String,
    /// More for programs, where there is more: the field, or the failures of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
    /// How many seconds to wait before trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// The answer to `GET /version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionResponse {
    /// The newest version of the API that this server speaks: `v1`.
    pub api_version: String,
    /// The service's name: `logflux-ingestor`.
    pub service: String,
    /// Every version of the API that this server speaks.
    pub supported_versions: Vec<String>,
    /// Those of them that will go.
    pub deprecated_versions: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_as_it_is_named() {
        for code in [
            ErrorCode::InvalidJson,
            ErrorCode::UnsupportedMediaType,
            ErrorCode::StorageFull,
            ErrorCode::NonceReused,
            ErrorCode::InvalidRequest,
        ] {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
        }
    }

    #[test]
    fn a_success_has_the_shape_of_the_protocol() {
        let data = IngestCounts { total: 2, succeeded: 2, failed: 0, duplicates: 1 };
        let response = IngestResponse {
            status: Status::Success,
            message: "2 entries stored".to_owned(),
            request_id: "req_1".to_owned(),
            data,
            failures: Vec::new(),
        };
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            concat!(
                r#"{"status":"success","message":"2 entries stored","request_id":"req_1","#,
                r#""data":{"total":2,"succeeded":2,"failed":0,"duplicates":1}}"#
            )
        );
    }
}
