//! Other settings and certificates for a server that runs.

use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;

use crate::api::App;
use crate::config::{Limits, ServerConfig, Timeouts};
use crate::server::ServerError;
use crate::tls;

/// Puts other settings in force in a server that runs. It stays good for as long as the server.
#[derive(Clone)]
pub struct Reloader {
    pub(crate) app: App,
    pub(crate) tls: RustlsConfig,
    /// The settings that it was started with.
    pub(crate) started: Arc<ServerConfig>,
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloader").finish_non_exhaustive()
    }
}

impl Reloader {
    /// Reads the certificate again, takes over the settings, and gives the names of those that have
    /// changed but will count only after a restart. Connections stay as they are; requests and
    /// handshakes that begin from now on go by the new settings.
    ///
    /// # Errors
    /// [`ServerError`] of the certificate or the webhook, and then nothing has changed.
    pub fn reload(&self, config: ServerConfig) -> Result<Vec<&'static str>, ServerError> {
        let tls = tls::load(&config.tls)?;
        let waiting = needs_restart(&self.started, &config);
        self.app.configure(config)?;
        self.tls.reload_from_config(tls);
        self.app.keys().look();
        Ok(waiting)
    }
}

fn needs_restart(old: &ServerConfig, new: &ServerConfig) -> Vec<&'static str> {
    let limit = |of: fn(&Limits) -> usize| of(&old.limits) != of(&new.limits);
    let timeout = |of: fn(&Timeouts) -> std::time::Duration| of(&old.timeouts) != of(&new.timeouts);
    [
        ("listen", old.listen != new.listen),
        ("data", old.data != new.data),
        ("store", old.store != new.store),
        ("limits.tails", limit(|limits| limits.tails)),
        ("limits.answers", limit(|limits| limits.answers)),
        ("limits.bodies", limit(|limits| limits.bodies)),
        ("limits.queue_requests", limit(|limits| limits.queue_requests)),
        ("limits.queue_bytes", limit(|limits| limits.queue_bytes)),
        ("timeouts.handshake", timeout(|timeouts| timeouts.handshake)),
        ("timeouts.header", timeout(|timeouts| timeouts.header)),
    ]
    .into_iter()
    .filter_map(|(name, changed)| changed.then_some(name))
    .collect()
}
