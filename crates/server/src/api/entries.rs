//! `GET /v1/entries`: sealed entries go back.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use logflux_wire::query::{NEXT_CURSOR_HEADER, Order, Query, QueryPage, QueryResponse};
use logflux_wire::response::{ErrorCode, Status};

use super::answer::{self, RequestId};
use super::error::ApiError;
use super::reading::{self, Reading};
use super::{App, status};
use crate::keys::KeyId;
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
    let reading = Reading::begin(&app, &headers).await?;
    let query = reading::query(query.as_deref(), |pairs| Query::from_pairs(pairs))?;
    let request = PageRequest::new(query, app.config().limits.page)?;
    let page = app.store().page(reading.tenant.clone(), request).await?;
    let length = page.entries.iter().map(json_len).sum::<usize>();
    let held = reading.hold(length)?;
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

/// How many entries were left out, since they cannot be read any more.
const X_DAMAGED: HeaderName = HeaderName::from_static("x-damaged-entries");

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
