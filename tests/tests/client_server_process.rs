//! The client and the program `logflux serve`: stopped, continued, killed and started again.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::Mode;
use logflux_tests::{
    ENOUGH, Server, lines, logged, number, secret, settings, stored, wait_for, watched,
};
use logflux_transport::{Client, ClientConfig, FlushInterval, HttpTimeout, QueueSize};
use logflux_wire::ApiKey;

fn server() -> (Server, ClientConfig) {
    let server = Server::start("127.0.0.1").unwrap();
    // What may do all may also read back.
    let key: ApiKey = server.keys(&["create", "--scope", "admin"]).unwrap().parse().unwrap();
    let settings = settings(&server.address, &key, &server.ca());
    (server, settings)
}

#[test]
fn a_server_that_is_stopped_holds_nobody_up_and_gets_everything_when_it_goes_on() {
    let (server, settings) = server();
    // A request to a stopped server is to end soon.
    let mut impatient = settings.clone();
    impatient.http_timeout = HttpTimeout::new(Duration::from_secs(2)).unwrap();
    let client = Client::builder(impatient, secret()).mode(Mode::Hkdf).build().unwrap();
    let all = lines(0..1_000);
    all[..100].iter().for_each(|line| client.info(line));
    client.flush(ENOUGH).unwrap();

    server.signal("STOP").unwrap();
    watched(&client, || {
        let begun = Instant::now();
        all[100..].iter().for_each(|line| client.info(line));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?} to log", begun.elapsed());
        let begun = Instant::now();
        client.flush(Duration::from_millis(100)).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?} to flush", begun.elapsed());
        wait_for(&client, "an attempt in vain", |stats| stats.retries > 0);
    });
    let stats = logged(&client);
    assert_eq!((stats.delivered, stats.pending), (100, 900), "{stats:?}");

    server.signal("CONT").unwrap();
    client.flush(ENOUGH).unwrap();
    assert_eq!(logged(&client).delivered, 1_000);
    assert_eq!(in_order(stored(&settings.api().unwrap())), all);
}

#[test]
fn a_server_that_is_killed_under_load_loses_and_repeats_nothing() {
    let kills: usize = number("LOGFLUX_TEST_SERVER_KILLS", 8);
    let (mut server, settings) = server();
    let mut impatient = settings.clone();
    impatient.queue_size = QueueSize::new(1_000_000).unwrap();
    impatient.flush_interval = FlushInterval::new(Duration::from_millis(2)).unwrap();
    let client = Client::builder(impatient, secret()).mode(Mode::Hkdf).build().unwrap();
    let mut count = 0;
    watched(&client, || {
        for kill in 0..kills {
            // Some are answered, and others under way.
            let answered = logged(&client).delivered;
            while logged(&client).delivered < answered + 50 * (kill as u64 % 4) + 1 {
                lines(count..count + 20).iter().for_each(|line| client.info(line));
                count += 20;
                thread::sleep(Duration::from_millis(1));
            }
            server.kill().unwrap();
            lines(count..count + 20).iter().for_each(|line| client.info(line));
            count += 20;
            server.restart().unwrap();
        }
        client.flush(ENOUGH).unwrap();
    });
    let stats = logged(&client);
    assert_eq!((stats.delivered, stats.dropped.total()), (count as u64, 0), "{stats:?}");
    println!("{kills} kills of the server, {count} lines, {} retries", stats.retries);
    assert_eq!(in_order(stored(&settings.api().unwrap())), lines(0..count));
}

fn in_order(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_by_key(|line| line.split(' ').nth(1).unwrap().parse::<usize>().unwrap());
    lines
}
