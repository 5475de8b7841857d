//! What tests of the client have in common.

#![allow(clippy::unwrap_used, clippy::panic)] // A failed test may say so.

use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Entry, Opener, Secret};
use logflux_transport::{
    Backoff, Client, ClientConfig, ClientStats, FlushInterval, HttpTimeout, MaxRetries, Unflushed,
};
use logflux_wire::ApiKey;

/// Longer than anything takes that works, on the busiest machine.
pub const ENOUGH: Duration = Duration::from_secs(60);

/// The secret of the tests.
#[must_use]
pub fn secret() -> Secret {
    Secret::new("correct horse battery staple").unwrap()
}

/// Impatient settings for a client of the server at `address`, which the authority in `ca_file`
/// vouches for.
#[must_use]
pub fn settings(address: &str, key: &ApiKey, ca_file: &Path) -> ClientConfig {
    let endpoint = format!("https://{address}").parse().unwrap();
    let mut settings = ClientConfig::new(endpoint, key.clone());
    settings.ca_file = Some(ca_file.to_owned());
    settings.node = Some("n".parse().unwrap());
    settings.http_timeout = HttpTimeout::new(Duration::from_secs(20)).unwrap();
    settings.flush_interval = FlushInterval::new(Duration::from_millis(20)).unwrap();
    let (first, longest) = (Duration::from_millis(20), Duration::from_millis(200));
    settings.retry.backoff = Backoff::new(first, longest, 2.0).unwrap();
    settings.retry.max_retries = MaxRetries::new(100_000).unwrap();
    settings
}

/// Asserts that every message that was accepted is in exactly one place.
pub fn assert_conserved(stats: &ClientStats) {
    let sum = stats.delivered + stats.dropped.total() + stats.pending + stats.spooled;
    assert_eq!(stats.accepted, sum, "{stats:?}");
}

/// Reads a client's statistics, which add up.
#[must_use]
pub fn logged(client: &Client) -> ClientStats {
    let stats = client.stats();
    assert_conserved(&stats);
    stats
}

/// Flushes, until nothing is left. Gives how many messages were dropped since the client was built;
/// all others are delivered, or durable.
#[must_use]
pub fn flushed(client: &Client) -> u64 {
    dropped(client.flush(ENOUGH))
}

/// Closes the client, as [`flushed`] flushes it.
#[must_use]
pub fn closed(client: &Client) -> u64 {
    dropped(client.close(ENOUGH))
}

fn dropped(result: Result<(), Unflushed>) -> u64 {
    let Err(unflushed) = result else { return 0 };
    assert_eq!(unflushed.left, 0, "{unflushed}");
    assert_ne!(unflushed.dropped, 0, "no reason to fail");
    unflushed.dropped
}

/// Waits until the statistics, which add up at every read, are as they should.
pub fn wait_for(client: &Client, what: &str, mut done: impl FnMut(&ClientStats) -> bool) {
    let begun = Instant::now();
    loop {
        let stats = logged(client);
        if done(&stats) {
            return;
        }
        assert!(begun.elapsed() < ENOUGH, "{what}: {stats:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Does something while another thread reads the client's statistics without a pause, and asserts
/// that they add up at every read.
pub fn watched<T>(client: &Client, work: impl FnOnce() -> T) -> T {
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                assert_conserved(&client.stats());
                thread::sleep(Duration::from_micros(200));
            }
        });
        let _stop = Stop(&over);
        work()
    })
}

/// The messages `line 0`, `line 1`, …
#[must_use]
pub fn lines(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("line {number}")).collect()
}

/// A number of the environment, which makes a short test a long one.
#[must_use]
pub fn number<T: FromStr>(variable: &str, otherwise: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Opens entries with the secret of the tests.
#[must_use]
pub fn open_all(entries: &[Entry]) -> Vec<String> {
    Opener::new(secret()).open_many(entries).into_iter().map(Result::unwrap).collect()
}
