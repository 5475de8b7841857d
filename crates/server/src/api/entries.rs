//! `GET /v1/entries`: sealed entries go back.

use std::borrow::Cow;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use logflux_wire::query::{NEXT_CURSOR_HEADER, Order, Query, QueryPage, QueryResponse};
use logflux_wire::response::{ErrorCode, Status};

use super::answer::{self, RequestId};
use super::error::ApiError;
use super::{App, auth, status};
use crate::keys::{KeyId, Scope};
use crate::openapi::{LevelParameter, Page as PageSchema, ReadErrors};
use crate::room::Held;
use crate::store::sqlite::json_len;
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
        ("cursor" = Option<String>, Query, description = "Where the page before this one ended.", pattern = "^2[0-9a-f]{40}$"),
    ),
    responses(
        (
            status = 200,
            description = "A page of entries.",
            content((PageSchema = "application/json"), (String = "application/x-ndjson")),
            headers(
                ("X-Next-Cursor" = String, description = "Of NDJSON: where to go on; not there on the last page."),
                ("X-Damaged-Entries" = u64, description = "How many entries were left out, since the store is damaged there; not there where none was.")
            )
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
    // The least of a page: where there is not even room for it, none is read.
    let mut held = app.answers().hold(&key.id, LEAST).ok_or_else(too_many)?;
    let page = app.store().page(key.tenant.clone(), request).await?;
    // The entries, and their JSON beside them until it is written.
    let length = page.entries.iter().map(json_len).sum::<usize>();
    if !held.grow(2 * length) {
        return Err(too_many());
    }
    let mut response = if wants_ndjson(&headers) {
        as_lines(&page, length, held)
    } else {
        as_json(&page, length, id, held)?
    };
    if page.damaged > 0 {
        response.headers_mut().insert(X_DAMAGED, page.damaged.into());
    }
    Ok(response)
}

/// How much a page is taken for before it is read.
const LEAST: usize = 4_096;

/// How many entries were left out, since they cannot be read any more.
const X_DAMAGED: HeaderName = HeaderName::from_static("x-damaged-entries");

pub(super) fn too_many() -> ApiError {
    ApiError::overloaded("too many answers wait for their readers; try again")
}

pub(super) fn read_query(query: &str) -> Result<Query, ApiError> {
    let pairs = pairs(query)?;
    Ok(Query::from_pairs(pairs.iter().map(|(name, value)| (&**name, &**value)))?)
}

/// A parameter of a query string, and its value.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The decoded pairs of a query string.
pub(super) fn pairs(query: &str) -> Result<Vec<Pair<'_>>, ApiError> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    // Bytes that are no UTF-8 were replaced, and would ask for another node than was meant.
    let replaced = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    if pairs.iter().any(|(name, value)| replaced(name) || replaced(value))
        && !query.to_ascii_uppercase().contains("%EF%BF%BD")
    {
        return Err(ApiError::new(ErrorCode::InvalidQuery, "the query is not valid UTF-8"));
    }
    Ok(pairs)
}

/// Whether one of the media types that are accepted is NDJSON. JSON needs no naming.
fn wants_ndjson(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|media_type| media_type.trim().eq_ignore_ascii_case(NDJSON))
}

fn as_lines(page: &Page, length: usize, held: Held<KeyId>) -> Response {
    let mut lines = Vec::with_capacity(length);
    for entry in &page.entries {
        entry.append_json(&mut lines);
        lines.push(b'\n');
    }
    let mut response = answer::held(NDJSON, lines, held);
    if let Some(cursor) = page.next.map(Position::to_cursor)
        && let Ok(cursor) = HeaderValue::from_str(&cursor)
    {
        response.headers_mut().insert(HeaderName::from_static(NEXT_CURSOR_HEADER), cursor);
    }
    response
}

fn as_json(
    page: &Page,
    length: usize,
    id: RequestId,
    held: Held<KeyId>,
) -> Result<Response, ApiError> {
    let empty = QueryResponse {
        status: Status::Success,
        request_id: id.into_string(),
        data: QueryPage { entries: Vec::new(), cursor: page.next.map(Position::to_cursor) },
    };
    // The entries are written where they belong, without a second copy of each.
    let around = status::to_json(&empty)?;
    let place = around.windows(OPEN.len()).position(|part| part == OPEN);
    let place = place.map(|at| around.split_at(at + OPEN.len()));
    let Some((before, after)) = place else {
        return Err(ApiError::new(ErrorCode::Internal, "the answer could not be written"));
    };
    let mut body = Vec::with_capacity(length + around.len());
    body.extend_from_slice(before);
    for (index, entry) in page.entries.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        entry.append_json(&mut body);
    }
    body.extend_from_slice(after);
    Ok(answer::held("application/json", body, held))
}

/// What stands before the entries.
const OPEN: &[u8] = b"\"entries\":[";
