//! `GET /v1/nodes` and `GET /v1/counts`: what there is, without reading it.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use logflux_wire::counts::{CountsQuery, CountsResponse};
use logflux_wire::nodes::{NodesPage, NodesQuery, NodesResponse};
use logflux_wire::query::QueryError;
use logflux_wire::response::Status;

use super::answer::{self, RequestId};
use super::error::ApiError;
use super::{App, auth, entries, status};
use crate::keys::Scope;
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
    let key = auth::authorize(&app, &headers, Scope::Read).await?;
    let query = read(query, |pairs| NodesQuery::from_pairs(pairs.iter().copied()))?;
    let page = app.store().nodes(key.tenant.clone(), NodesRequest::new(&query)?).await?;
    let cursor = page.cursor();
    let length = page.nodes.iter().map(|node| AROUND + node.node.len()).sum();
    let response = NodesResponse {
        status: Status::Success,
        request_id: id.into_string(),
        data: NodesPage { nodes: page.nodes, cursor },
    };
    let held = app.answers().hold(&key.id, length).ok_or_else(entries::too_many)?;
    Ok(answer::held("application/json", status::to_json(&response)?, held))
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
        ("step" = Option<String>, Query, description = "How long a bucket lasts, in whole seconds up to 366 days; 60s by default. There are at most 11,000 steps, and 100,000 buckets.", pattern = "^[1-9][0-9]{0,4}[smh]?$"),
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
    let key = auth::authorize(&app, &headers, Scope::Read).await?;
    let query = read(query, |pairs| CountsQuery::from_pairs(pairs.iter().copied()))?;
    let counts = app.store().counts(key.tenant.clone(), query).await?;
    let name = |node: &Option<String>| node.as_ref().map_or(0, String::len);
    let length = counts.buckets.iter().map(|bucket| AROUND + name(&bucket.node)).sum();
    let held = app.answers().hold(&key.id, length).ok_or_else(entries::too_many)?;
    let response =
        CountsResponse { status: Status::Success, request_id: id.into_string(), data: counts };
    Ok(answer::held("application/json", status::to_json(&response)?, held))
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

fn read<T>(
    query: Option<String>,
    read: impl FnOnce(&[(&str, &str)]) -> Result<T, QueryError>,
) -> Result<T, ApiError> {
    let query = query.unwrap_or_default();
    let pairs = entries::pairs(&query)?;
    let borrowed: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    Ok(read(&borrowed)?)
}
