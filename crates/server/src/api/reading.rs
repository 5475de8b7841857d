//! What the calls that read entries share.

use std::borrow::Cow;

use axum::http::HeaderMap;
use axum::response::Response;
use logflux_wire::query::QueryError;
use logflux_wire::response::ErrorCode;
use serde::Serialize;

use super::error::ApiError;
use super::{App, answer, auth, status};
use crate::keys::{KeyId, Scope};
use crate::room::Held;
use crate::tenant::Tenant;

/// A call that reads, with its room for the answer.
pub(super) struct Reading {
    pub(super) tenant: Tenant,
    held: Held<KeyId>,
}

impl Reading {
    /// Looks whether the key may read. Where there is not even room for the least of an answer, nothing
    /// is read.
    pub(super) async fn begin(app: &App, headers: &HeaderMap) -> Result<Self, ApiError> {
        let key = auth::authorize(app, headers, Scope::Read).await?;
        let held = app.answers().hold(&key.id, LEAST).ok_or_else(too_many)?;
        Ok(Self { tenant: key.tenant.clone(), held })
    }

    /// Takes room for what was read, and for its JSON, of this length, beside it until that is written.
    pub(super) fn hold(mut self, length: usize) -> Result<Held<KeyId>, ApiError> {
        if self.held.grow(2 * length) { Ok(self.held) } else { Err(too_many()) }
    }

    /// Answers in JSON, of about this length.
    pub(super) fn answer(self, length: usize, body: &impl Serialize) -> Result<Response, ApiError> {
        let held = self.hold(length)?;
        Ok(answer::held("application/json", status::to_json(body)?, held))
    }
}

/// How much an answer is taken for before it is read.
const LEAST: usize = 4_096;

fn too_many() -> ApiError {
    ApiError::overloaded("too many answers wait for their readers; try again")
}

/// A parameter of a query string, and its value.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Reads the decoded pairs of a query string.
pub(super) fn query<T>(
    query: Option<&str>,
    read: impl for<'a> FnOnce(std::vec::IntoIter<(&'a str, &'a str)>) -> Result<T, QueryError>,
) -> Result<T, ApiError> {
    let query = query.unwrap_or_default();
    let pairs: Vec<Pair<'_>> = form_urlencoded::parse(query.as_bytes()).collect();
    // Bytes that are not UTF-8 were replaced, and would ask for another node than was meant.
    let replaced = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    if pairs.iter().any(|(name, value)| replaced(name) || replaced(value))
        && !query.to_ascii_uppercase().contains("%EF%BF%BD")
    {
        return Err(ApiError::new(ErrorCode::InvalidQuery, "the query is not valid UTF-8"));
    }
    let borrowed: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    Ok(read(borrowed.into_iter())?)
}
