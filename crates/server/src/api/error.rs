//! An error on its way to the client.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use logflux_wire::EntryError;
use logflux_wire::query::QueryError;
use logflux_wire::request::BodyError;
use logflux_wire::response::{ErrorBody, ErrorCode};
use serde_json::{Value, json};

use crate::keys::KeysError;
use crate::sampling;
use crate::store::StoreError;

/// An error that a call answers. As a response it is only a status that carries itself along:
/// [`answer::finish`](super::answer::finish) writes its body, since only that knows the request id.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: ErrorCode,
    message: Cow<'static, str>,
    details: Option<Value>,
    retry_after: Option<u64>,
}

impl ApiError {
    pub(super) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let status =
            StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, message: message.into(), details: None, retry_after: None }
    }

    /// Answers another status than the code's own.
    pub(super) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn details(self, details: Value) -> Self {
        Self { details: Some(details), ..self }
    }

    /// The error of a status that something below made by itself.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::UNAUTHORIZED => ErrorCode::Unauthorized,
            StatusCode::FORBIDDEN => ErrorCode::Forbidden,
            StatusCode::NOT_FOUND => ErrorCode::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::PayloadTooLarge,
            StatusCode::TOO_MANY_REQUESTS => ErrorCode::RateLimited,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
            status if status.is_client_error() => ErrorCode::InvalidRequest,
            _ => ErrorCode::Internal,
        };
        let message = status.canonical_reason().unwrap_or("the request failed").to_lowercase();
        Self::new(code, message).status(status)
    }

    pub(super) fn overloaded(message: &'static str) -> Self {
        Self::new(ErrorCode::Overloaded, message).retry_in(1)
    }

    /// After how many seconds it is worth another try.
    pub(super) fn retry_in(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(super) fn code(&self) -> ErrorCode {
        self.code
    }

    pub(super) fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    pub(super) fn into_body(self) -> ErrorBody {
        ErrorBody {
            code: self.code,
            message: self.message.into_owned(),
            details: self.details,
            retry_after: self.retry_after,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            response.headers_mut().insert(header::ACCEPT_ENCODING, super::encoding::ACCEPTED);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<EntryError> for ApiError {
    fn from(error: EntryError) -> Self {
        let answer = Self::new(error.code(), error.to_string());
        match error.field() {
            Some(field) => answer.details(json!({ "field": field.name() })),
            None => answer,
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let answer = Self::new(ErrorCode::InvalidQuery, error.to_string());
        match error {
            QueryError::Value { name, .. } => answer.details(json!({ "parameter": name })),
            _ => answer,
        }
    }
}

/// What the store says of itself stays in the log: a client can do nothing with it.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::new(ErrorCode::StorageFull, "the server's disk is full"),
            StoreError::Busy => Self::overloaded("the server has too much to do; try again"),
            StoreError::TooWide(reason) => Self::new(ErrorCode::InvalidQuery, reason),
            StoreError::Closed => Self::overloaded("the server is stopping; try again"),
            error => {
                if let Some(missed) = sampling::passes("store_fails") {
                    tracing::error!(%error, missed, "the store fails");
                }
                Self::new(ErrorCode::Internal, "the server failed")
            }
        }
    }
}

impl From<KeysError> for ApiError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Stopping => Self::overloaded("the server is stopping; try again"),
            error => {
                if let Some(missed) = sampling::passes("no_keys") {
                    tracing::error!(%error, missed, "a request is refused, since keys cannot be read");
                }
                Self::new(ErrorCode::Internal, "the server failed")
            }
        }
    }
}
