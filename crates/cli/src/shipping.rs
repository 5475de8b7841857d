//! How a command that goes on and on ships: through the client, with its queue and its spool.

use std::process;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use logflux_envelope::Secret;
use logflux_transport::{Client, ClientConfig, ClientStats, Rotation};

use crate::connection::ConnectionArgs;
use crate::failure::{Failure, Outcome};
use crate::options::ClientOptions;
use crate::rereading::{changeable, tell};
use crate::sealing::SealingArgs;
use crate::secret::SecretArgs;
use crate::signals;
use crate::streams::say;

/// A client's settings.
#[derive(Args, Clone, Debug)]
pub(crate) struct ShippingArgs {
    #[command(flatten)]
    options: ClientOptions,
    #[command(flatten)]
    pub(crate) sealing: SealingArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) secret: SecretArgs,
}

impl ShippingArgs {
    /// The settings of the client, or of a single pass.
    pub(crate) fn settings(&self) -> Outcome<ClientConfig> {
        self.connection.settings_with(&self.options)
    }

    /// Builds the client. On SIGINT and SIGTERM it is closed, and the program ends; on SIGHUP the
    /// secret, the API key and the CA file are read again.
    pub(crate) fn client(&self) -> Outcome<Client> {
        self.client_of(self.settings()?, |client, _| {
            let status = i32::from(end(client).is_err());
            process::exit(status);
        })
    }

    /// [`client`](Self::client) with these settings. A signal that asks for an end calls `end` with its
    /// number.
    pub(crate) fn client_of(
        &self,
        mut config: ClientConfig,
        end: impl Fn(&Client, i32) + Clone + Send + 'static,
    ) -> Outcome<Client> {
        config.node = Some(self.sealing.node()?);
        let (mode, policy) = self.sealing.mode_and_policy()?;
        let secret = self.secret.secret()?;
        let builder = Client::builder(config, secret.clone());
        let client = builder.mode(mode).key_policy(policy).build()?;
        let ended = client.clone();
        let end = move |signal| end(&ended, signal);
        signals::at_end(end.clone())?;
        let (rotated, shipping, secret) = (client.clone(), self.clone(), Mutex::new(secret));
        signals::at_hangup(
            move || {
                let mut secret = secret.lock().unwrap_or_else(PoisonError::into_inner);
                tell(shipping.rotate(&rotated, &mut secret));
            },
            end,
        )?;
        Ok(client)
    }

    /// Reads everything again, and goes on with it, or, where a part cannot be read, with nothing of
    /// it. Gives what was read from where it can change.
    fn rotate(&self, client: &Client, secret: &mut Secret) -> Outcome<Vec<&'static str>> {
        let config = self.settings()?;
        let newest = self.secret.secret()?;
        let read = changeable(&self.connection, &config, Some(&self.secret));
        let mut rotation = Rotation::new().api_key(config.api_key);
        if let Some(path) = config.ca_file {
            rotation = rotation.ca_file(path);
        }
        // The same secret has its keys already.
        if newest.expose() != secret.expose() {
            rotation = rotation.secret(newest.clone());
        }
        client.rotate(rotation)?;
        *secret = newest;
        Ok(read)
    }

    /// Logs a line with the level and the time that were chosen.
    pub(crate) fn log(&self, client: &Client, line: &[u8]) {
        client.log_bytes(self.sealing.level(), line, self.sealing.timestamp());
    }
}

/// Delivers what is left, and fails where something was lost.
pub(crate) fn end(client: &Client) -> Outcome {
    // What is left is counted among the drops, or is in the spool.
    let _ = client.close(client.close_timeout());
    outcome(client)
}

/// What became of the lines of a client that is closed.
pub(crate) fn outcome(client: &Client) -> Outcome {
    let stats = client.stats();
    if stats.spooled > 0 {
        let spooled = usize::try_from(stats.spooled).unwrap_or(usize::MAX);
        let (lines, are) = if spooled == 1 { ("line is", "is") } else { ("lines are", "are") };
        say!("{spooled} {lines} in the spool, and {are} sent the next time");
    }
    if stats.dropped.total() == 0 { Ok(()) } else { Err(Failure::new(lost(&stats))) }
}

/// How many lines were lost, and why.
pub(crate) fn lost(stats: &ClientStats) -> String {
    let lost = match stats.dropped.total() {
        1 => "1 line was".to_owned(),
        lost => format!("{lost} lines were"),
    };
    let reasons: Vec<String> = stats
        .dropped
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    let reasons = reasons.join(", ");
    match &stats.last_error {
        Some(error) => format!(
            "{lost} not delivered: {reasons} (last error: {error}); `logflux doctor` checks the settings"
        ),
        None => format!("{lost} not delivered: {reasons}"),
    }
}
