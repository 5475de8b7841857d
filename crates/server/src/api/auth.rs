//! Who sent a request, and whether they may.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use logflux_wire::response::ErrorCode;
use logflux_wire::{ApiKey, Timestamp};

use super::error::ApiError;
use super::{App, rates, watch};
use crate::keys::{KeyInfo, KeyState, Scope};
use crate::sampling;

/// The key that a request bears, where it is good and has the scope.
pub(super) async fn authorize(
    app: &App,
    headers: &HeaderMap,
    scope: Scope,
) -> Result<Arc<KeyInfo>, ApiError> {
    let Some(key) = bearer(headers) else {
        return Err(ApiError::new(
            ErrorCode::Unauthorized,
            "an API key is needed: `Authorization: Bearer lf_` and 32 letters or digits",
        ));
    };
    let found = app.keys().find(&key).await?;
    watch::bears(&key, found.as_deref());
    let Some(info) = found else {
        if let Some(missed) = sampling::passes("unknown_key") {
            let address = rates::address().map(tracing::field::display);
            tracing::warn!(address, missed, "a request with an unknown API key");
        }
        return Err(ApiError::new(ErrorCode::Unauthorized, "the API key is not known here"));
    };
    let refused = match info.state(Timestamp::now()) {
        KeyState::Active if info.scopes.allow(scope) => {
            watch::key(&info);
            rates::count_key(app, &info)?;
            app.keys().used(&info);
            return Ok(info);
        }
        KeyState::Active => {
            let message = format!("the API key has not the scope {scope}");
            ApiError::new(ErrorCode::Forbidden, message)
        }
        KeyState::Expired => ApiError::new(ErrorCode::KeyRevoked, "the API key has expired"),
        KeyState::Revoked => ApiError::new(ErrorCode::KeyRevoked, "the API key was revoked"),
    };
    if let Some(missed) = sampling::passes("refused_key") {
        let address = rates::address().map(tracing::field::display);
        tracing::warn!(
            key = %info.id, tenant = %info.tenant, code = %refused.code(), address, missed,
            "refused a key"
        );
    }
    Err(refused)
}

/// Whether the key that a request bore is still good.
pub(super) async fn is_good(app: &App, headers: &HeaderMap, scope: Scope) -> bool {
    let Some(key) = bearer(headers) else { return false };
    match app.keys().find(&key).await {
        Ok(Some(info)) => {
            info.state(Timestamp::now()) == KeyState::Active && info.scopes.allow(scope)
        }
        // A key that cannot be looked up may have been revoked.
        Ok(None) | Err(_) => false,
    }
}

/// The one bearer key of the headers; the scheme is read in any case (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<ApiKey> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, key) = values.next()?.to_str().ok()?.split_once(' ')?;
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    key.trim_matches(' ').parse().ok()
}
