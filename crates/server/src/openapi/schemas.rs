//! What is sent, as schemas. Its rules are those that `logflux_wire` reads by (PROTOCOL 2).

#![allow(dead_code)] // These types are only described.

use logflux_wire::response::Status;
use utoipa::ToSchema;

/// One log message, sealed.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum Entry {
    Standard(EntryOfMode1),
    Extension(EntryOfMode128),
}

/// An entry of the standard mode, `AES256-GCM_PBKDF2-SHA256-600K`.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryOfMode1 {
    #[schema(schema_with = fields::node)]
    node: String,
    #[schema(schema_with = fields::payload::<24, 5>)]
    payload: String,
    #[schema(schema_with = fields::loglevel)]
    loglevel: u8,
    #[schema(schema_with = fields::timestamp)]
    timestamp: String,
    #[schema(schema_with = fields::mode::<1>)]
    encryption_mode: u8,
    #[schema(schema_with = fields::iv)]
    iv: String,
    #[schema(schema_with = fields::salt)]
    salt: String,
}

/// An entry of the extension, `AES256-GCM_HKDF-SHA256_PBKDF2-SHA256-600K`.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryOfMode128 {
    #[schema(schema_with = fields::node)]
    node: String,
    #[schema(schema_with = fields::payload::<64, 16>)]
    payload: String,
    #[schema(schema_with = fields::loglevel)]
    loglevel: u8,
    #[schema(schema_with = fields::timestamp)]
    timestamp: String,
    #[schema(schema_with = fields::mode::<128>)]
    encryption_mode: u8,
    #[schema(schema_with = fields::iv)]
    iv: String,
    #[schema(schema_with = fields::salt)]
    salt: String,
}

/// One entry, or a batch of them.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum IngestBody {
    Single(Entry),
    Batch(Batch),
}

/// One entry, or a batch of them in either form.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum BatchBody {
    Single(Entry),
    Batch(Batch),
    Named(Named),
}

/// A batch of entries.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 100)]
pub(crate) struct Batch(Vec<Entry>);

/// A batch with its name.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    entries: Batch,
}

/// One page of entries, as they were sent.
#[derive(ToSchema)]
pub(crate) struct Page {
    status: Status,
    /// The request's own name, `req_…`.
    request_id: String,
    data: PageData,
}

/// The entries of a page.
#[derive(ToSchema)]
pub(crate) struct PageData {
    /// In the order that was asked for.
    #[schema(value_type = Vec<Object>)]
    entries: Vec<Entry>,
    /// Where to go on; `null` where this is the last page.
    #[schema(required)]
    cursor: Option<String>,
}

/// The fields of an entry.
mod fields {
    use logflux_wire::limits::{NODE_MAX_CHARS, PAYLOAD_BASE64_MAX};
    use serde_json::json;
    use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

    /// So many times four characters, which stand for three bytes each, and more. The last bits that
    /// stand for nothing are 0.
    fn base64(least: usize) -> String {
        let end = "(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?";
        format!("^(?:[A-Za-z0-9+/]{{4}}){{{least},}}{end}$")
    }

    fn text(description: &str) -> ObjectBuilder {
        ObjectBuilder::new().schema_type(Type::String).description(Some(description))
    }

    pub(super) fn node() -> Object {
        text("The sender's name, without control characters.")
            .min_length(Some(1))
            .max_length(Some(NODE_MAX_CHARS))
            .pattern(Some("^[^\\u0000-\\u001f\\u007f-\\u009f]*$"))
            .examples([json!("app-server-01")])
            .build()
    }

    pub(super) fn payload<const MIN: usize, const WHOLE: usize>() -> Object {
        text(
            "Base64 of the ciphertext and its tag. Never text: 32 or more bytes of nothing but \
              printable ASCII are refused.",
        )
        .min_length(Some(MIN))
        .max_length(Some(PAYLOAD_BASE64_MAX))
        .pattern(Some(base64(WHOLE)))
        .build()
    }

    pub(super) fn loglevel() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some(
                "1 emergency, 2 alert, 3 critical, 4 error, 5 warning, 6 notice, 7 info, 8 debug.",
            ))
            .minimum(Some(1))
            .maximum(Some(8))
            .build()
    }

    pub(super) fn timestamp() -> Object {
        text("RFC 3339, with an offset and at most nine digits of a fraction.")
            .format(Some(utoipa::openapi::SchemaFormat::Custom("date-time".to_owned())))
            .examples([json!("2024-01-17T10:30:45Z")])
            .build()
    }

    pub(super) fn mode<const MODE: u8>() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("How it is sealed. A server may be set to take other modes."))
            .enum_values(Some([MODE]))
            .build()
    }

    pub(super) fn iv() -> Object {
        text("Base64 of 12 bytes, never twice with one salt.")
            .pattern(Some("^[A-Za-z0-9+/]{16}$"))
            .build()
    }

    pub(super) fn salt() -> Object {
        text("Base64 of 32 bytes.").pattern(Some("^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$")).build()
    }
}
