//! How a command that goes on and on ships: through the client, with its queue and its spool.

use std::path::PathBuf;
use std::process;
use std::time::Duration;

use clap::{Args, ValueEnum};
use logflux_transport::{Client, WhenFull};

use crate::connection::ConnectionArgs;
use crate::failure::{Failure, Outcome};
use crate::sealing::SealingArgs;
use crate::secret::SecretArgs;

/// A client's settings.
#[derive(Args, Clone, Debug)]
pub(crate) struct ShippingArgs {
    /// The folder of a durable spool: what is in it survives a crash (LOGFLUX_SPOOL_DIR)
    #[arg(long, value_name = "DIR")]
    spool_dir: Option<PathBuf>,
    /// What happens to lines when the server is slower than they come
    #[arg(long, value_enum, default_value_t)]
    when_full: Full,
    /// How long to wait at the end for what is not delivered yet
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = logflux_transport::parse_duration)]
    close_timeout: Duration,
    #[command(flatten)]
    pub(crate) sealing: SealingArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) secret: SecretArgs,
}

/// What happens to lines when the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Full {
    /// New ones are dropped, and counted.
    #[default]
    DropNewest,
    /// The oldest are dropped, and counted.
    DropOldest,
    /// Reading waits, and so does whoever writes.
    Block,
}

impl ShippingArgs {
    /// Builds the client. On SIGINT, SIGTERM and SIGHUP it is closed, and the program ends.
    pub(crate) fn client(&self) -> Outcome<Client> {
        let mut settings = self.connection.settings()?;
        settings.node = Some(self.sealing.node()?);
        if let Some(folder) = &self.spool_dir {
            settings.spool_dir = Some(folder.clone());
        }
        let (mode, policy) = self.sealing.mode_and_policy()?;
        let client = Client::builder(settings, self.secret.secret()?)
            .mode(mode)
            .key_policy(policy)
            .when_full(match self.when_full {
                Full::DropNewest => WhenFull::DropNewest,
                Full::DropOldest => WhenFull::DropOldest,
                Full::Block => WhenFull::Block,
            })
            .build()?;
        let (ended, timeout) = (client.clone(), self.close_timeout);
        ctrlc::set_handler(move || {
            let status = i32::from(end(&ended, timeout).is_err());
            process::exit(status);
        })
        .map_err(|error| Failure::new(format!("no handler for signals: {error}")))?;
        Ok(client)
    }

    /// Logs a line with the level and the time that were chosen.
    pub(crate) fn log(&self, client: &Client, line: &[u8]) {
        client.log_bytes(self.sealing.level(), line, self.sealing.timestamp());
    }

    /// Delivers what is left, and fails where something was lost.
    pub(crate) fn close(&self, client: &Client) -> Outcome {
        end(client, self.close_timeout)
    }
}

fn end(client: &Client, timeout: Duration) -> Outcome {
    // What is left is counted among the drops, or is in the spool.
    let _ = client.close(timeout);
    let stats = client.stats();
    if stats.spooled > 0 {
        anstream::eprintln!("{} lines are in the spool, and are sent the next time", stats.spooled);
    }
    let lost = stats.dropped.total();
    if lost == 0 {
        return Ok(());
    }
    let reasons: Vec<String> = stats
        .dropped
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    let last = stats.last_error.map(|error| format!(" (last error: {error})")).unwrap_or_default();
    Err(Failure::new(format!("{lost} lines were not delivered: {}{last}", reasons.join(", "))))
}
