//! `GET /v1/tail`.

use std::io::BufRead;
use std::time::{Duration, Instant};

use logflux_server::{Keys, Scope};

use crate::common::{Parts, TestServer, entry};

/// The next event: its id and its data.
pub(crate) fn next(lines: &mut impl BufRead) -> Option<(String, String)> {
    let (mut id, mut data) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end_matches('\n').split_once(": ") {
            Some(("id", value)) => value.clone_into(&mut id),
            Some(("data", value)) => value.clone_into(&mut data),
            Some(("event", name)) => assert_eq!(name, "entry"),
            _ if line == "\n" && !(id.is_empty() && data.is_empty()) => return Some((id, data)),
            _ => {}
        }
    }
}

#[test]
fn entries_come_as_they_arrive_and_nothing_is_missed_between_two_calls() {
    let server = TestServer::start();
    server.post("/v1/ingest", entry()).stored(1, 0);
    let (status, mut tail) = server.begin(&server.key, "/v1/tail", &[]);
    assert_eq!(status, 200);
    let (begin, nothing) = next(&mut tail).unwrap();
    assert_eq!((begin.len(), nothing.as_str()), (32, ""));
    assert!(begin.ends_with("0000000000000001"), "{begin}");
    let sent: Vec<String> = (0..5).map(|_| entry()).collect();
    for one in &sent {
        server.post("/v1/ingest", one).stored(1, 0);
    }
    let first: Vec<_> = (0..2).map(|_| next(&mut tail).unwrap()).collect();
    drop(tail);
    let (_, last_id) = (&first[1].1, first[1].0.clone());
    let (_, mut tail) = server.begin(&server.key, "/v1/tail", &[("last-event-id", &last_id)]);
    assert_eq!(next(&mut tail).unwrap(), (last_id, String::new()));
    let rest: Vec<_> = (0..3).map(|_| next(&mut tail).unwrap()).collect();
    let data: Vec<_> = first.into_iter().chain(rest).map(|(_, data)| data).collect();
    assert_eq!(data, sent);
    // The one that was there before the first call as well.
    let (_, mut tail) = server.begin(&server.key, "/v1/tail", &[("last-event-id", "0")]);
    assert_eq!((0..7).map(|_| next(&mut tail).unwrap()).count(), 7);
}

#[test]
fn a_tail_is_filtered_and_of_one_tenant() {
    let server = TestServer::start();
    let other = server.new_key("other", Scope::Ingest);
    let query = "/v1/tail?level=error&node=web%201";
    let (_, mut tail) = server.begin(&server.key, query, &[]);
    next(&mut tail).unwrap();
    let wanted = Parts {
        node: "web 1".to_owned(),
        level: logflux_wire::Level::Critical,
        ..Parts::default()
    };
    let other_node = Parts { node: "web 2".to_owned(), ..wanted.clone() };
    let info = Parts { level: logflux_wire::Level::Info, ..wanted.clone() };
    let fresh = |parts: &Parts| {
        let Parts { node, level, .. } = parts.clone();
        Parts { node, level, ..Parts::default() }.json()
    };
    server.post_with(&other, "/v1/ingest", fresh(&wanted)).stored(1, 0);
    server.post("/v1/ingest", fresh(&other_node)).stored(1, 0);
    server.post("/v1/ingest", fresh(&info)).stored(1, 0);
    let sent = fresh(&wanted);
    server.post("/v1/ingest", &sent).stored(1, 0);
    assert_eq!(next(&mut tail).unwrap().1, sent);
}

#[test]
fn what_a_tail_does_not_take_is_refused() {
    let server = TestServer::with(|config| config.limits.tails = 1);
    for query in ["limit=5", "order=asc", "cursor=x", "from=2024-01-17T10:30:45Z", "x=1", "level=9"]
    {
        server.get(&format!("/v1/tail?{query}")).error(400, "invalid_query");
    }
    let authorization = format!("Bearer {}", server.key);
    for id in ["x", "-1", "", "1.0", "99999999999999999999"] {
        let headers = [("authorization", authorization.as_str()), ("last-event-id", id)];
        server.send("GET", "/v1/tail", &headers, b"").error(400, "invalid_query");
    }
    server.get_with(&server.new_key("acme", Scope::Ingest), "/v1/tail").error(403, "forbidden");
    server.send("GET", "/v1/tail", &[], b"").error(401, "unauthorized");

    let (status, tail) = server.begin(&server.key, "/v1/tail", &[]);
    assert_eq!(status, 200);
    server.get("/v1/tail").error(503, "overloaded");
    drop(tail);
    // The server notices when it next looks.
    let began = Instant::now();
    while server.begin(&server.key, "/v1/tail", &[]).0 != 200 {
        server.post("/v1/ingest", entry()).stored(1, 0);
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn a_tail_ends_with_its_key_and_with_the_server() {
    let mut server = TestServer::start();
    let keys = Keys::open(server.data()).unwrap();
    let (key, info) = keys
        .create(&logflux_server::NewKey::new("acme".parse().unwrap(), Scope::Read.into()))
        .unwrap();
    let (_, mut tail) = server.begin(key.expose(), "/v1/tail", &[]);
    next(&mut tail).unwrap();
    keys.revoke(&info.id).unwrap();
    let began = Instant::now();
    assert_eq!(next(&mut tail), None);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());

    let (_, mut tail) = server.begin(&server.key, "/v1/tail", &[]);
    next(&mut tail).unwrap();
    let began = Instant::now();
    server.running.take().unwrap().stop().unwrap();
    assert_eq!(next(&mut tail), None);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}
