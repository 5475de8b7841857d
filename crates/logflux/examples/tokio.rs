//! A tokio service that shuts down in order at SIGTERM (`docker stop`, systemd) or ctrl-c.
//!
//! The service has a handler of its own, so it needs no `close_on_termination`.
//!
//! ```console
//! $ export LOGFLUX_SERVER_URL=… LOGFLUX_API_KEY=… LOGFLUX_SECRET=…
//! $ cargo run --example tokio
//! ```

use std::time::Duration;

use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = logflux::init(logflux::Config::from_env()?)?;
    tracing_subscriber::registry().with(logflux::layer()).init();
    logflux::log_panics();

    tracing::info!("started");
    let worker = tokio::spawn(work());
    asked_to_end().await?;
    tracing::info!("shutting down");
    worker.abort();

    // A ticket is a future, so that other tasks run on until everything has arrived. What has not in
    // this time is dropped by the close, or stays in the spool.
    let flushed = tokio::time::timeout(Duration::from_secs(5), guard.flush_begin()).await;
    let closed = guard.close(Duration::ZERO);
    eprintln!("{} lines delivered", guard.stats().delivered);
    if flushed.is_err() {
        eprintln!("not everything was delivered in time");
    }
    Ok(closed?)
}

async fn work() {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        let at = ticks.tick().await;
        tracing::info!(elapsed = ?at.elapsed(), "at work");
    }
}

#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

#[cfg(not(unix))]
async fn asked_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
