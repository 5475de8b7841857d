//! `GET /metrics` and `GET /v1/alerts`, for whoever runs the server: both need the scope `admin`, and
//! tell of all tenants.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use logflux_wire::Timestamp;
use logflux_wire::alert::{AlertKind, AlertsPage, AlertsResponse};
use logflux_wire::pairs;
use logflux_wire::query::QueryError;
use logflux_wire::response::{ErrorCode, Status};

use super::answer::{self, RequestId};
use super::error::ApiError;
use super::{App, auth, reading, status};
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
    let filter = reading::query(query.as_deref(), |pairs| read_filter(pairs))?;
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

fn read_filter<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<AlertFilter, QueryError> {
    let mut filter = AlertFilter::default();
    pairs::read(pairs, &["kind", "since", "limit"], |name, value| {
        match name {
            "kind" => filter.kind = Some(pairs::value(name, value)?),
            "since" => {
                let since: Timestamp = pairs::value(name, value)?;
                filter.since = Some(
                    since.unix_seconds().saturating_mul(1_000)
                        + i64::from(since.nanoseconds() / 1_000_000),
                );
            }
            _ => filter.limit = pairs::within(name, value, 1..=ALERTS_MAX)?,
        }
        Ok(())
    })?;
    Ok(filter)
}
