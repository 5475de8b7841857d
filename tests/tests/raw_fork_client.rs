//! A process with a client that is duplicated past the C library: the child has a client of its own,
//! which delivers its messages and none of its parent's. One test, so that nothing else runs beside.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use logflux_envelope::{Mode, Opener};
use logflux_tests::{ENOUGH, Server, Way, assert_conserved, in_raw_child, secret, settings};
use logflux_transport::{Client, FlushInterval};
use logflux_wire::query::Query;

#[test]
fn a_child_delivers_its_own_messages_and_none_of_its_parent_s_however_it_was_made() {
    let server = Server::start("127.0.0.1").unwrap();
    let key = server.keys(&["create", "--scope", "admin"]).unwrap().parse().unwrap();
    let spool = tempfile::tempdir().unwrap();
    let (mut expected, mut epochs_of) =
        (HashSet::new(), HashMap::<String, HashSet<[u8; 16]>>::new());
    for spool in [None, Some(spool.path().to_owned())] {
        let mut settings = settings(&server.address, &key, &server.ca());
        // Nothing is sent unless something asks for it, so that the client sleeps.
        settings.flush_interval = FlushInterval::new(Duration::from_secs(3600)).unwrap();
        settings.spool_dir = spool.clone();
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        for way in Way::ALL {
            let name = |who: &str| format!("{who} {way:?} {}", spool.is_some());
            let log = |who: &str| (0..5).for_each(|n| client.info(&format!("{} {n}", name(who))));
            expected.extend([name("child"), name("parent")]);
            // Has threads, keys and a connection of its own.
            log("parent");
            client.flush(ENOUGH).unwrap();
            log("parent");
            let well = in_raw_child(way, || {
                assert_eq!(client.stats().accepted, 0, "the parent's messages are counted");
                log("child");
                client.flush(ENOUGH).unwrap();
                log("child");
                client.close(ENOUGH).unwrap();
                let stats = client.stats();
                assert_conserved(&stats);
                assert_eq!((stats.delivered, stats.dropped.total()), (10, 0), "{stats:?}");
            });
            assert!(well, "{}: the child hangs or failed", name("child"));
        }
        client.close(ENOUGH).unwrap();
        let stats = client.stats();
        assert_eq!((stats.delivered, stats.dropped.total()), (30, 0), "{stats:?}");
    }

    let api = settings(&server.address, &key, &server.ca()).api().unwrap();
    let (opener, mut query, mut stored) = (Opener::new(secret()), Query::default(), HashMap::new());
    loop {
        let page = api.query(&query).unwrap();
        for entry in page.entries {
            let entry = entry.unwrap();
            let message = opener.open(&entry).unwrap();
            let (name, _) = message.rsplit_once(' ').unwrap();
            *stored.entry(message.clone()).or_insert(0) += 1;
            let epoch = entry.salt().as_bytes()[..16].try_into().unwrap();
            epochs_of.entry(name.to_owned()).or_default().insert(epoch);
        }
        if page.cursor.is_none() {
            break;
        }
        query.cursor = page.cursor;
    }
    // Each line twice from each process: before and after a flush.
    assert!(stored.values().all(|times| *times == 2), "{stored:?}");
    assert_eq!(stored.len(), 5 * expected.len(), "{stored:?}");
    for name in expected.iter().filter(|name| name.starts_with("child")) {
        for (other, epochs) in epochs_of.iter().filter(|(other, _)| *other != name) {
            assert!(epochs.is_disjoint(&epochs_of[name]), "{name} and {other} share a key");
        }
    }
}
