//! `GET /v1/entries`: sealed entries go back.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use logflux_wire::query::{NEXT_CURSOR_HEADER, Order, Query, QueryPage, QueryResponse};
use logflux_wire::response::{ErrorCode, Status};
use serde_json::value::RawValue;

use super::answer::{self, RequestId};
use super::error::ApiError;
use super::{App, auth, status};
use crate::keys::Scope;
use crate::openapi::{LevelParameter, Page as PageSchema, ReadErrors};
use crate::store::{Page, PageRequest, Position};

/// The media type of an entry a line.
const NDJSON: &str = "application/x-ndjson";

/// Give sealed entries back
///
/// In the order of their timestamps. As NDJSON (`Accept: application/x-ndjson`) it is an entry a
/// line, and the cursor is in the header `X-Next-Cursor`.
#[utoipa::path(
    get,
    path = "/v1/entries",
    params(
        ("from" = Option<String>, Query, description = "The earliest timestamp, itself included.", format = "date-time"),
        ("to" = Option<String>, Query, description = "The latest timestamp, itself not included.", format = "date-time"),
        ("level" = Option<LevelParameter>, Query, description = "The least severe level that is wanted: its number, or its name."),
        ("node" = Option<String>, Query, description = "The sender, exactly.", min_length = 1, max_length = 255, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"),
        ("limit" = Option<u16>, Query, description = "How many entries at most; 100 by default.", minimum = 1, maximum = 1_000),
        ("order" = Option<Order>, Query, description = "Which end of the time comes first; by default `desc`."),
        ("cursor" = Option<String>, Query, description = "Where the page before this one ended.", pattern = "^1[0-9a-f]{40}$"),
    ),
    responses(
        (
            status = 200,
            description = "A page of entries.",
            content((PageSchema = "application/json"), (String = "application/x-ndjson")),
            headers(("X-Next-Cursor" = String, description = "Of NDJSON: where to go on; not there on the last page."))
        ),
        ReadErrors
    ),
    security(("key" = []))
)]
pub(super) async fn entries(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let key = auth::authorize(&app, &headers, Scope::Read).await?;
    let query = read_query(query.as_deref().unwrap_or_default())?;
    let request = PageRequest::new(query, app.config().limits.page)?;
    let page = app.store().page(key.tenant.clone(), request).await?;
    if wants_ndjson(&headers) { as_lines(&page) } else { as_json(&page, id) }
}

pub(super) fn read_query(query: &str) -> Result<Query, ApiError> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    // Bytes that are no UTF-8 were replaced, and would ask for another node than was meant.
    let replaced = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    if pairs.iter().any(|(name, value)| replaced(name) || replaced(value))
        && !query.to_ascii_uppercase().contains("%EF%BF%BD")
    {
        return Err(ApiError::new(ErrorCode::InvalidQuery, "the query is not valid UTF-8"));
    }
    Ok(Query::from_pairs(pairs.iter().map(|(name, value)| (&**name, &**value)))?)
}

/// Whether one of the media types that are accepted is NDJSON. JSON needs no naming.
fn wants_ndjson(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|media_type| media_type.trim().eq_ignore_ascii_case(NDJSON))
}

fn as_lines(page: &Page) -> Result<Response, ApiError> {
    let mut lines = Vec::new();
    for entry in &page.entries {
        entry.append_json(&mut lines);
        lines.push(b'\n');
    }
    let mut response = answer::typed(NDJSON, lines);
    if let Some(cursor) = page.next.map(Position::to_cursor)
        && let Ok(cursor) = HeaderValue::from_str(&cursor)
    {
        response.headers_mut().insert(HeaderName::from_static(NEXT_CURSOR_HEADER), cursor);
    }
    Ok(response)
}

fn as_json(page: &Page, id: RequestId) -> Result<Response, ApiError> {
    let texts: Vec<String> = page.entries.iter().map(logflux_wire::Entry::to_json).collect();
    let entries = texts
        .iter()
        .map(|text| serde_json::from_str::<&RawValue>(text))
        .collect::<Result<_, _>>()
        .map_err(|_| ApiError::new(ErrorCode::Internal, "the answer could not be written"))?;
    let response = QueryResponse {
        status: Status::Success,
        request_id: id.into_string(),
        data: QueryPage { entries, cursor: page.next.map(Position::to_cursor) },
    };
    status::to_json(&response).map(answer::json)
}
