//! The client's spool: one for every client, and one that the disk damages.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::fs;
use std::time::Duration;

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply};
use logflux_tests::{ENOUGH, Place, closed, lines, logged, secret, wait_for, watched};
use logflux_transport::{
    Client, ClientConfig, DropReason, FlushInterval, Spool, SpoolError, SpoolOptions,
};
use tempfile::TempDir;

fn client(settings: &ClientConfig, folder: &TempDir) -> Client {
    let mut settings = settings.clone();
    settings.spool_dir = Some(folder.path().to_owned());
    Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap()
}

#[test]
fn two_clients_with_one_folder_do_not_disturb_each_other() {
    let (place, running) = Place::new();
    running.stop().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (client(&place.settings(), &folder), client(&place.settings(), &folder));
    let all = lines(0..400);
    for pair in all.chunks(2) {
        one.info(&pair[0]);
        two.info(&pair[1]);
    }
    for client in [&one, &two] {
        client.flush(ENOUGH).unwrap();
        assert_eq!(logged(client).spooled, 200);
    }
    let _running = place.serve();
    for client in [one, two] {
        client.flush(ENOUGH).unwrap();
        while logged(&client).spooled > 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(logged(&client).delivered, 200);
    }
    let mut stored = place.stored();
    stored.sort_by_key(|line| line.split(' ').nth(1).unwrap().parse::<usize>().unwrap());
    assert_eq!(stored, all);
}

#[test]
fn what_the_disk_damages_is_counted_and_the_rest_is_delivered() {
    let (place, running) = Place::new();
    running.stop().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let earlier = client(&place.settings(), &folder);
    lines(0..300).iter().for_each(|line| earlier.info(line));
    earlier.flush(ENOUGH).unwrap();
    let _ = earlier.close(Duration::ZERO);
    drop(earlier);

    // The worker gives the folder back when it ends.
    let own = folder.path().join("own-0000");
    while let Err(error) = Spool::open(&own, SpoolOptions::default()) {
        assert!(matches!(error, SpoolError::Locked(_)), "{error}");
        std::thread::sleep(Duration::from_millis(2));
    }
    // The next client knows of all, and has read none back, when a byte flips.
    let later = client(&place.settings(), &folder);
    assert_eq!(logged(&later).spooled, 300);
    let mut flipped = 0;
    for file in fs::read_dir(own).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        if bytes.len() > 50_000 {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
            flipped += 1;
        }
    }
    assert_eq!(flipped, 1, "the segment was not found");
    let _running = place.serve();
    watched(&later, || {
        later.info("line 300");
        assert_eq!(closed(&later), 1);
    });
    let stats = logged(&later);
    assert_eq!((stats.pending, stats.spooled), (0, 0), "{stats:?}");
    assert_eq!(stats.dropped.by(DropReason::SpoolDamaged), 1, "{stats:?}");
    assert_eq!(stats.delivered, 300);
    assert_eq!(place.stored().len(), 300);
}

#[test]
fn with_a_spool_a_message_is_durable_before_anything_is_sent_and_without_a_flush() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), Reply::taken);
    let folder = tempfile::tempdir().unwrap();
    let mut settings = endpoint.settings(&authority);
    settings.spool_dir = Some(folder.path().to_owned());
    // A request could wait for more messages as long as this.
    settings.flush_interval = FlushInterval::new(Duration::from_secs(3_600)).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    client.info("line");
    wait_for(&client, "a durable message", |stats| stats.spooled == 1);
    assert!(endpoint.requests().is_empty());
    assert_eq!(closed(&client), 0);
    assert_eq!(endpoint.requests().len(), 1);
}
