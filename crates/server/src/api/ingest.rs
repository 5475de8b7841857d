//! `POST /v1/ingest` and `POST /v1/batch`: entries come in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::{Extension, body::Body};
use logflux_wire::request::{self, Form};
use logflux_wire::response::{ErrorCode, Failure, IngestCounts, IngestResponse, Status};
use logflux_wire::{Entry, Field};
use serde_json::json;

use super::answer::{self, RequestId};
use super::encoding::{self, Encoding};
use super::error::ApiError;
use super::{App, auth, body};
use crate::keys::{KeyInfo, Scope};
use crate::monitor::Event;
use crate::openapi::{BatchBody, IngestBody, SendErrors};
use crate::room::Held;
use crate::sampling;
use crate::store::{Appended, StoreError};
use crate::tenant::Tenant;

/// A body up to this many bytes is read where it is; a longer one would hold up other requests.
const PARSED_IN_PLACE: usize = 64 << 10;

/// Take entries
///
/// Takes one entry or an array of 1 to 100. 200 is answered when they are durable; an entry that was
/// sent before counts as succeeded. Of a batch the good entries are stored and the bad ones named.
#[utoipa::path(
    post,
    path = "/v1/ingest",
    request_body = IngestBody,
    responses((status = 200, description = "At least one entry is stored.", body = IngestResponse), SendErrors),
    security(("key" = []))
)]
pub(super) async fn ingest(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    take(app, id, request, Form::Ingest).await
}

/// Take a batch of entries
///
/// As `/v1/ingest`, and also in the form `{"entries":[…]}`.
#[utoipa::path(
    post,
    path = "/v1/batch",
    request_body = BatchBody,
    responses((status = 200, description = "At least one entry is stored.", body = IngestResponse), SendErrors),
    security(("key" = []))
)]
pub(super) async fn batch(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    take(app, id, request, Form::Batch).await
}

async fn take(app: App, id: RequestId, request: Request, form: Form) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let (key, encoding) = match admit(&app, &head.headers).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            body::drain_after(&head.headers, body).await;
            return Err(refusal);
        }
    };
    // Its room is held until the answer is written.
    let room = app.room().enter(&key.tenant);
    let (body, bytes, _room) = parse(&app, body, encoding, form, room).await?;
    let single = matches!(body, request::Body::Single(_));
    let entries = match body {
        request::Body::Single(entry) => vec![entry],
        request::Body::Batch(entries) => entries,
    };
    let total = entries.len();
    let largest = entries.iter().flatten().map(|entry| entry.payload().as_bytes().len()).max();
    app.monitor().record(&Event::Received {
        key: &key,
        entries: total as u64,
        bytes: bytes as u64,
        largest: largest.map_or(0, logflux_wire::base64::encoded_len),
    });

    let mut good = Vec::with_capacity(total);
    let mut places = Vec::with_capacity(total);
    let mut refused = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry.map_err(ApiError::from).and_then(|entry| vet(&app, entry)) {
            Ok(entry) => {
                good.push(entry);
                places.push(index);
            }
            Err(error) => refused.push((index, error)),
        }
    }
    let mut duplicates = 0;
    if !good.is_empty() {
        let outcomes = app.store().append(key.tenant.clone(), good).await?;
        if outcomes.len() != places.len() {
            let error = "the store has not said of every entry what became of it";
            return Err(StoreError::Engine(error.to_owned()).into());
        }
        duplicates = outcomes.iter().filter(|outcome| **outcome == Appended::Duplicate).count();
        let is_taken =
            |outcome: &&Appended| matches!(outcome, Appended::Stored | Appended::Duplicate);
        app.keys().took(&key, outcomes.iter().filter(is_taken).count());
        let reused = outcomes.iter().filter(|outcome| **outcome == Appended::NonceReused).count();
        if reused > 0
            && let Some(missed) = sampling::passes("nonce_reused")
        {
            tracing::error!(
                key = %key.id, tenant = %key.tenant, entries = reused, missed,
                "a salt and iv came again with another entry: a sender repeats its nonces"
            );
        }
        let refusal = |(index, outcome)| match outcome {
            Appended::Stored | Appended::Duplicate => None,
            Appended::NonceReused => Some((index, nonce_reused())),
            Appended::Damaged => Some((index, damaged())),
        };
        refused.extend(places.into_iter().zip(outcomes).filter_map(refusal));
        refused.sort_by_key(|(index, _)| *index);
    }
    for (_, error) in &refused {
        app.monitor().record(&Event::Refused { key: &key, code: error.code(), entries: 1 });
    }
    respond(id, total, duplicates, refused, single)
}

/// Looks at a request's head: its key, and what its body says it is.
async fn admit(app: &App, headers: &HeaderMap) -> Result<(Arc<KeyInfo>, Encoding), ApiError> {
    let key = auth::authorize(app, headers, Scope::Ingest).await?;
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let media_type = text(header::CONTENT_TYPE).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "the body must be `Content-Type: application/json`",
        ));
    }
    Ok((key, Encoding::of(headers)?))
}

async fn parse(
    app: &App,
    body: Body,
    encoding: Encoding,
    form: Form,
    mut room: Held<Tenant>,
) -> Result<(request::Body, usize, Held<Tenant>), ApiError> {
    let config = app.config();
    let limits = config.limits;
    let bytes = body::read(body, limits.body, config.timeouts.body, &mut room).await?;
    let length = bytes.len();
    let parse = move |bytes: &[u8]| -> Result<_, ApiError> {
        Ok(request::Body::parse(bytes, form, limits.batch)?)
    };
    if encoding == Encoding::Identity && length <= PARSED_IN_PLACE {
        return Ok((parse(&bytes)?, length, room));
    }
    let parsed = tokio::task::spawn_blocking(move || {
        let bytes = match encoding {
            Encoding::Identity => bytes,
            Encoding::Gzip => {
                let unpacked = encoding::gunzip(&bytes, limits.body, &mut room)?;
                drop(bytes);
                room.shrink(length);
                unpacked
            }
        };
        // What is read of a body takes as much again at most: it is decoded, and a string with escapes
        // is put together elsewhere.
        if !room.grow(bytes.len()) {
            return Err(ApiError::overloaded("the server holds too much already; try again"));
        }
        let parsed = parse(&bytes)?;
        room.shrink(bytes.len());
        Ok((parsed, length, room))
    });
    parsed.await.map_err(|_| ApiError::overloaded("the server is stopping; try again"))?
}

/// Checks what the server can see of an entry's encryption (PROTOCOL 7).
fn vet(app: &App, entry: Entry) -> Result<Entry, ApiError> {
    let at_fault = |field: Field| json!({ "field": field.name() });
    let config = app.config();
    let modes = &config.modes;
    if !modes.contains(&entry.mode()) {
        let modes: Vec<_> = modes.iter().map(|mode| mode.number().to_string()).collect();
        let message = format!(
            "encryption_mode {} is not taken by this server; it takes {}",
            entry.mode().number(),
            modes.join(", ")
        );
        let error = ApiError::new(ErrorCode::UnsupportedMode, message);
        return Err(error.details(at_fault(Field::EncryptionMode)));
    }
    let payload_max = config.limits.payload;
    if entry.payload().as_bytes().len().div_ceil(3) * 4 > payload_max {
        let message = format!("payload is longer than {payload_max} base64 characters");
        let error = ApiError::new(ErrorCode::PayloadTooLarge, message);
        return Err(error.details(at_fault(Field::Payload)));
    }
    if entry.payload().looks_like_plaintext() {
        let message = "payload is plain text: it must be sealed before it is sent";
        let error = ApiError::new(ErrorCode::PlaintextPayload, message);
        return Err(error.details(at_fault(Field::Payload)));
    }
    Ok(entry)
}

fn nonce_reused() -> ApiError {
    ApiError::new(
        ErrorCode::NonceReused,
        "another entry with this salt and iv is stored: seal with a fresh iv, never twice with one",
    )
    .details(json!({ "field": Field::Iv.name() }))
}

fn damaged() -> ApiError {
    ApiError::new(
        ErrorCode::Internal,
        "the store is damaged where this entry belongs; it was not stored",
    )
}

fn respond(
    id: RequestId,
    total: usize,
    duplicates: usize,
    refused: Vec<(usize, ApiError)>,
    single: bool,
) -> Result<Response, ApiError> {
    let failed = refused.len();
    let succeeded = total - failed;
    if single && let Some((_, error)) = refused.first() {
        return Err(error.clone());
    }
    let first = refused.first().map(|(_, error)| error.code());
    let failures: Vec<_> = refused
        .into_iter()
        .map(|(index, error)| {
            let body = error.into_body();
            Failure { index, code: body.code, message: body.message }
        })
        .collect();
    if succeeded == 0
        && let Some(code) = first
    {
        let message = format!("none of {total} entries is good; see the failures");
        let error = ApiError::new(code, message);
        // A damaged store is no fault of the request: it is sent again.
        let error = match code {
            ErrorCode::Internal => error,
            _ => error.status(StatusCode::BAD_REQUEST),
        };
        return Err(error.details(json!({ "failures": failures })));
    }
    let response = IngestResponse {
        status: if failed == 0 { Status::Success } else { Status::Partial },
        message: message(total, succeeded, duplicates),
        request_id: id.into_string(),
        data: IngestCounts { total, succeeded, failed, duplicates },
        failures,
    };
    super::status::to_json(&response).map(answer::json)
}

fn message(total: usize, succeeded: usize, duplicates: usize) -> String {
    let entries = if total == 1 { "entry" } else { "entries" };
    let mut message = match total - succeeded {
        0 => format!("{total} {entries} stored"),
        _ => format!("{succeeded} of {total} {entries} stored"),
    };
    if duplicates > 0 {
        message.push_str(&format!(", {duplicates} of them before"));
    }
    message
}
