//! A process that was restored from a snapshot: its client goes on, with new keys and a new
//! connection. One test, since it is about the whole process.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::HashSet;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use logflux_envelope::Mode;
use logflux_tests::{ENOUGH, Place, logged, secret, settings};
use logflux_transport::{Client, InFlight};
use logflux_wire::query::Query;

/// Passes connections on to the server, and counts them.
fn counting(server: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for client in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    (address, count)
}

#[test]
fn after_a_restore_the_client_goes_on_with_new_keys_and_a_new_connection() {
    let (place, _running) = Place::new();
    let (address, connections) = counting(place.address());
    let spool = tempfile::tempdir().unwrap();
    for spool_dir in [None, Some(spool.path().to_owned())] {
        let mut settings = settings(&address, place.key(), &place.ca_file());
        settings.spool_dir = spool_dir;
        settings.max_in_flight = InFlight::new(1).unwrap();
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        let before = connections.load(Ordering::SeqCst);
        let deliver = |line| {
            client.info(line);
            let wanted = client.stats().accepted;
            logflux_tests::wait_for(&client, line, |stats| stats.delivered == wanted);
            connections.load(Ordering::SeqCst) - before
        };
        assert_eq!([deliver("one"), deliver("two")], [1, 1]);
        logflux::after_restore();
        assert_eq!([deliver("three"), deliver("four")], [2, 2]);
        client.close(ENOUGH).unwrap();
        assert_eq!(logged(&client).dropped.total(), 0);
    }
    let entries = place.api().query(&Query::default()).unwrap().entries;
    let epochs: HashSet<_> = entries
        .iter()
        .map(|entry| entry.as_ref().unwrap().salt().as_bytes()[..16].to_vec())
        .collect();
    assert_eq!((entries.len(), epochs.len()), (8, 4));
}
