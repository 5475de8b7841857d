//! `GET /v1/tail`: entries as they arrive, as server-sent events.
//!
//! An event is named `entry`; its `data` is the sealed entry in canonical JSON, its `id` says which
//! store it is in and which of its tenant's entries it is. The first event has an `id` alone. Whoever
//! comes back says the last `id` it had in `Last-Event-ID` and misses nothing that is still stored;
//! whoever says `0`, or the `id` of another store, begins at the oldest entry; whoever says none gets
//! what comes from now on. A comment every 15 seconds says that the server is there. The stream ends
//! when the key is no longer good, or cannot be looked up, and when the server stops.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use logflux_wire::query::{Query, QueryError};
use logflux_wire::response::ErrorCode;
use prometheus::IntGauge;
use tokio::sync::watch;

use super::error::ApiError;
use super::{App, answer, auth, reading};
use crate::keys::{KeyId, Scope};
use crate::openapi::{LevelParameter, ReadErrors};
use crate::room::Held;
use crate::sampling;
use crate::store::SinceRequest;
use crate::store::sqlite::json_len;
use crate::tenant::Tenant;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How often it is looked whether the key is still good.
const KEY_LOOK: Duration = Duration::from_millis(500);

/// How often a comment says that the server is there.
const KEPT_ALIVE: Duration = Duration::from_secs(15);

/// How long a tail waits for room for its events.
const NO_ROOM: Duration = Duration::from_millis(200);

/// What events are taken for before they are read.
const LEAST: usize = 4_096;

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
        ("Last-Event-ID" = Option<String>, Header, description = "The last `id` that arrived: go on after it. `0`, or one of another store: begin at the oldest entry. Without it: what comes from now on.", nullable = false, pattern = "^(0|[0-9a-f]{32})$"),
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
    let query = reading::query(query.as_deref(), |pairs| Query::from_pairs(pairs))?;
    let Query { level, node, .. } = query.clone();
    if query != (Query { level, node: node.clone(), ..Query::default() }) {
        let message = "a tail is filtered by level and node alone";
        return Err(ApiError::new(ErrorCode::InvalidQuery, message));
    }
    let place = app.tails().hold(&key.tenant, 1).ok_or_else(|| {
        ApiError::overloaded("too many clients wait for entries already; try again")
    })?;
    // Listened to before it is looked how many there are, so that nothing falls between the two.
    let changes = app.store().changes(&key.tenant);
    let taken = app.store().taken(key.tenant.clone()).await?;
    let after = match headers.get(LAST_EVENT_ID) {
        None => taken,
        // A number that is yet to come was not given out by this store.
        Some(id) => match read_id(id.to_str().unwrap_or_default())? {
            Some((store, nth)) if store == app.store().incarnation() => nth.min(taken),
            _ => 0,
        },
    };
    let tail = Tail {
        stopping: app.stopping(),
        request: SinceRequest { level, node, ..SinceRequest::new(after) },
        tenant: key.tenant.clone(),
        key: key.id.clone(),
        changes,
        behind: after < taken,
        headers,
        looked: Instant::now(),
        said: Instant::now(),
        waiting: Waiting::new(app.monitor().tails().clone(), place),
        app,
    };
    // Said before the first entry, so that nothing is missed where the connection breaks before it.
    let begin = vec![Bytes::from(format!("id: {}\n\n", tail.id(after)))];
    let events = stream::unfold((tail, begin.into_iter()), |(mut tail, mut ready)| async move {
        loop {
            if let Some(event) = ready.next() {
                return Some((Ok::<_, Infallible>(event), (tail, ready)));
            }
            ready = tail.next().await?.into_iter();
        }
    });
    let mut response = answer::typed("text/event-stream", Vec::new());
    *response.body_mut() = Body::from_stream(events);
    Ok(response)
}

/// Of an id the store and the number; nothing of `0`, and of a number alone, as an older version gave
/// it out.
fn read_id(id: &str) -> Result<Option<(u64, i64)>, ApiError> {
    let is_hex = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
    if id.len() == 32 && id.bytes().all(is_hex) {
        let (store, nth) = id.split_at(16);
        let number = |text| u64::from_str_radix(text, 16).ok();
        if let Some((store, nth)) = number(store).zip(number(nth)) {
            return Ok(Some((store, i64::try_from(nth).unwrap_or(i64::MAX))));
        }
    }
    if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) && id.parse::<i64>().is_ok() {
        return Ok(None);
    }
    let reason = "it is none that this server has given out".to_owned();
    Err(QueryError::Value { name: "Last-Event-ID", reason }.into())
}

/// One client that waits.
struct Tail {
    app: App,
    stopping: watch::Receiver<bool>,
    changes: watch::Receiver<u64>,
    /// Whether there may be more to read at once.
    behind: bool,
    tenant: Tenant,
    key: KeyId,
    request: SinceRequest,
    headers: HeaderMap,
    /// When the key was last looked at.
    looked: Instant,
    /// When anything was last said.
    said: Instant,
    #[allow(dead_code)] // It counts until it is dropped.
    waiting: Waiting,
}

impl Tail {
    fn id(&self, nth: i64) -> String {
        format!("{:016x}{nth:016x}", self.app.store().incarnation())
    }

    /// The next events; none where the stream ends.
    async fn next(&mut self) -> Option<Vec<Bytes>> {
        loop {
            if *self.stopping.borrow() || !self.may_go_on().await {
                return None;
            }
            if self.changes.has_changed().ok()? {
                self.changes.mark_unchanged();
                self.behind = true;
            }
            if self.behind {
                match self.read().await? {
                    Some(events) if !events.is_empty() => {
                        self.said = Instant::now();
                        return Some(events);
                    }
                    Some(_) => continue,
                    None => tokio::time::sleep(NO_ROOM).await,
                }
            }
            if self.said.elapsed() >= KEPT_ALIVE {
                self.said = Instant::now();
                return Some(vec![Bytes::from_static(b":\n\n")]);
            }
            if self.behind {
                continue;
            }
            tokio::select! {
                changed = self.changes.changed() => {
                    changed.ok()?;
                    self.behind = true;
                    tokio::time::sleep(TOGETHER).await;
                }
                _ = self.stopping.changed() => return None,
                () = tokio::time::sleep(KEY_LOOK) => {}
            }
        }
    }

    /// Reads what has come; the inner none, where there is no room for it, the outer where the stream
    /// ends.
    async fn read(&mut self) -> Option<Option<Vec<Bytes>>> {
        let Some(mut held) = self.app.answers().hold(&self.key, LEAST) else { return Some(None) };
        let since = self.app.store().since(self.tenant.clone(), self.request.clone());
        let since = match since.await {
            Ok(since) => since,
            Err(error) => {
                // The client comes back, and goes on where it was.
                if let Some(missed) = sampling::passes("tail_ends") {
                    tracing::error!(%error, missed, "a tail ends");
                }
                return None;
            }
        };
        // The entries, and their events beside them.
        if !held.grow(since.entries.iter().map(|(_, entry)| 2 * json_len(entry)).sum()) {
            return Some(None);
        }
        self.behind = since.upto > self.request.after;
        self.request.after = since.upto;
        let events = since.entries.into_iter().map(|(nth, entry)| {
            let mut event = Vec::with_capacity(json_len(&entry) + 64);
            event.extend_from_slice(
                format!("event: entry\nid: {}\ndata: ", self.id(nth)).as_bytes(),
            );
            entry.append_json(&mut event);
            event.extend_from_slice(b"\n\n");
            let length = event.len();
            answer::held_bytes(event, held.split(length))
        });
        Some(Some(events.collect()))
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
    place: Held<Tenant>,
}

impl Waiting {
    fn new(gauge: IntGauge, place: Held<Tenant>) -> Self {
        gauge.inc();
        Self { gauge, place }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}
