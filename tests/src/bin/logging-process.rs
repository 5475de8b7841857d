//! A process that logs and flushes until it is killed, for the tests of the client.
//!
//! It logs `RUN 0`, `RUN 1`, … with the settings of the environment, and after every flush it says
//! on standard output how many of them are now sure to last.

use std::error::Error;
use std::io::{self, Write as _};
use std::time::Duration;

use logflux_envelope::Mode;
use logflux_transport::{Client, ClientConfig, SecretSource};

fn main() -> Result<(), Box<dyn Error>> {
    let run = std::env::args().nth(1).ok_or("usage: logging-process RUN")?;
    let settings = ClientConfig::from_env()?;
    let secret = SecretSource::from_env()?.load_within(settings.secret_command_timeout.get())?;
    let client = Client::builder(settings, secret).mode(Mode::Hkdf).build()?;
    let mut logged = 0_u64;
    for batch in (1..=40).cycle() {
        for _ in 0..batch {
            client.info(&format!("{run} {logged}"));
            logged += 1;
        }
        client.flush(Duration::from_secs(60))?;
        let stats = client.stats();
        if stats.accepted != stats.delivered + stats.dropped.total() + stats.pending + stats.spooled
            || stats.dropped.total() > 0
        {
            return Err(format!("it does not add up, or was dropped: {stats:?}").into());
        }
        writeln!(io::stdout(), "{logged}")?;
    }
    Ok(())
}
