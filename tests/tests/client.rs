//! The client against a real server over TLS: what is logged arrives once, and is counted.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::time::{Duration, Instant};

use logflux_envelope::Level;
use logflux_tests::{ENOUGH, Place, assert_conserved, secret};
use logflux_transport::{Client, DropReason, FlushInterval};

#[test]
fn what_is_logged_arrives_in_order_and_is_counted() {
    let (place, _running) = Place::new();
    let client = Client::builder(place.settings(), secret()).build().unwrap();
    let lines: Vec<String> = (0..2_345).map(|i| format!("line {i}")).collect();
    for line in &lines {
        client.info(line);
    }
    assert_conserved(&client.stats());
    client.flush(ENOUGH).unwrap();
    let stats = client.stats();
    assert_conserved(&stats);
    assert_eq!((stats.delivered, stats.dropped.total()), (2_345, 0));
    assert_eq!(place.stored(), lines);
    client.close(ENOUGH).unwrap();
    client.close(ENOUGH).unwrap();
    client.info("too late");
    let stats = client.stats();
    assert_conserved(&stats);
    assert_eq!(stats.dropped.by(DropReason::Closed), 1);
}

#[test]
fn a_few_messages_arrive_by_themselves_within_the_interval() {
    let (place, _running) = Place::new();
    let mut settings = place.settings();
    settings.flush_interval = FlushInterval::new(Duration::from_millis(100)).unwrap();
    let client = Client::builder(settings, secret()).min_level(Level::Warning).build().unwrap();
    client.warning("one");
    client.info("below the level");
    client.emergency("two");
    let begun = Instant::now();
    while client.stats().delivered < 2 {
        assert!(begun.elapsed() < ENOUGH);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(client.stats().accepted, 2);
    let mut stored = place.stored();
    stored.sort();
    assert_eq!(stored, ["one", "two"]);
}

#[test]
fn a_server_that_comes_and_goes_loses_and_repeats_nothing() {
    let (place, running) = Place::new();
    let client = Client::builder(place.settings(), secret()).build().unwrap();
    let mut running = Some(running);
    let lines: Vec<String> = (0..3_000).map(|i| format!("line {i}")).collect();
    for (i, line) in lines.iter().enumerate() {
        client.notice(line);
        match i % 1_000 {
            300 => running.take().unwrap().stop().unwrap(),
            700 => running = Some(place.serve()),
            _ => {}
        }
        if i % 100 == 0 {
            std::thread::sleep(Duration::from_millis(20));
            assert_conserved(&client.stats());
        }
    }
    client.flush(ENOUGH).unwrap();
    assert_conserved(&client.stats());
    let mut stored = place.stored();
    stored.sort_by_key(|line| line.split(' ').nth(1).unwrap().parse::<u32>().unwrap());
    assert_eq!(stored, lines);
}

#[test]
fn a_spool_outlives_its_process_and_a_flush_makes_it_durable() {
    let (place, running) = Place::new();
    running.stop().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = place.settings();
    settings.spool_dir = Some(folder.path().to_owned());
    let client = Client::builder(settings.clone(), secret()).build().unwrap();
    let lines: Vec<String> = (0..500).map(|i| format!("line {i}")).collect();
    for line in &lines {
        client.info(line);
    }
    client.flush(ENOUGH).unwrap();
    let stats = client.stats();
    assert_conserved(&stats);
    assert_eq!((stats.spooled, stats.delivered), (500, 0));
    client.close(Duration::from_secs(5)).unwrap();
    drop(client);

    let _running = place.serve();
    let client = Client::builder(settings, secret()).build().unwrap();
    client.info("one more");
    client.close(ENOUGH).unwrap();
    let stats = client.stats();
    assert_conserved(&stats);
    assert_eq!((stats.delivered, stats.spooled), (501, 0), "{stats:?}");
    let mut stored = place.stored();
    assert_eq!(stored.pop().as_deref(), Some("one more"));
    assert_eq!(stored, lines);
}

#[test]
fn flush_and_close_return_in_time_whatever_the_server_does() {
    let (place, running) = Place::new();
    running.stop().unwrap();
    let client = Client::builder(place.settings(), secret()).build().unwrap();
    client.error("line");
    for timeout in [Duration::ZERO, Duration::from_millis(200)] {
        let begun = Instant::now();
        assert_eq!(client.flush(timeout).unwrap_err().left, 1);
        // 50 ms are promised; a busy machine takes its time.
        assert!(begun.elapsed() < timeout + Duration::from_secs(2));
    }
    let begun = Instant::now();
    let lost = client.close(Duration::from_millis(200)).unwrap_err();
    assert_eq!((lost.dropped, lost.left), (1, 0));
    assert!(begun.elapsed() < Duration::from_secs(3));
    let stats = client.stats();
    assert_conserved(&stats);
    assert_eq!((stats.pending, stats.dropped.by(DropReason::Closed)), (0, 1));
}
