//! `GET /metrics` and `GET /v1/alerts`, for whoever runs the server: both need the scope `admin`, and
//! tell of all tenants.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use logflux_wire::Timestamp;
use logflux_wire::alert::{AlertKind, AlertsPage, AlertsResponse};
use logflux_wire::query::QueryError;
use logflux_wire::response::{ErrorCode, Status};

use super::answer::{self, RequestId};
use super::error::ApiError;
use super::{App, auth, status};
use crate::keys::Scope;
use crate::monitor::AlertFilter;
use crate::openapi::{EveryError, KeyErrors, ReadErrors};
use crate::sampling;

/// The media type of Prometheus's text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The most alerts of an answer.
const ALERTS_MAX: usize = 1_000;

/// Tell the figures of the server
///
/// In the text format of Prometheus. The key needs the scope `admin`.
#[utoipa::path(
    get,
    path = "/metrics",
    responses(
        (status = 200, description = "The figures.", body = String, content_type = "text/plain"),
        EveryError,
        KeyErrors
    ),
    security(("key" = []))
)]
pub(super) async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    auth::authorize(&app, &headers, Scope::Admin).await?;
    match app.monitor().metrics() {
        Ok(text) => Ok(answer::typed(PROMETHEUS, text.into_bytes())),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            Err(failed())
        }
    }
}

/// List the alerts of the server
///
/// Those of all tenants, the newest first. The key needs the scope `admin`.
#[utoipa::path(
    get,
    path = "/v1/alerts",
    params(
        ("kind" = Option<AlertKind>, Query, description = "What they are about."),
        ("since" = Option<String>, Query, description = "The earliest time, itself included.", format = "date-time"),
        ("limit" = Option<u16>, Query, description = "How many alerts at most; 100 by default.", minimum = 1, maximum = 1_000),
    ),
    responses((status = 200, description = "The alerts.", body = AlertsResponse), ReadErrors),
    security(("key" = []))
)]
pub(super) async fn alerts(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    auth::authorize(&app, &headers, Scope::Admin).await?;
    let filter = read_filter(query.as_deref().unwrap_or_default())?;
    let kept = Arc::clone(app.monitor().alerts());
    let listed = tokio::task::spawn_blocking(move || kept.list(&filter)).await;
    let alerts = match listed {
        Ok(Ok(list)) => {
            tell_damaged(&list.damaged);
            list.alerts
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the alerts cannot be read");
            return Err(failed());
        }
        Err(_) => return Err(ApiError::overloaded("the server is stopping; try again")),
    };
    let response = AlertsResponse {
        status: Status::Success,
        request_id: id.into_string(),
        data: AlertsPage { alerts },
    };
    status::to_json(&response).map(answer::json)
}

fn tell_damaged(damaged: &[i64]) {
    if let Some(alert) = damaged.first()
        && let Some(missed) = sampling::passes("alerts_damaged")
    {
        let count = damaged.len();
        tracing::error!(alert, count, missed, "alerts are damaged, and are not listed");
    }
}

fn failed() -> ApiError {
    ApiError::new(ErrorCode::Internal, "the server failed")
}

fn read_filter(query: &str) -> Result<AlertFilter, ApiError> {
    let mut filter = AlertFilter::default();
    let mut seen = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let bad = |name, reason: String| QueryError::Value { name, reason };
        let known = match &*name {
            "kind" => {
                let kind = value.parse().map_err(|e| bad("kind", format!("{e}")))?;
                filter.kind = Some(kind);
                "kind"
            }
            "since" => {
                let since: Timestamp = value.parse().map_err(|e| bad("since", format!("{e}")))?;
                filter.since = Some(
                    since.unix_seconds().saturating_mul(1_000)
                        + i64::from(since.nanoseconds() / 1_000_000),
                );
                "since"
            }
            "limit" => {
                filter.limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=ALERTS_MAX).contains(limit))
                    .ok_or_else(|| bad("limit", format!("it must be 1 to {ALERTS_MAX}")))?;
                "limit"
            }
            _ => {
                let message = "a parameter is unknown; there are kind, since and limit";
                return Err(ApiError::new(ErrorCode::InvalidQuery, message));
            }
        };
        if seen.contains(&known) {
            return Err(bad(known, "it stands twice".to_owned()).into());
        }
        seen.push(known);
    }
    Ok(filter)
}
