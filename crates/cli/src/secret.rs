//! Where a command gets its secret. Never from an argument.

use std::path::PathBuf;

use clap::Args;
use logflux_envelope::{Keyring, Secret};
use logflux_transport::{SecretCommandTimeout, SecretSource};

use crate::failure::Outcome;
use crate::rereading::is_set;

/// Where the secret is; by default what LOGFLUX_SECRET, LOGFLUX_SECRET_FILE or
/// LOGFLUX_SECRET_COMMAND says.
#[derive(Args, Clone, Debug)]
pub(crate) struct SecretArgs {
    /// A file with the secret; one line end at its end does not count.
    ///
    /// To open, it may be given several times, the newest secret first.
    #[arg(long, value_name = "FILE", help_heading = "Secret")]
    secret_file: Vec<PathBuf>,
    /// A command that prints the secret, such as a secrets manager's; run by `sh -c`.
    #[arg(long, value_name = "COMMAND", conflicts_with = "secret_file", help_heading = "Secret")]
    secret_command: Option<String>,
}

impl SecretArgs {
    /// The secret to seal with: the first.
    pub(crate) fn secret(&self) -> Outcome<Secret> {
        let source = match (&self.secret_command, self.secret_file.first()) {
            (Some(command), _) => SecretSource::Command(command.clone()),
            (None, Some(path)) => SecretSource::File(path.clone()),
            (None, None) => SecretSource::from_env()?,
        };
        Ok(source.load_within(SecretCommandTimeout::from_env()?.get())?)
    }

    /// The secrets to open with, the newest first.
    pub(crate) fn secrets(&self) -> Outcome<Vec<Secret>> {
        let older = self.secret_file.iter().skip(1).cloned();
        let older = older.map(|path| Ok(SecretSource::File(path).load()?));
        std::iter::once(self.secret()).chain(older).collect()
    }

    /// The same, to open with.
    pub(crate) fn keyring(&self) -> Outcome<Keyring> {
        Ok(Keyring::from_secrets(self.secrets()?)?)
    }

    /// Whether the secret comes from where it can change while the program runs.
    pub(crate) fn is_read_again(&self) -> bool {
        self.secret_command.is_some()
            || !self.secret_file.is_empty()
            || is_set("LOGFLUX_SECRET_FILE")
            || is_set("LOGFLUX_SECRET_COMMAND")
    }
}
