//! The description of the API, made from the code of its calls: what `GET /openapi.json` answers and
//! what stands in `docs/openapi.json`.

mod errors;
mod headers;
mod parameters;
mod schemas;

use std::sync::LazyLock;

use logflux_wire::alert::AlertKind;
use logflux_wire::query::Order;
use logflux_wire::response::ErrorResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

pub(crate) use errors::{EveryError, KeyErrors, ReadErrors, SendErrors};
pub(crate) use parameters::LevelParameter;
pub(crate) use schemas::{BatchBody, IngestBody, Page};

use crate::api;

/// What is said of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "LogFlux ingest API",
        version = "v1",
        description = "Takes log entries that were sealed by their sender, keeps them, and gives \
                       them back sealed. It cannot read them. Unknown fields, and anything that is \
                       not sealed, are refused. Every answer has \
                       `Strict-Transport-Security: max-age=31536000; includeSubDomains`, \
                       `X-Content-Type-Options: nosniff`, `X-Frame-Options: DENY`, \
                       `X-XSS-Protection: 1; mode=block` and \
                       `Content-Security-Policy: default-src 'none'`.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    modifiers(&BearerKey),
    components(schemas(schemas::Entry, ErrorResponse, Order, LevelParameter, AlertKind))
)]
pub(crate) struct Base;

/// `Authorization: Bearer lf_…`
struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("lf_ and 32 letters or digits")
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(key));
    }
}

static JSON: LazyLock<String> = LazyLock::new(|| {
    let mut openapi = api::openapi();
    headers::add(&mut openapi);
    let mut json = openapi.to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
});

/// The description of the API in OpenAPI 3.1, as JSON.
#[must_use]
pub fn openapi() -> &'static str {
    &JSON
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_that_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == openapi(), "docs/openapi.json is out of date: run `make openapi`");
    }

    #[test]
    fn every_call_and_every_code_is_described() {
        let json: serde_json::Value = serde_json::from_str(openapi()).unwrap();
        for (path, method) in [
            ("/v1/ingest", "post"),
            ("/v1/batch", "post"),
            ("/v1/entries", "get"),
            ("/v1/tail", "get"),
            ("/v1/alerts", "get"),
            ("/metrics", "get"),
            ("/health", "get"),
            ("/version", "get"),
            ("/openapi.json", "get"),
        ] {
            let call = &json["paths"][path][method];
            assert!(call.is_object(), "{method} {path}");
            for (status, response) in call["responses"].as_object().unwrap() {
                for header in ["X-Request-Id", "X-RateLimit-Limit"] {
                    assert!(response["headers"][header].is_object(), "{path} {status} {header}");
                }
            }
        }
        let codes = &json["components"]["schemas"]["ErrorCode"]["enum"];
        assert_eq!(codes.as_array().unwrap().len(), 20);
    }
}
