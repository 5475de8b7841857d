//! What the ingest API takes, into an empty store and into one of ten million entries.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use logflux_benches::ingest::{self, BATCH, MESSAGE, Run};

/// How full the store is the second time.
const FULL: i64 = 10_000_000;
const CONNECTIONS: usize = 12;
const TIME: Duration = Duration::from_secs(20);

pub(crate) fn section() -> String {
    measure().unwrap_or_else(|error| format!("Not measured: {error}\n"))
}

fn measure() -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut text = format!(
        "Requests of {BATCH} entries, each of a message of {MESSAGE} bytes, on {CONNECTIONS} \
         connections over TLS that are kept, each with one request under way, for {} s. An answer \
         says that the entries are durable (fsync). The load generator runs on the same cores.\n\n\
         | store | entries a second | p50 ms | p99 ms | worst ms | resident MiB, peak | cores of the \
         server | of the generator |\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
        TIME.as_secs()
    );
    let empty = run(&data, "empty", &mut text)?;
    ingest::fill(&data, FULL)?;
    let full = run(&data, "10 million entries", &mut text)?;
    let _ = writeln!(
        text,
        "\nThe full store takes {:.0} % of the empty one's rate. Queries of it over TLS, as a client \
         sees them:\n\n{}",
        100.0 * full.rate / empty.rate,
        ingest::query(&data)?
    );
    Ok(text)
}

fn run(data: &Path, name: &str, text: &mut String) -> Result<Run, Box<dyn Error>> {
    let run = ingest::run(data, CONNECTIONS, TIME)?;
    let [p50, p99, worst] = run.latency;
    let [server, generator] = run.cores;
    let _ = writeln!(
        text,
        "| {name} | {:.0} | {p50:.1} | {p99:.1} | {worst:.0} | {:.0} | {server:.2} | {generator:.2} |",
        run.rate, run.resident
    );
    Ok(run)
}
