//! What a client holds in memory. It must be the first section, while the process is small.

use std::error::Error;
use std::time::Duration;

use logflux_envelope::{Level, Secret};
use logflux_transport::{Backoff, Client, ClientConfig, FlushInterval, MaxRetries, QueueSize};

const FULL: usize = 10_000;

pub(crate) fn section() -> String {
    match measure() {
        Ok([idle, full]) => format!(
            "Resident memory beyond that of the process before, in MiB: {idle:.1} for a client that \
             has sealed one message and failed to send it (its threads run, its keys are derived), \
             {full:.1} with a full queue of {FULL} messages of 256 bytes, sealed and waiting for a \
             server that is not there.\n"
        ),
        Err(error) => format!("Not measured: {error}\n"),
    }
}

fn measure() -> Result<[f64; 2], Box<dyn Error>> {
    let before = resident_mib()?;
    let key = "lf_0123456789abcdefABCDEF0123456789".parse()?;
    let mut settings = ClientConfig::new("https://127.0.0.1:1".parse()?, key);
    settings.retry.max_retries = MaxRetries::new(1_000_000)?;
    let minute = Duration::from_secs(60);
    settings.retry.backoff = Backoff::new(minute, minute, 2.0)?;
    settings.queue_size = QueueSize::new(FULL)?;
    settings.flush_interval = FlushInterval::new(Duration::from_millis(50))?;
    let client = Client::builder(settings, Secret::generate()?).build()?;
    client.log(Level::Info, "one");
    let _ = client.flush(Duration::from_secs(2));
    let idle = resident_mib()? - before;
    let message = "x".repeat(256);
    for _ in 1..FULL {
        client.log(Level::Info, &message);
    }
    let _ = client.flush(Duration::from_secs(2));
    let full = resident_mib()? - before;
    client.close(Duration::ZERO).ok();
    Ok([idle, full])
}

fn resident_mib() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib / 1024.0)
}
