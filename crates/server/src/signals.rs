//! What the process is told from outside: to end, or to read its settings again.

use std::future::Future;
use std::io;
use std::sync::Arc;

use crate::config::ServerConfig;
use crate::reload::Reloader;

/// A future that is done when the process is asked to end.
pub(crate) fn interrupted() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        tokio::signal::ctrl_c().await.ok();
    })
}

/// A future that reads the settings again at every SIGHUP, and never ends.
pub(crate) fn reload_at_hangup(
    reloader: Reloader,
    read: impl Fn() -> Result<ServerConfig, String> + Send + Sync + 'static,
) -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut hangup = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup())?
    };
    let read = Arc::new(read);
    Ok(async move {
        loop {
            #[cfg(unix)]
            let received = hangup.recv().await;
            #[cfg(not(unix))]
            let received: Option<()> = None;
            if received.is_none() {
                return std::future::pending().await;
            }
            let (reloader, read) = (reloader.clone(), Arc::clone(&read));
            let reload = move || reload(&reloader, || read());
            tokio::task::spawn_blocking(reload).await.ok();
        }
    })
}

fn reload(reloader: &Reloader, read: impl FnOnce() -> Result<ServerConfig, String>) {
    let reloaded =
        read().and_then(|config| reloader.reload(config).map_err(|error| error.to_string()));
    match reloaded {
        Ok(waiting) => {
            tracing::info!("the settings, the keys and the certificate were read again");
            if !waiting.is_empty() {
                let settings = waiting.join(", ");
                tracing::warn!(settings, "these settings have changed, and count after a restart");
            }
        }
        Err(error) => {
            tracing::error!(error, "the settings were not read again, and the old ones stay");
        }
    }
}
