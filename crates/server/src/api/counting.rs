//! `GET /v1/nodes` and `GET /v1/counts`: what there is, without reading it.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use logflux_wire::counts::{CountsQuery, CountsResponse};
use logflux_wire::nodes::{NodesPage, NodesQuery, NodesResponse};
use logflux_wire::response::Status;

use super::App;
use super::answer::RequestId;
use super::error::ApiError;
use super::reading::{self, Reading};
use crate::openapi::{LevelParameter, ReadErrors};
use crate::store::NodesRequest;

/// List the nodes that have sent entries
///
/// With how many entries of each are stored, and the first and the last timestamp among them.
#[utoipa::path(
    get,
    path = "/v1/nodes",
    params(
        ("from" = Option<String>, Query, description = "The earliest timestamp, itself included.", format = "date-time"),
        ("to" = Option<String>, Query, description = "The latest timestamp, itself not included.", format = "date-time"),
        ("cursor" = Option<String>, Query, description = "Where the page before this one ended.", pattern = "^1(?:[0-9a-f]{2}){1,1020}$"),
    ),
    responses((status = 200, description = "A page of nodes.", body = NodesResponse), ReadErrors),
    security(("key" = []))
)]
pub(super) async fn nodes(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let reading = Reading::begin(&app, &headers).await?;
    let query = reading::query(query.as_deref(), |pairs| NodesQuery::from_pairs(pairs))?;
    let page = app.store().nodes(reading.tenant.clone(), NodesRequest::new(&query)?).await?;
    let cursor = page.cursor();
    let length = page.nodes.iter().map(|node| AROUND + node.node.len()).sum();
    let response = NodesResponse {
        status: Status::Success,
        request_id: id.into_string(),
        data: NodesPage { nodes: page.nodes, cursor },
    };
    reading.answer(length, &response)
}

/// Count the entries by time
///
/// How many there are, and the bytes of their payloads, in steps of time; by level, by node, or by
/// both.
#[utoipa::path(
    get,
    path = "/v1/counts",
    params(
        ("from" = Option<String>, Query, description = "The earliest timestamp, itself included; by default the day of the first entry.", format = "date-time"),
        ("to" = Option<String>, Query, description = "The latest timestamp, itself not included; by default the end of the day of the last entry.", format = "date-time"),
        ("step" = Option<String>, Query, description = "How long a bucket lasts: a whole number and s, m, h or d, up to 366d; 60s by default. There are at most 11,000 steps, and 100,000 buckets.", pattern = "^[1-9][0-9]{0,7}[smhd]?$"),
        ("by" = Option<CountedApart>, Query, description = "What is counted apart; by default nothing."),
        ("level" = Option<LevelParameter>, Query, description = "The least severe level that is counted: its number, or its name."),
        ("node" = Option<String>, Query, description = "The sender, exactly.", min_length = 1, max_length = 255, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"),
    ),
    responses((status = 200, description = "The counts.", body = CountsResponse), ReadErrors),
    security(("key" = []))
)]
pub(super) async fn counts(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let reading = Reading::begin(&app, &headers).await?;
    let query = reading::query(query.as_deref(), |pairs| CountsQuery::from_pairs(pairs))?;
    let counts = app.store().counts(reading.tenant.clone(), query).await?;
    let name = |node: &Option<String>| node.as_ref().map_or(0, String::len);
    let length = counts.buckets.iter().map(|bucket| AROUND + name(&bucket.node)).sum();
    let response =
        CountsResponse { status: Status::Success, request_id: id.into_string(), data: counts };
    reading.answer(length, &response)
}

/// About how long a node or a bucket is in JSON, but for a name.
const AROUND: usize = 120;

/// What may be counted apart.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // It is only described.
enum CountedApart {
    #[schema(rename = "level")]
    Level,
    #[schema(rename = "node")]
    Node,
    #[schema(rename = "level,node")]
    LevelAndNode,
}
