//! What every answer has. (`TestServer::send` looks at the headers and the form of every answer in
//! all of these tests.)

use crate::common::{SECURITY_HEADERS, TestServer, entry};

#[test]
fn health_and_version_need_no_key() {
    let server = TestServer::start();
    let health = server.send("GET", "/health", &[], b"");
    assert_eq!((health.status, health.text.as_str()), (200, "OK"));
    let version = server.send("GET", "/version", &[], b"");
    assert_eq!(version.status, 200);
    assert_eq!(
        version.text,
        concat!(
            r#"{"api_version":"v1","service":"logflux-ingestor","#,
            r#""supported_versions":["v1"],"deprecated_versions":[]}"#
        )
    );
    assert_eq!(server.send("HEAD", "/health", &[], b"").status, 200);
}

#[test]
fn other_paths_and_methods_are_refused_in_the_form_of_the_api() {
    let server = TestServer::start();
    for path in ["/", "/v1", "/v1/", "/v2/ingest", "/v1/ingest/", "/V1/ingest", "/%2e%2e/keys.db"] {
        server.send("GET", path, &[], b"").error(404, "not_found");
        server.send("POST", path, &[], entry()).error(404, "not_found");
    }
    for (method, path, allowed) in [
        ("GET", "/v1/ingest", "POST"),
        ("PUT", "/v1/batch", "POST"),
        ("DELETE", "/v1/entries", "GET,HEAD"),
        ("POST", "/v1/entries", "GET,HEAD"),
        ("POST", "/health", "GET,HEAD"),
        ("OPTIONS", "/version", "GET,HEAD"),
        ("BREW", "/v1/ingest", "POST"),
    ] {
        let body = if ["PUT", "POST"].contains(&method) { entry() } else { String::new() };
        let answer = server.send(method, path, &[], body);
        answer.error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
    assert_eq!(server.send("HEAD", "/nothing", &[], b"").status, 404);
}

#[test]
fn request_ids_differ() {
    let server = TestServer::start();
    let mut ids: Vec<_> = (0..50)
        .map(|_| server.send("GET", "/health", &[("x-request-id", "req_mine")], b""))
        .map(|answer| answer.header("x-request-id").unwrap().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
}

#[test]
fn what_is_not_http_is_answered_in_the_form_of_the_api_too() {
    let server = TestServer::start();
    let long_head =
        format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(300_000));
    let many = format!("GET /health HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(1_000));
    let long_uri = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(300_000));
    let broken_off = format!(
        "POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{{\r\nno length\r\n",
        server.key
    );
    for (request, statuses) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET /health HTTP/9.9\r\n\r\n", "400"),
        ("GET /health HTTP/1.1\r\nbad header\r\n\r\n", "400"),
        ("GET /he alth HTTP/1.1\r\n\r\n", "400"),
        ("POST /v1/ingest HTTP/1.1\r\ncontent-length: x\r\n\r\n", "400"),
        (broken_off.as_str(), "400"),
        (long_head.as_str(), "431"),
        (many.as_str(), "431"),
        (long_uri.as_str(), "414 431"),
    ] {
        let answer = server.raw_answer(request.as_bytes());
        let shown = &request[..request.len().min(60)];
        if request.len() > 100_000 && answer.is_empty() {
            // The connection was closed on unread bytes, and the answer lost with it.
            continue;
        }
        let (head, body) =
            answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{shown}: {answer:?}"));
        let status = &head["HTTP/1.1 ".len()..][..3];
        assert!(statuses.contains(status), "{shown}: {head}");
        let head = head.to_lowercase();
        for (name, value) in SECURITY_HEADERS {
            assert!(head.contains(&format!("{name}: {value}").to_lowercase()), "{shown}: {head}");
        }
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(json["status"], "error");
        assert_eq!(json["error"]["code"], "invalid_request", "{shown}: {body}");
        let id = json["request_id"].as_str().unwrap().to_lowercase();
        assert!(head.contains(&format!("x-request-id: {id}")), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    }
    assert_eq!(server.send("GET", "/health", &[], b"").status, 200);
}
