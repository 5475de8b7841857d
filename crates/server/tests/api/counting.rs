//! `GET /v1/nodes` and `GET /v1/counts` as a reader sees them. (That the numbers are right, whatever
//! happens to the entries, is tested in the store.)

use logflux_server::Scope;
use logflux_wire::{Level, Timestamp};
use serde_json::{Value, json};

use crate::common::{Parts, TestServer, array};

/// Three minutes of two nodes; the payloads have 24 characters of base64 at least.
fn send(server: &TestServer) {
    let at = |seconds: i64| Timestamp::from_unix(1_705_487_400 + seconds, 500_000_000).unwrap();
    let parts = |node: &str, level, seconds| {
        Parts { node: node.to_owned(), level, timestamp: at(seconds), ..Parts::default() }.json()
    };
    let sent = [
        parts("db", Level::Error, 0),
        parts("db", Level::Info, 59),
        parts("web", Level::Info, 60),
        parts("web", Level::Info, 61),
        parts("web", Level::Debug, 179),
    ];
    server.post("/v1/ingest", array(&sent)).stored(5, 0);
}

fn data(server: &TestServer, path: &str) -> Value {
    let answer = server.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut json = answer.json();
    assert_eq!(json["request_id"].as_str(), answer.header("x-request-id"));
    json["data"].take()
}

/// What is counted, without the bytes, which are checked to be the same for each entry.
fn buckets(server: &TestServer, query: &str) -> Vec<Value> {
    let data = data(server, &format!("/v1/counts?{query}"));
    let mut buckets = data["buckets"].as_array().unwrap().clone();
    for bucket in &mut buckets {
        let bucket = bucket.as_object_mut().unwrap();
        let bytes = bucket.remove("bytes").unwrap().as_u64().unwrap();
        assert_eq!(bytes, bucket["entries"].as_u64().unwrap() * bytes_of_one());
    }
    buckets
}

fn bytes_of_one() -> u64 {
    Parts::default().entry().payload().as_bytes().len() as u64
}

#[test]
fn a_reader_learns_what_there_is() {
    let server = TestServer::start();
    assert_eq!(data(&server, "/v1/nodes"), json!({"nodes": [], "cursor": null}));
    assert_eq!(data(&server, "/v1/counts"), json!({"buckets": []}));
    send(&server);
    let (first, second, third) =
        ("2024-01-17T10:30:00Z", "2024-01-17T10:31:00Z", "2024-01-17T10:32:00Z");
    assert_eq!(
        data(&server, "/v1/nodes"),
        json!({"cursor": null, "nodes": [
            {"node": "db", "entries": 2, "bytes": 2 * bytes_of_one(),
             "first": "2024-01-17T10:30:00.500Z", "last": "2024-01-17T10:30:59.500Z"},
            {"node": "web", "entries": 3, "bytes": 3 * bytes_of_one(),
             "first": "2024-01-17T10:31:00.500Z", "last": "2024-01-17T10:32:59.500Z"},
        ]})
    );
    let later = data(&server, &format!("/v1/nodes?from={second}&to=2024-01-17T10:31:01Z"));
    assert_eq!(later["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(later["nodes"][0]["entries"], 1);
    assert_eq!(
        buckets(&server, ""),
        [
            json!({"start": first, "entries": 2}),
            json!({"start": second, "entries": 2}),
            json!({"start": third, "entries": 1}),
        ]
    );
    assert_eq!(
        buckets(&server, "by=node,level&step=1h&level=info"),
        [
            json!({"start": "2024-01-17T10:00:00Z", "node": "db", "level": 4, "entries": 1}),
            json!({"start": "2024-01-17T10:00:00Z", "node": "db", "level": 7, "entries": 1}),
            json!({"start": "2024-01-17T10:00:00Z", "node": "web", "level": 7, "entries": 2}),
        ]
    );
    // The first and the last step are cut where the time begins and ends.
    assert_eq!(
        buckets(&server, "step=1m&node=web&from=2024-01-17T10:31:01Z&to=2024-01-17T10:32:59.5Z"),
        [json!({"start": second, "entries": 1})]
    );
    assert_eq!(
        buckets(&server, "from=2024-01-17T10:32:00Z&to=2024-01-17T10:30:00Z"),
        Vec::<Value>::new()
    );
}

#[test]
fn a_tenant_is_told_of_its_own_entries_alone_and_a_sender_of_none() {
    let server = TestServer::start();
    send(&server);
    let other = server.new_key("other", Scope::Read);
    for (path, empty) in [
        ("/v1/nodes", json!({"nodes": [], "cursor": null})),
        ("/v1/counts", json!({"buckets": []})),
    ] {
        assert_eq!(server.get_with(&other, path).json()["data"], empty);
        server.get_with(&server.new_key("acme", Scope::Ingest), path).error(403, "forbidden");
        server.get_with("lf_nobody", path).error(401, "unauthorized");
        server.post(path, "{}").error(405, "method_not_allowed");
    }
}

#[test]
fn what_is_asked_wrongly_is_named() {
    let server = TestServer::start();
    send(&server);
    for (path, parameter) in [
        ("/v1/counts?step=0", "step"),
        ("/v1/counts?step=1.5s", "step"),
        ("/v1/counts?by=time", "by"),
        ("/v1/counts?by=node&by=level", "by"),
        ("/v1/counts?level=9", "level"),
        ("/v1/counts?node=", "node"),
        ("/v1/counts?from=yesterday", "from"),
        ("/v1/nodes?to=tomorrow", "to"),
        ("/v1/nodes?cursor=1zz", "cursor"),
        ("/v1/nodes?cursor=2aa", "cursor"),
    ] {
        let body = server.get(path).error(400, "invalid_query");
        assert_eq!(body["details"]["parameter"], parameter, "{path}: {body}");
    }
    let unknown = server.get("/v1/counts?limit=3").error(400, "invalid_query");
    let message = unknown["message"].as_str().unwrap();
    assert!(message.contains("\"limit\"") && message.contains("step"), "{message}");
    let wide = server.get("/v1/counts?from=2000-01-01T00:00:00Z").error(400, "invalid_query");
    assert!(wide["message"].as_str().unwrap().contains("longer step"), "{wide}");
    for path in ["/v1/counts?node=%ff", "/v1/nodes?cursor=%ff"] {
        server.get(path).error(400, "invalid_query");
    }
}
