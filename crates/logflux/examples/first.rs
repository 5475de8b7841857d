//! The first lines: through the macros, and through `tracing`.
//!
//! ```console
//! $ export LOGFLUX_SERVER_URL=… LOGFLUX_API_KEY=… LOGFLUX_SECRET=…
//! $ cargo run --example first
//! ```

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Closes the client when it is dropped, at the end of `main`.
    let guard = logflux::init(logflux::Config::from_env()?)?;
    // For programs without a shutdown of their own: what was logged before ctrl-c arrives as well.
    #[cfg(unix)]
    logflux::close_on_termination()?;

    let id = 4711;
    logflux::info!("user {id} logged in");

    // To the terminal and to LogFlux. A layer without a filter shows every step of LogFlux's own
    // requests, too.
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_filter(LevelFilter::INFO))
        .with(logflux::layer())
        .init();
    let request = tracing::info_span!("request", id = 7).entered();
    tracing::warn!(user = id, "card refused");
    drop(request);

    guard.close(std::time::Duration::from_secs(5))?;
    println!("{} delivered", guard.stats().delivered);
    Ok(())
}
