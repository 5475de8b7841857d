//! Measures the ingest API by hand: `ingest DATA [SECONDS [CONNECTIONS]]`, `ingest DATA fill ENTRIES`,
//! `ingest DATA query`.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use logflux_benches::ingest;

fn main() -> Result<(), Box<dyn Error>> {
    ingest::serve_if_told();
    let mut args = std::env::args().skip(1);
    let data: PathBuf = args.next().ok_or("name a data folder")?.into();
    match args.next().as_deref() {
        Some("fill") => {
            let upto = args.next().ok_or("say up to how many")?.parse()?;
            let began = Instant::now();
            let before = ingest::fill(&data, upto)?;
            let took = began.elapsed().as_secs_f64();
            println!("{} entries in {took:.1} s", upto - before);
        }
        Some("query") => print!("{}", ingest::query(&data)?),
        seconds => {
            let seconds = seconds.map_or(Ok(20), str::parse)?;
            let connections = args.next().map_or(Ok(12), |n| n.parse())?;
            println!("{:?}", ingest::run(&data, connections, Duration::from_secs(seconds))?);
        }
    }
    Ok(())
}
