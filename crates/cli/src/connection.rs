//! Which server a command talks to, and with which key.

use std::path::PathBuf;

use clap::Args;
use logflux_transport::ClientConfig;

use crate::failure::Outcome;
use crate::options::{self, ClientOptions};
use crate::rereading::is_set;

/// The server; by default what the LOGFLUX_… variables say. The key is in LOGFLUX_API_KEY or in a
/// file, since an argument would show in `ps`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConnectionArgs {
    #[arg(long, value_name = "URL", help_heading = "Server", help = options::help("server_url"))]
    server_url: Option<String>,
    #[arg(long, value_name = "FILE", help_heading = "Server", help = options::help("api_key_file"))]
    api_key_file: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help_heading = "Server", help = options::help("ca_file"))]
    ca_file: Option<PathBuf>,
}

impl ConnectionArgs {
    pub(crate) fn settings(&self) -> Outcome<ClientConfig> {
        self.settings_with(&ClientOptions::default())
    }

    /// The settings that are named here, by these options, and by the environment.
    pub(crate) fn settings_with(&self, options: &ClientOptions) -> Outcome<ClientConfig> {
        let key_file = self.api_key_file.as_deref();
        let mut config = options.config(self.server_url.as_deref(), key_file)?;
        if let Some(path) = &self.ca_file {
            config.ca_file = Some(path.clone());
        }
        Ok(config)
    }

    /// Whether the API key comes from a file.
    pub(crate) fn is_key_read_again(&self) -> bool {
        self.api_key_file.is_some() || is_set("LOGFLUX_API_KEY_FILE")
    }
}
