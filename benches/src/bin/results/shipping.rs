//! Lines from a logging call to a durable 200 of our own server, on the same machine.

use std::error::Error;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use logflux_envelope::{KeyPolicy, Level, Mode, Secret};
use logflux_server::{Keys, NewKey, Rates, Scope, Server, ServerConfig, dev_tls};
use logflux_transport::{Client, ClientConfig, WhenFull};

const LINES: u32 = 100_000;
const LEN: usize = 256;

pub(crate) fn section() -> String {
    let mut text = format!(
        "{LINES} lines of {LEN} bytes from one thread, over TLS, to a durable answer of our own \
         server in the same process, on the same cores. A full queue blocks the caller.\n\n\
         | | seconds | lines a second | requests | keys | resident MiB |\n|---|---:|---:|---:|---:|---:|\n"
    );
    for (name, mode, spool) in [
        ("mode 1, default policy", Mode::Pbkdf2, false),
        ("mode 1, default policy, spooled", Mode::Pbkdf2, true),
        ("mode 128", Mode::Hkdf, false),
    ] {
        match ship(mode, spool) {
            Ok(row) => {
                let _ = writeln!(text, "| {name} | {row} |");
            }
            Err(error) => {
                let _ = writeln!(text, "| {name} | {error} |");
            }
        }
    }
    text
}

fn ship(mode: Mode, spool: bool) -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let tls = dev_tls(&data)?;
    let (key, _) = Keys::open(&data)?.create(&NewKey::new("t".parse()?, Scope::Ingest.into()))?;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config = ServerConfig::new(any, &data, tls.files);
    config.rates = Rates::NONE; // What is measured is the speed.
    let server = Server::bind(config)?.spawn()?;
    let mut settings = ClientConfig::new(format!("https://{}", server.addr()).parse()?, key);
    settings.ca_file = Some(tls.ca);
    settings.spool_dir = spool.then(|| folder.path().join("spool"));
    let client = Client::builder(settings, Secret::generate()?)
        .mode(mode)
        .key_policy(KeyPolicy::DEFAULT)
        .when_full(WhenFull::Block)
        .build()?;
    let line = "x".repeat(LEN);
    let started = Instant::now();
    for _ in 0..LINES {
        client.log(Level::Info, &line);
    }
    client.close(Duration::from_secs(300))?;
    let took = started.elapsed().as_secs_f64();
    let stats = client.stats();
    server.stop()?;
    if stats.delivered != u64::from(LINES) {
        return Err(format!("{} were delivered", stats.delivered).into());
    }
    Ok(format!(
        "{took:.2} | {:.0} | {} | {} | {:.0}",
        f64::from(LINES) / took,
        stats.requests,
        stats.derivations,
        resident_mib().unwrap_or_default()
    ))
}

/// What this process, the server included, holds in memory.
fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
