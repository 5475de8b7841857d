//! A full queue: exactly the messages are dropped that the policy names, and all are counted.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A failed test may say so.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply};
use logflux_tests::{ENOUGH, Place, closed, flushed, lines, logged, secret, wait_for, watched};
use logflux_transport::{
    Client, ClientConfig, DropReason, DropReport, Dropped, FlushInterval, QueueBytes, QueueSize,
    WhenFull,
};

/// What a client tells of drops, the first time of which holds its worker up until it is let go.
struct Told {
    all: Arc<Mutex<Vec<Dropped>>>,
    entered: Receiver<()>,
    go: Option<Sender<()>>,
}

impl Told {
    fn new() -> (Self, impl Fn(&DropReport) + Send + Sync + 'static) {
        let all = Arc::new(Mutex::new(Vec::new()));
        let (enter, entered) = channel();
        let (go, gone) = channel::<()>();
        let (tell, gone) = (Arc::clone(&all), Mutex::new(gone));
        let on_drop = move |dropped: &DropReport| {
            tell.lock().unwrap().push(**dropped);
            let _ = enter.send(());
            // An error, at once, when it was let go.
            let _ = gone.lock().unwrap().recv();
        };
        (Self { all, entered, go: Some(go) }, on_drop)
    }

    fn let_go(&mut self) {
        self.go = None;
    }

    fn by(&self, reason: DropReason) -> u64 {
        self.all.lock().unwrap().iter().map(|dropped| dropped.by(reason)).sum()
    }
}

/// A client with a queue of ten, the worker of which does nothing before it is let go, and which has
/// taken `line 0` and dropped a message that is too long.
fn held(mut settings: ClientConfig, when_full: WhenFull) -> (Client, Told) {
    let (told, on_drop) = Told::new();
    settings.queue_size = QueueSize::new(10).unwrap();
    settings.flush_interval = FlushInterval::new(ENOUGH).unwrap();
    let client = Client::builder(settings, secret())
        .mode(Mode::Hkdf)
        .when_full(when_full)
        .on_drop(on_drop)
        .build()
        .unwrap();
    client.info(&"x".repeat(Mode::Hkdf.message_max() + 1));
    client.info("line 0");
    told.entered.recv_timeout(ENOUGH).unwrap();
    (client, told)
}

#[test]
fn the_newest_or_the_oldest_are_dropped_and_no_others() {
    for (when_full, kept) in [(WhenFull::DropNewest, 0..10), (WhenFull::DropOldest, 15..25)] {
        let (place, _running) = Place::new();
        let (client, mut told) = held(place.settings(), when_full);
        watched(&client, || lines(1..25).iter().for_each(|line| client.info(line)));
        let stats = logged(&client);
        assert_eq!((stats.accepted, stats.pending), (26, 10), "{stats:?}");
        assert_eq!(stats.dropped.by(DropReason::QueueFull), 15);
        assert_eq!(stats.dropped.by(DropReason::TooLong), 1);
        told.let_go();
        assert_eq!(flushed(&client), 16);
        assert_eq!(place.stored(), lines(kept), "{when_full:?}");
        // There is room again.
        client.info("line 25");
        assert_eq!(closed(&client), 16);
        assert_eq!(place.stored().pop().as_deref(), Some("line 25"));
        client.info("too late");

        let stats = logged(&client);
        assert_eq!((stats.delivered, stats.dropped.total()), (11, 17), "{stats:?}");
        assert_eq!(stats.dropped.by(DropReason::Closed), 1);
        let begun = Instant::now();
        while told.by(DropReason::QueueFull) < 15 {
            assert!(begun.elapsed() < ENOUGH, "it was not told of the drops");
            thread::sleep(Duration::from_millis(2));
        }
        assert_eq!((told.by(DropReason::QueueFull), told.by(DropReason::TooLong)), (15, 1));
    }
}

#[test]
fn a_call_that_blocks_loses_nothing_and_goes_on_when_there_is_room() {
    let (place, _running) = Place::new();
    let (client, mut told) = held(place.settings(), WhenFull::Block);
    thread::scope(|scope| {
        let logging = scope.spawn(|| lines(1..500).iter().for_each(|line| client.info(line)));
        wait_for(&client, "a full queue", |stats| stats.pending == 10);
        // It waits, and the count is right meanwhile.
        thread::sleep(Duration::from_millis(50));
        let stats = logged(&client);
        assert_eq!((stats.pending, stats.dropped.total()), (10, 1));
        assert!(!logging.is_finished());
        told.let_go();
        watched(&client, || logging.join().unwrap());
    });
    assert_eq!(flushed(&client), 1);
    let stats = logged(&client);
    assert_eq!((stats.delivered, stats.dropped.total()), (500, 1), "{stats:?}");
    assert_eq!(place.stored(), lines(0..500));
}

#[test]
fn calls_that_block_end_when_the_client_is_closed() {
    let (place, _running) = Place::new();
    let (client, mut told) = held(place.settings(), WhenFull::Block);
    lines(1..10).iter().for_each(|line| client.info(line));
    thread::scope(|scope| {
        let blocked: Vec<_> =
            (0..4).map(|_| scope.spawn(|| client.info("no room for it"))).collect();
        thread::sleep(Duration::from_millis(50));
        assert!(blocked.iter().all(|thread| !thread.is_finished()));
        watched(&client, || {
            let lost = client.close(Duration::from_millis(100)).unwrap_err();
            // Those ten, the one that was too long, and what the blocked calls gave up meanwhile.
            assert!((11..=15).contains(&lost.dropped) && lost.left == 0, "{lost}");
        });
        blocked.into_iter().for_each(|thread| thread.join().unwrap());
    });
    told.let_go();
    let stats = logged(&client);
    assert_eq!((stats.accepted, stats.dropped.by(DropReason::Closed)), (15, 14), "{stats:?}");
    assert!(place.stored().is_empty());
}

#[test]
fn a_queue_is_bounded_by_bytes_too() {
    let (place, _running) = Place::new();
    let (mut told, on_drop) = Told::new();
    let mut settings = place.settings();
    settings.flush_interval = FlushInterval::new(ENOUGH).unwrap();
    settings.queue_bytes = QueueBytes::new(1_000).unwrap();
    let client =
        Client::builder(settings, secret()).mode(Mode::Hkdf).on_drop(on_drop).build().unwrap();
    client.info(&"x".repeat(Mode::Hkdf.message_max() + 1));
    // Larger than the bound, and taken since nothing else waits.
    client.info(&"y".repeat(1_100));
    told.entered.recv_timeout(ENOUGH).unwrap();
    client.info("no room");
    assert_eq!(logged(&client).dropped.by(DropReason::QueueFull), 1);
    told.let_go();
    assert_eq!(flushed(&client), 2);
    client.info("room");
    assert_eq!(closed(&client), 2);
    assert_eq!(place.stored(), ["y".repeat(1_100), "room".to_owned()]);
    assert_eq!(logged(&client).delivered, 2);
}

#[test]
fn a_call_that_blocks_does_not_wait_for_a_batch_that_the_bound_of_bytes_keeps_small() {
    let (place, _running) = Place::new();
    let mut settings = place.settings();
    settings.flush_interval = FlushInterval::new(Duration::from_secs(3_600)).unwrap();
    settings.queue_bytes = QueueBytes::new(200).unwrap();
    let client = Client::builder(settings, secret())
        .mode(Mode::Hkdf)
        .when_full(WhenFull::Block)
        .build()
        .unwrap();
    // The second does not fit beside the first, which is less than half of the bound.
    let all = [format!("{:60}", "one"), format!("{:150}", "two")];
    watched(&client, || {
        all.iter().for_each(|line| client.info(line));
        client.flush(ENOUGH).unwrap();
    });
    assert_eq!(logged(&client).delivered, 2);
    assert_eq!(place.stored(), all);
}

#[test]
fn the_longest_message_arrives_and_one_byte_more_is_refused() {
    for mode in [Mode::Pbkdf2, Mode::Hkdf] {
        let (place, _running) = Place::new();
        let client = Client::builder(place.settings(), secret()).mode(mode).build().unwrap();
        let longest = "x".repeat(mode.message_max());
        client.info(&longest);
        client.info(&format!("{longest}y"));
        assert_eq!(flushed(&client), 1);
        let stats = logged(&client);
        assert_eq!((stats.delivered, stats.dropped.by(DropReason::TooLong)), (1, 1), "{stats:?}");
        assert!(place.stored() == [longest]);
    }
}

#[test]
fn a_client_tells_of_a_message_that_is_too_long_though_it_has_no_other() {
    let (place, _running) = Place::new();
    let (mut told, on_drop) = Told::new();
    told.let_go();
    let builder = Client::builder(place.settings(), secret()).mode(Mode::Hkdf).on_drop(on_drop);
    let client = builder.build().unwrap();
    client.info(&"x".repeat(Mode::Hkdf.message_max() + 1));
    told.entered.recv_timeout(ENOUGH).unwrap();
    assert_eq!(told.by(DropReason::TooLong), 1);
    assert_eq!(logged(&client).dropped.total(), 1);
}

#[test]
fn a_callback_that_panics_does_not_end_the_client() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), Reply::taken);
    let client = Client::builder(endpoint.settings(&authority), secret())
        .mode(Mode::Hkdf)
        .on_drop(|_| panic!("a bug of the application"))
        .build()
        .unwrap();
    client.info(&"x".repeat(Mode::Hkdf.message_max() + 1));
    client.info("line");
    assert_eq!(flushed(&client), 1);
    client.info("another");
    assert_eq!(closed(&client), 1);
    assert_eq!(logged(&client).delivered, 2);
}

#[test]
fn a_callback_that_logs_never_waits_for_room() {
    let (place, _running) = Place::new();
    let client: Arc<OnceLock<Client>> = Arc::default();
    let logging = Arc::clone(&client);
    let (logged_it, was_logged) = channel();
    let mut settings = place.settings();
    settings.queue_size = QueueSize::new(10).unwrap();
    settings.flush_interval = FlushInterval::new(ENOUGH).unwrap();
    let on_drop = move |_: &DropReport| {
        let client = logging.wait();
        // The queue is full, and nobody but this thread could make room.
        lines(1..20).iter().for_each(|line| client.info(line));
        let _ = logged_it.send(());
    };
    let built = Client::builder(settings, secret())
        .mode(Mode::Hkdf)
        .when_full(WhenFull::Block)
        .on_drop(on_drop)
        .build()
        .unwrap();
    built.info(&"x".repeat(Mode::Hkdf.message_max() + 1));
    built.info("line 0");
    let client = client.get_or_init(|| built);
    was_logged.recv_timeout(ENOUGH).unwrap();
    assert_eq!(flushed(client), 11);
    let stats = logged(client);
    assert_eq!((stats.delivered, stats.dropped.by(DropReason::QueueFull)), (10, 10), "{stats:?}");
    assert_eq!(place.stored(), lines(0..10));
}
