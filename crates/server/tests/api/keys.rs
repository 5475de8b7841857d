//! Who may do what, and for how long.

use std::time::{Duration, Instant};

use logflux_server::{Keys, NewKey, Scope, Scopes};
use logflux_wire::Timestamp;

use crate::common::{TestServer, entry, new_key};

#[test]
fn without_a_good_key_nothing_is_taken_and_nothing_given() {
    let server = TestServer::start();
    let unknown = format!("Bearer lf_{}", "A".repeat(32));
    let extended = format!("Bearer {}x", server.key);
    let other_scheme = format!("Basic {}", server.key);
    for authorization in
        [None, Some(""), Some("Bearer"), Some("Bearer lf_short"), Some(&*server.key)]
            .into_iter()
            .chain([&unknown, &extended, &other_scheme].map(|text| Some(text.as_str())))
    {
        for (method, path) in
            [("POST", "/v1/ingest"), ("POST", "/v1/batch"), ("GET", "/v1/entries")]
        {
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(authorization.map(|value| ("authorization", value)));
            let body = if method == "POST" { entry() } else { String::new() };
            let answer = server.send(method, path, &headers, body);
            answer.error(401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert!(!answer.text.contains("lf_A"), "{}", answer.text);
        }
    }
    assert_eq!(server.stored().len(), 0);
    // The scheme is a word in any case.
    let lower = format!("bearer {}", server.key);
    assert_eq!(server.send("GET", "/v1/entries", &[("authorization", &lower)], b"").status, 200);
}

#[test]
fn a_key_does_what_its_scopes_say() {
    let server = TestServer::start();
    for (scopes, may_ingest, may_read) in [
        (Scopes::from(Scope::Ingest), true, false),
        (Scopes::from(Scope::Read), false, true),
        (Scopes::from(Scope::Ingest).and(Scope::Read), true, true),
        (Scopes::from(Scope::Admin), true, true),
    ] {
        let key = server.new_key("acme", scopes);
        let post = server.post_with(&key, "/v1/ingest", entry());
        let get = server.get_with(&key, "/v1/entries");
        for (answer, may) in [(post, may_ingest), (get, may_read)] {
            if may {
                assert_eq!(answer.status, 200, "{scopes}");
            } else {
                answer.error(403, "forbidden");
            }
        }
    }
}

#[test]
fn a_key_of_another_process_works_at_once_and_stops_within_a_second() {
    let server = TestServer::start();
    // Another process would open the folder just so.
    let elsewhere = Keys::open(server.data()).unwrap();
    let key = new_key(&elsewhere, "acme", Scope::Ingest.into());
    server.post_with(&key, "/v1/ingest", entry()).stored(1, 0);
    let info = elsewhere.find(&key.parse().unwrap()).unwrap().unwrap();
    // It is in use all the time, so that the server remembers it.
    server.post_with(&key, "/v1/ingest", entry()).stored(1, 0);
    elsewhere.revoke(&info.id).unwrap();
    let revoked = Instant::now();
    loop {
        let sent = revoked.elapsed();
        if server.post_with(&key, "/v1/ingest", entry()).status != 200 {
            break;
        }
        assert!(sent < Duration::from_secs(1), "still good after a second");
    }
    let answer = server.post_with(&key, "/v1/ingest", entry());
    assert!(answer.error(401, "key_revoked")["message"].as_str().unwrap().contains("revoked"));
}

#[test]
fn a_key_stops_when_it_expires() {
    let server = TestServer::start();
    let now = Timestamp::now();
    let mut new = NewKey::new("acme".parse().unwrap(), Scope::Ingest.into());
    new.expires = Timestamp::from_unix(now.unix_seconds() + 4, 0).ok();
    let (key, _) = server.keys.create(&new).unwrap();
    server.post_with(key.expose(), "/v1/ingest", entry()).stored(1, 0);
    std::thread::sleep(Duration::from_secs(4));
    let answer = server.post_with(key.expose(), "/v1/ingest", entry());
    assert!(answer.error(401, "key_revoked")["message"].as_str().unwrap().contains("expired"));
}
