//! What goes back: the right entries, in order, page by page.

use logflux_server::Scope;
use logflux_wire::{Entry, Level, Timestamp};

use crate::common::{Answer, Parts, TestServer, array, entries, random};

/// Entries of two nodes and all levels, many of them at the same time, oldest first and in the
/// order in which they are sent.
fn history() -> Vec<Entry> {
    let mut history = Vec::new();
    for i in 0..60_u64 {
        let timestamp =
            Timestamp::from_unix(1_705_487_445 + i64::try_from(i / 7).unwrap(), 500).unwrap();
        let level = Level::from_number(i % 8 + 1).unwrap();
        let node = if i % 3 == 0 { "db" } else { "web \"1\"" }.to_owned();
        history.push(Parts { node, level, timestamp, ..Parts::default() }.entry());
    }
    history
}

fn send(server: &TestServer, history: &[Entry]) {
    let json: Vec<String> = history.iter().map(Entry::to_json).collect();
    server.post("/v1/ingest", array(&json)).stored(json.len(), 0);
}

fn texts(entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
    entries.into_iter().map(|entry| entry.to_json()).collect()
}

/// Follows the cursor from page to page.
fn all_pages(server: &TestServer, query: &str, limit: usize) -> Vec<String> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/v1/entries?limit={limit}{query}{cursor}"));
        assert_eq!(page.status, 200, "{}", page.text);
        let these = page.entries();
        assert!(these.len() <= limit);
        entries.extend(these);
        match page.cursor() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
        assert!(entries.len() <= 1_000, "the pages do not end");
    }
}

#[test]
fn every_filter_gives_what_it_says_in_both_orders_and_any_page_size() {
    let server = TestServer::start();
    let history = history();
    send(&server, &history);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let from = at("2024-01-17T10:30:47.0000005Z");
    let to = at("2024-01-17T10:30:50.0000005Z");
    type Filter<'a> = (&'a str, Box<dyn Fn(&Entry) -> bool>);
    let filters: Vec<Filter<'_>> = vec![
        ("", Box::new(|_| true)),
        ("&level=error", Box::new(|e| e.level().number() <= 4)),
        ("&level=8", Box::new(|_| true)),
        ("&level=1", Box::new(|e| e.level() == Level::Emergency)),
        ("&node=db", Box::new(|e| e.node().as_str() == "db")),
        (
            "&node=web+%221%22&level=3",
            Box::new(|e| e.node().as_str() != "db" && e.level().number() <= 3),
        ),
        ("&node=nobody", Box::new(|_| false)),
        ("&from=2024-01-17T10:30:47.0000005Z", Box::new(move |e| e.timestamp() >= from)),
        ("&to=2024-01-17T10:30:50.0000005Z", Box::new(move |e| e.timestamp() < to)),
        (
            "&from=2024-01-17T10:30:47.0000005Z&to=2024-01-17T12:30:50.0000005%2B02:00&node=db&level=warning",
            Box::new(move |e| {
                (from..to).contains(&e.timestamp())
                    && e.node().as_str() == "db"
                    && e.level().number() <= 5
            }),
        ),
        ("&from=2024-01-17T10:30:50Z&to=2024-01-17T10:30:47Z", Box::new(|_| false)),
    ];
    for (query, filter) in filters {
        let mut expected = texts(history.iter().filter(|e| filter(e)).cloned());
        for order in ["&order=asc", "&order=desc"] {
            for limit in [1, 3, 7, 1_000] {
                let got = all_pages(&server, &format!("{query}{order}"), limit);
                assert_eq!(got, expected, "{query} {order} by {limit}");
            }
            expected.reverse();
        }
    }
}

#[test]
fn the_default_is_the_newest_hundred() {
    let server = TestServer::start();
    let history = history();
    send(&server, &history);
    let more = history.iter().map(|e| Parts {
        timestamp: e.timestamp(),
        iv: random(),
        ..Parts::default()
    });
    let more: Vec<Entry> = more.map(Parts::entry).collect();
    send(&server, &more);
    let page = server.get("/v1/entries");
    assert_eq!(page.entries().len(), 100);
    assert_eq!(page.entries()[0], more[59].to_json());
    assert!(page.cursor().is_some());
    let json = page.json();
    assert_eq!(json["status"], "success");
    assert_eq!(json["request_id"].as_str(), page.header("x-request-id"));
    assert_eq!(page.header("content-type"), Some("application/json"));
}

#[test]
fn entries_that_come_while_pages_are_read_disturb_nothing() {
    let server = TestServer::start();
    let history = history();
    send(&server, &history);
    let first = server.get("/v1/entries?limit=30");
    let later = Parts { timestamp: "2030-01-01T00:00:00Z".parse().unwrap(), ..Parts::default() };
    send(&server, &[later.entry()]);
    let second = server.get(&format!("/v1/entries?limit=100&cursor={}", first.cursor().unwrap()));
    let mut got = first.entries();
    got.extend(second.entries());
    got.reverse();
    assert_eq!(got, texts(history));
    assert_eq!(second.cursor(), None);
}

#[test]
fn ndjson_is_an_entry_a_line_and_the_cursor_a_header() {
    let server = TestServer::start();
    let history = history();
    send(&server, &history);
    let authorization = format!("Bearer {}", server.key);
    let get = |path: &str, accept: &str| -> Answer {
        server.send("GET", path, &[("authorization", &authorization), ("accept", accept)], b"")
    };
    let page = get("/v1/entries?order=asc&limit=40", "application/x-ndjson");
    assert_eq!(page.header("content-type"), Some("application/x-ndjson"));
    let next = page.header("x-next-cursor").unwrap();
    let last = get(
        &format!("/v1/entries?order=asc&cursor={next}"),
        "text/html, Application/X-NDJSON;q=0.9",
    );
    assert_eq!(last.header("x-next-cursor"), None);
    let lines: Vec<_> = page.text.lines().chain(last.text.lines()).collect();
    assert_eq!(lines, texts(history));
    assert!(page.text.ends_with("}\n"));
    assert_eq!(get("/v1/entries?node=nobody", "application/x-ndjson").text, "");
    for accept in ["*/*", "application/json", "text/html"] {
        assert_eq!(get("/v1/entries", accept).entries().len(), 60);
    }
}

#[test]
fn a_page_of_large_entries_is_cut_and_goes_on() {
    let server = TestServer::with(|config| config.limits.page = 1_000);
    let mut sent = entries(5);
    server.post("/v1/ingest", array(&sent)).stored(5, 0);
    let large = Parts { payload: vec![7; 3_000], ..Parts::default() }.json();
    server.post("/v1/ingest", &large).stored(1, 0);
    sent.push(large);
    let first = server.get("/v1/entries?order=asc");
    assert!((2..6).contains(&first.entries().len()), "{}", first.text);
    assert_eq!(all_pages(&server, "&order=asc", 1_000), sent);
}

#[test]
fn a_query_that_breaks_a_rule_is_refused_and_its_parameter_named() {
    let server = TestServer::start();
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("order=up", "order"),
        ("level=0", "level"),
        ("level=loud", "level"),
        ("node=", "node"),
        ("node=a%00b", "node"),
        ("from=yesterday", "from"),
        ("to=2024-01-17T10:30:45+02:00", "to"),
        ("cursor=1", "cursor"),
        ("cursor=", "cursor"),
    ] {
        let error = server.get(&format!("/v1/entries?{query}")).error(400, "invalid_query");
        assert_eq!(error["details"]["parameter"], parameter, "{query}: {error}");
        assert!(error["message"].as_str().unwrap().contains(parameter), "{error}");
    }
    server.get("/v1/entries?node=%FF").error(400, "invalid_query");
    assert_eq!(server.get("/v1/entries?node=%ef%bf%bd").status, 200);
    let error = server.get("/v1/entries?tenant=other").error(400, "invalid_query");
    assert!(error["message"].as_str().unwrap().contains("tenant"));
}

/// A cursor says nothing of how much others store: whatever comes between, it is the same.
#[test]
fn a_cursor_counts_the_tenants_own_entries() {
    let cursors = |between: usize| {
        let server = TestServer::start();
        let both = logflux_server::Scopes::from(Scope::Ingest).and(Scope::Read);
        let other = server.new_key("umbrella", both);
        for one in history() {
            for entry in entries(between) {
                server.post_with(&other, "/v1/ingest", entry).stored(1, 0);
            }
            send(&server, &[one]);
        }
        let page = |query: &str| server.get(&format!("/v1/entries?{query}")).cursor().unwrap();
        [page("limit=7&order=asc"), page("limit=7"), page("limit=1&level=error")]
    };
    assert_eq!(cursors(0), cursors(3));
}

#[test]
fn tenants_never_see_each_others_entries() {
    let server = TestServer::start();
    let sent = entries(3);
    server.post("/v1/ingest", array(&sent)).stored(3, 0);
    let both = logflux_server::Scopes::from(Scope::Ingest).and(Scope::Read);
    let other = server.new_key("umbrella", both);
    assert_eq!(server.get_with(&other, "/v1/entries").entries(), [""; 0]);
    // The same entry is not theirs: it is stored for them as well.
    server.post_with(&other, "/v1/ingest", &sent[0]).stored(1, 0);
    assert_eq!(server.get_with(&other, "/v1/entries").entries(), [sent[0].clone()]);
    // A cursor of another tenant is a place in time, and leads to nothing of theirs.
    let cursor = server.get("/v1/entries?limit=1").cursor().unwrap();
    let page = server.get_with(&other, &format!("/v1/entries?cursor={cursor}"));
    assert!(page.entries().iter().all(|entry| *entry == sent[0]));
    assert_eq!(server.stored(), sent);
    let same_tenant = server.new_key("acme", Scope::Read);
    assert_eq!(server.get_with(&same_tenant, "/v1/entries").entries().len(), 3);
}
