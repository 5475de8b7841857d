//! How much the ingest API takes, durably, over TLS, with the load generator on the same cores.
//!
//! The server is a process of its own (this program again, see [`serve_if_told`]), so that its memory
//! can be told apart.

mod child;
mod entries;
mod fill;
mod load;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

pub use child::serve_if_told;
pub use fill::fill;

use child::Child;
use load::{Connection, Load};

/// How many entries a request has, as the limit of the protocol is.
pub const BATCH: usize = 100;
/// How long a message is. Sealed it has 16 bytes more.
pub const MESSAGE: usize = 256;
/// How many nodes send.
const NODES: u64 = 100;

/// What a run has shown.
#[derive(Clone, Debug)]
pub struct Run {
    /// Entries a second that were answered as durable.
    pub rate: f64,
    /// Milliseconds of a request: half of them, 99 of 100, and all are within.
    pub latency: [f64; 3],
    /// The most that the server ever held in memory, in MiB.
    pub resident: f64,
    /// Seconds of processor time that the server and the generator have used, for each that passed.
    pub cores: [f64; 2],
}

/// Sends to a server on this data for a while, on so many connections.
///
/// # Errors
/// Where the server does not start, or answers anything but success.
pub fn run(data: &Path, connections: usize, time: Duration) -> Result<Run, Box<dyn Error>> {
    let child = Child::start(data)?;
    // Handshakes and first pages are no part of it.
    load::send(&child, connections, Duration::from_secs(1))?;
    let before = (child.cpu()?, cpu_time::ProcessTime::now());
    let Load { entries, seconds, mut latencies } = load::send(&child, connections, time)?;
    latencies.sort_unstable();
    let at = |percent: usize| {
        let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
        latencies.get(index).copied().unwrap_or(0) as f64 / 1_000.0
    };
    Ok(Run {
        rate: entries as f64 / seconds,
        latency: [at(50), at(99), at(100)],
        resident: child.resident_peak()?,
        cores: [(child.cpu()? - before.0) / seconds, before.1.elapsed().as_secs_f64() / seconds],
    })
}

/// Milliseconds of a query over TLS, the median and the worst of 50 rounds.
///
/// # Errors
/// Where the server does not start, or answers anything but success.
pub fn query(data: &Path) -> Result<String, Box<dyn Error>> {
    let child = Child::start(data)?;
    let mut connection = Connection::open(&child)?;
    let mut table = String::from(
        "| query | entries or counts | median ms | worst ms |\n|---|---:|---:|---:|\n",
    );
    for (name, query) in [
        ("newest 100 of all", ""),
        ("newest 100 of a node", "node=node-7"),
        ("newest 100 of a node, error and worse", "node=node-7&level=error"),
        ("newest 100 of all, error and worse", "level=error"),
        ("newest 100 of all, emergency (there are few)", "level=emergency"),
        ("newest 100 of a node that is not there", "node=nobody"),
        ("counts by minute and level", "/v1/counts?by=level"),
        ("counts by minute, level and node", "/v1/counts?by=level,node"),
        ("counts by hour and level", "/v1/counts?by=level&step=1h"),
        ("the nodes", "/v1/nodes"),
    ] {
        let path = match query {
            path if path.starts_with('/') => path.to_owned(),
            query => format!("/v1/entries?limit=100&{query}"),
        };
        let mut times = Vec::new();
        let mut entries = 0;
        for _ in 0..50 {
            let (answer, took) = connection.get(&path)?;
            entries = answer.matches("\"payload\"").count() + answer.matches("\"bytes\":").count();
            times.push(took.as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        let _ = writeln!(table, "| {name} | {entries} | {:.2} | {:.2} |", at(25), at(49));
    }
    Ok(table)
}
