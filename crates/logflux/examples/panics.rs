//! Panics as log lines, beside what the panic hook writes to stderr.
//!
//! ```console
//! $ export LOGFLUX_SERVER_URL=… LOGFLUX_API_KEY=… LOGFLUX_SECRET=…
//! $ cargo run --example panics
//! ```

use std::thread;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = logflux::init(logflux::Config::from_env()?)?;
    // After other hooks are set: it calls the one that it finds.
    logflux::log_panics();

    let prices: Vec<u32> = Vec::new();
    let worker = thread::Builder::new().name("prices".to_owned());
    if worker
        .spawn(move || prices.iter().sum::<u32>() / u32::try_from(prices.len()).unwrap_or(0))?
        .join()
        .is_err()
    {
        logflux::warning!("the prices are those of yesterday");
    }
    Ok(())
}
