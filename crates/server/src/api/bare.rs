//! Answers that the HTTP layer makes by itself, in the API's form.

use std::net::IpAddr;

use axum::http::StatusCode;
use logflux_wire::response::{ErrorResponse, Status};

use super::answer::{HEADERS, RequestId, X_REQUEST_ID};
use super::error::ApiError;
use super::{App, rates};
use crate::limits::Quota;

/// As [`dress_with`], and counts the request for its address, where it is not a proxy's.
pub(crate) fn dress(app: &App, peer: Option<IpAddr>, bare: &[u8]) -> Option<Vec<u8>> {
    dress_with(bare, || {
        let config = app.config();
        let peer = peer?.to_canonical();
        let is_proxy = config.rates.trusted_proxies.iter().any(|net| net.contains(&peer));
        if is_proxy { None } else { app.limiter().address(peer, &config.rates) }
    })
}

/// The whole answer in place of `bare`, if that is an error's head without a request id and without
/// a body. No other write can be taken for one: the API's own heads have an id, and its bodies no
/// carriage return.
fn dress_with(bare: &[u8], quota: impl FnOnce() -> Option<Quota>) -> Option<Vec<u8>> {
    let rest = bare.strip_prefix(b"HTTP/1.1 4")?;
    let text = std::str::from_utf8(bare).ok()?;
    let head = text.strip_suffix("\r\n\r\n")?;
    if rest.len() > 1_024 || head.contains("\r\n\r\n") || head.contains(X_REQUEST_ID.as_str()) {
        return None;
    }
    let mut lines = head.split("\r\n");
    let status_line = lines.next()?;
    let status = StatusCode::from_bytes(status_line.as_bytes().get(9..12)?).ok()?;
    let id = RequestId::new().into_string();
    let body = ErrorResponse {
        status: Status::Error,
        error: ApiError::of_status(status).into_body(),
        request_id: id.clone(),
    };
    let body = serde_json::to_string(&body).ok()?;

    let mut dressed = format!("{status_line}\r\n");
    let mut add = |name: &str, value: &str| dressed.push_str(&format!("{name}: {value}\r\n"));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if !name.eq_ignore_ascii_case("content-length") {
            add(name, value);
        }
    }
    let quota = quota().map(|quota| rates::headers(&quota));
    for (name, value) in HEADERS.into_iter().chain(quota.into_iter().flatten()) {
        add(name.as_str(), value.to_str().unwrap_or_default());
    }
    add(X_REQUEST_ID.as_str(), &id);
    add("content-type", "application/json");
    add("content-length", &body.len().to_string());
    dressed.push_str("\r\n");
    dressed.push_str(&body);
    Some(dressed.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_error_is_dressed() {
        let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        let dressed = String::from_utf8(dress_with(bare.as_bytes(), || None).unwrap()).unwrap();
        let (head, body) = dressed.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\ndate: now\r\n"));
        assert!(head.ends_with(&format!("content-length: {}", body.len())));
        assert!(body.contains(r#""code":"invalid_request""#), "{body}");

        for other in [
            "",
            "HTTP/1.1 4",
            "HTTP/1.1 400 Bad Request\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nx-request-id: req_1\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nx-request-id: req_1\r\n\r\n{\"a\":\"\r\n\r\n",
        ] {
            assert_eq!(dress_with(other.as_bytes(), || None), None, "{other}");
        }
    }
}
