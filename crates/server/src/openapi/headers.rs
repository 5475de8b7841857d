//! The headers of every answer. (The security headers are said once, of the API as a whole.)

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::PathItem;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, RefOr, Response};

/// Adds to every response what all of them have.
pub(super) fn add(openapi: &mut OpenApi) {
    for item in openapi.paths.paths.values_mut() {
        for responses in responses(item) {
            for (status, response) in &mut responses.responses {
                if let RefOr::T(response) = response {
                    add_to(response, status);
                }
            }
        }
    }
}

fn responses(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::Responses> {
    [&mut item.get, &mut item.post]
        .into_iter()
        .filter_map(Option::as_mut)
        .map(|operation| &mut operation.responses)
}

fn add_to(response: &mut Response, status: &str) {
    let mut add = |name: &str, header: Header| {
        response.headers.insert(name.to_owned(), header.into());
    };
    add("X-Request-Id", text("The request's own name: `req_` and 20 letters or digits."));
    add("X-RateLimit-Limit", number("The tighter limit, in requests a minute."));
    add("X-RateLimit-Remaining", number("How many more requests it leaves in this window."));
    add("X-RateLimit-Reset", number("When the window ends, in seconds since 1970."));
    if matches!(status, "429" | "503") {
        add("Retry-After", number("After how many seconds another try is worth while."));
    }
}

fn text(description: &str) -> Header {
    header(Type::String, description)
}

fn number(description: &str) -> Header {
    header(Type::Integer, description)
}

fn header(kind: Type, description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .description(Some(description))
        .build()
}
