//! The errors of the calls, by status.

#![allow(dead_code)] // These types are only described.

use logflux_wire::response::ErrorResponse;
use utoipa::IntoResponses;

/// What any request may be answered.
#[derive(IntoResponses)]
pub(crate) enum EveryError {
    /// `invalid_request`: the request is not well-formed HTTP.
    #[response(status = 400)]
    Invalid(ErrorResponse),
    /// `rate_limited`: too many requests of the key or the address in this minute.
    #[response(status = 429)]
    RateLimited(ErrorResponse),
    /// `internal`: the server failed.
    #[response(status = 500)]
    Internal(ErrorResponse),
    /// `overloaded`: the server has too much to do, or is stopping.
    #[response(status = 503)]
    Overloaded(ErrorResponse),
}

/// What else a request that needs a key may be answered.
#[derive(IntoResponses)]
pub(crate) enum KeyErrors {
    /// `unauthorized`, `key_revoked`: there is no key, or none that is good.
    #[response(status = 401)]
    Unauthorized(ErrorResponse),
    /// `forbidden`: the key has not the scope.
    #[response(status = 403)]
    Forbidden(ErrorResponse),
}

/// What a request with a query may be answered.
#[derive(IntoResponses)]
pub(crate) enum ReadErrors {
    /// `invalid_query`: a parameter is unknown or breaks its rule. `invalid_request`: the request is
    /// not well-formed HTTP.
    #[response(status = 400)]
    Invalid(ErrorResponse),
    /// `unauthorized`, `key_revoked`: there is no key, or none that is good.
    #[response(status = 401)]
    Unauthorized(ErrorResponse),
    /// `forbidden`: the key has not the scope.
    #[response(status = 403)]
    Forbidden(ErrorResponse),
    /// `rate_limited`: too many requests of the key or the address in this minute.
    #[response(status = 429)]
    RateLimited(ErrorResponse),
    /// `internal`: the server failed.
    #[response(status = 500)]
    Internal(ErrorResponse),
    /// `overloaded`: the server has too much to do, or is stopping.
    #[response(status = 503)]
    Overloaded(ErrorResponse),
}

/// What a request with entries may be answered. Of none of its entries anything was stored.
#[derive(IntoResponses)]
pub(crate) enum SendErrors {
    /// `invalid_json`, `invalid_entry`, `unknown_field`, `plaintext_payload`, `unsupported_mode`,
    /// `nonce_reused`, `invalid_request`. Of a batch in which nothing is good it is the first one's
    /// code, and `details` has all `failures`.
    #[response(status = 400)]
    Invalid(ErrorResponse),
    /// `unauthorized`, `key_revoked`: there is no key, or none that is good.
    #[response(status = 401)]
    Unauthorized(ErrorResponse),
    /// `forbidden`: the key has not the scope `ingest`.
    #[response(status = 403)]
    Forbidden(ErrorResponse),
    /// `payload_too_large`, `batch_too_large`: split it.
    #[response(status = 413)]
    TooLarge(ErrorResponse),
    /// `unsupported_media_type`: the body is not `application/json`, or its encoding is not gzip.
    #[response(status = 415)]
    UnsupportedMediaType(ErrorResponse),
    /// `rate_limited`: too many requests of the key or the address in this minute.
    #[response(status = 429)]
    RateLimited(ErrorResponse),
    /// `internal`: the server failed.
    #[response(status = 500)]
    Internal(ErrorResponse),
    /// `overloaded`: the server has too much to do, or is stopping.
    #[response(status = 503)]
    Overloaded(ErrorResponse),
    /// `storage_full`: the server's disk is full.
    #[response(status = 507)]
    StorageFull(ErrorResponse),
}
