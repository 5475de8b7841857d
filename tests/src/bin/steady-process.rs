//! A process that logs so many lines a second, with the settings of the environment, for the tests of
//! the defaults.
//!
//! It logs `NAME 0`, `NAME 1`, …, closes its client, and says on standard output what became of them.

use std::error::Error;
use std::io::{self, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use logflux_transport::{Client, ClientConfig, SecretSource};

/// How long the close may wait: for two windows of the server's limit.
const CLOSE: Duration = Duration::from_secs(120);

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().ok_or("usage: steady-process NAME LINES-A-SECOND SECONDS");
    let (name, rate, seconds): (String, u32, u32) = (next()?, next()?.parse()?, next()?.parse()?);
    let client =
        Client::builder(ClientConfig::from_env()?, SecretSource::from_env()?.load()?).build()?;
    let begun = Instant::now();
    for line in 0..rate * seconds {
        let at = begun + Duration::from_secs(1) / rate * line;
        thread::sleep(at.saturating_duration_since(Instant::now()));
        client.info(&format!("{name} {line}"));
    }
    let closed = client.close(CLOSE);
    let stats = client.stats();
    writeln!(
        io::stdout(),
        "{} {} {} {} {}",
        stats.accepted,
        stats.delivered,
        stats.dropped.total(),
        stats.requests,
        stats.retries
    )?;
    Ok(closed?)
}
