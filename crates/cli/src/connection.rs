//! Which server a command talks to, and with which key.

use std::path::PathBuf;

use clap::Args;
use logflux_transport::ClientConfig;

use crate::failure::Outcome;
use crate::options::{self, ClientOptions};

/// The server; by default what the LOGFLUX_… variables say. The key is LOGFLUX_API_KEY's alone,
/// since an argument would show in `ps`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConnectionArgs {
    #[arg(long, value_name = "URL", help_heading = "Server", help = options::help("server_url"))]
    server_url: Option<String>,
    #[arg(long, value_name = "FILE", help_heading = "Server", help = options::help("ca_file"))]
    ca_file: Option<PathBuf>,
}

impl ConnectionArgs {
    pub(crate) fn settings(&self) -> Outcome<ClientConfig> {
        self.settings_with(&ClientOptions::default())
    }

    /// The settings that are named here, by these options, and by the environment.
    pub(crate) fn settings_with(&self, options: &ClientOptions) -> Outcome<ClientConfig> {
        let mut config = options.config(self.server_url.as_deref())?;
        if let Some(path) = &self.ca_file {
            config.ca_file = Some(path.clone());
        }
        Ok(config)
    }
}
