//! `GET /v1/tail`: entries as they arrive, as server-sent events.
//!
//! An event is named `entry`; its `id` is the entry's number in the store, its `data` the sealed entry
//! in canonical JSON. The first event has an `id` alone. Whoever comes back says the last `id` it had in `Last-Event-ID` and misses
//! nothing that is still stored; whoever says none gets what comes from now on. A comment every 15
//! seconds says that the server is there. The stream ends when the key is no longer good, and when
//! the server stops.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use logflux_wire::query::{Query, QueryError};
use logflux_wire::response::ErrorCode;
use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::entries::read_query;
use super::error::ApiError;
use super::{App, auth};
use crate::keys::Scope;
use crate::openapi::{LevelParameter, ReadErrors};
use crate::store::SinceRequest;
use crate::tenant::Tenant;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How often it is looked whether the key is still good.
const KEY_LOOK: Duration = Duration::from_millis(500);

/// Entries that come together are read together; a client sees them this much later.
const TOGETHER: Duration = Duration::from_millis(20);

/// Give sealed entries as they arrive
///
/// As server-sent events, without an end. The first event has an `id` alone; every other one is named
/// `entry`, has its `id`, and as its `data` the entry in JSON on one line. Whoever comes back with the
/// last `id` misses nothing that is still stored. Every 15 seconds without an event there is a comment.
#[utoipa::path(
    get,
    path = "/v1/tail",
    params(
        ("level" = Option<LevelParameter>, Query, description = "The least severe level that is wanted: its number, or its name."),
        ("node" = Option<String>, Query, description = "The sender, exactly.", min_length = 1, max_length = 255, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"),
        ("Last-Event-ID" = Option<i64>, Header, description = "The last `id` that arrived: go on after it. Without it: what comes from now on.", nullable = false, minimum = 0),
    ),
    responses(
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream"),
        ReadErrors
    ),
    security(("key" = []))
)]
pub(super) async fn tail(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let key = auth::authorize(&app, &headers, Scope::Read).await?;
    let query = read_query(query.as_deref().unwrap_or_default())?;
    let Query { level, node, .. } = query.clone();
    if query != (Query { level, node: node.clone(), ..Query::default() }) {
        let message = "a tail is filtered by level and node alone";
        return Err(ApiError::new(ErrorCode::InvalidQuery, message));
    }
    let permit = app.take_tail().ok_or_else(|| {
        ApiError::overloaded("too many clients wait for entries already; try again")
    })?;
    let newest = app.store().newest();
    let now = *newest.borrow();
    let after = match headers.get(LAST_EVENT_ID) {
        None => now,
        // A number that is yet to come was given by a store that is no longer this one.
        Some(id) => read_id(id.to_str().unwrap_or_default())?.min(now),
    };
    let tail = Tail {
        stopping: app.stopping(),
        request: SinceRequest { level, node, ..SinceRequest::new(after) },
        tenant: key.tenant.clone(),
        newest,
        headers,
        looked: Instant::now(),
        waiting: Waiting::new(app.monitor().tails().clone(), permit),
        app,
    };
    // Said before the first entry, so that nothing is missed where the connection breaks before it.
    let begin = vec![Event::default().id(after.to_string())];
    let events = stream::unfold((tail, begin.into_iter()), |(mut tail, mut ready)| async move {
        loop {
            if let Some(event) = ready.next() {
                return Some((Ok::<_, Infallible>(event), (tail, ready)));
            }
            ready = tail.next().await?.into_iter();
        }
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)));
    Ok(sse.into_response())
}

fn read_id(id: &str) -> Result<i64, ApiError> {
    let number = id.bytes().all(|b| b.is_ascii_digit()).then(|| id.parse().ok()).flatten();
    number.ok_or_else(|| {
        let reason = "it is none that this server has given out".to_owned();
        QueryError::Value { name: "Last-Event-ID", reason }.into()
    })
}

/// One client that waits.
struct Tail {
    app: App,
    stopping: watch::Receiver<bool>,
    newest: watch::Receiver<i64>,
    tenant: Tenant,
    request: SinceRequest,
    headers: HeaderMap,
    /// When the key was last looked at.
    looked: Instant,
    #[allow(dead_code)] // It counts until it is dropped.
    waiting: Waiting,
}

impl Tail {
    /// The next events; none where the stream ends.
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            if *self.stopping.borrow() || !self.may_go_on().await {
                return None;
            }
            if *self.newest.borrow_and_update() > self.request.after {
                let since = self.app.store().since(self.tenant.clone(), self.request.clone());
                let since = match since.await {
                    Ok(since) => since,
                    Err(error) => {
                        // The client comes back, and goes on where it was.
                        tracing::error!(%error, "a tail ends");
                        return None;
                    }
                };
                self.request.after = since.upto;
                if !since.entries.is_empty() {
                    let event = |(id, entry): &(i64, logflux_wire::Entry)| {
                        let data = entry.to_json();
                        Event::default().event("entry").id(id.to_string()).data(data)
                    };
                    return Some(since.entries.iter().map(event).collect());
                }
                continue;
            }
            tokio::select! {
                changed = self.newest.changed() => {
                    changed.ok()?;
                    tokio::time::sleep(TOGETHER).await;
                }
                _ = self.stopping.changed() => return None,
                () = tokio::time::sleep(KEY_LOOK) => {}
            }
        }
    }

    async fn may_go_on(&mut self) -> bool {
        if self.looked.elapsed() < KEY_LOOK {
            return true;
        }
        self.looked = Instant::now();
        auth::is_good(&self.app, &self.headers, Scope::Read).await
    }
}

/// Is counted while it lives.
struct Waiting {
    gauge: IntGauge,
    #[allow(dead_code)] // It is given back when this is dropped.
    permit: OwnedSemaphorePermit,
}

impl Waiting {
    fn new(gauge: IntGauge, permit: OwnedSemaphorePermit) -> Self {
        gauge.inc();
        Self { gauge, permit }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}
