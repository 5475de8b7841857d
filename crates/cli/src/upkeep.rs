//! What a server keeps, and who is told of alerts.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;
use logflux_server::ServerConfig;
use logflux_server::monitor::WebhookSettings;

/// Of the settings of the store and the monitors, those that have flags.
#[derive(Args, Clone, Debug)]
pub(crate) struct UpkeepArgs {
    /// Delete entries that came longer ago, such as 30d [default: keep them]
    #[arg(long, value_name = "DURATION", value_parser = logflux_transport::parse_duration)]
    retain: Option<Duration>,
    /// Delete the oldest entries while the store takes more, such as 20GB [default: no bound]
    #[arg(long, value_name = "SIZE")]
    max_size: Option<ByteSize>,
    /// Post alerts to this URL, https://…, signed with the secret of --webhook-secret-file
    #[arg(long, value_name = "URL", requires = "webhook_secret_file")]
    webhook_url: Option<String>,
    /// The file of the secret that signs alerts, 16 bytes or more
    #[arg(long, value_name = "FILE", requires = "webhook_url")]
    webhook_secret_file: Option<PathBuf>,
    /// The file of a private authority to trust for the webhook, in PEM
    #[arg(long, value_name = "FILE", requires = "webhook_url")]
    webhook_ca_file: Option<PathBuf>,
}

impl UpkeepArgs {
    /// Puts what is given in the place of what is set.
    pub(crate) fn apply(&self, config: &mut ServerConfig) {
        config.store.retain = self.retain.or(config.store.retain);
        config.store.max_size = self.max_size.or(config.store.max_size);
        if let (Some(url), Some(secret)) = (&self.webhook_url, &self.webhook_secret_file) {
            let mut webhook = WebhookSettings::new(url, secret);
            webhook.ca_file.clone_from(&self.webhook_ca_file);
            config.monitor.webhook = Some(webhook);
        }
    }
}
