//! Which server a command talks to, and with which key.

use std::env;
use std::path::PathBuf;

use clap::Args;
use logflux_transport::Settings;

use crate::failure::Outcome;

/// The server; by default what the LOGFLUX_… variables say. The key is LOGFLUX_API_KEY's alone,
/// since an argument would show in `ps`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConnectionArgs {
    /// The ingest API, https://… (LOGFLUX_SERVER_URL)
    #[arg(long, value_name = "URL", help_heading = "Server")]
    server_url: Option<String>,
    /// The file of a private authority to trust, in PEM (LOGFLUX_CA_FILE)
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    ca_file: Option<PathBuf>,
}

impl ConnectionArgs {
    pub(crate) fn settings(&self) -> Outcome<Settings> {
        let mut settings = Settings::from_variables(&|name| match (name, &self.server_url) {
            ("LOGFLUX_SERVER_URL", Some(url)) => Some(url.into()),
            _ => env::var_os(name),
        })?;
        if let Some(path) = &self.ca_file {
            settings.ca_file = Some(path.clone());
        }
        Ok(settings)
    }
}
