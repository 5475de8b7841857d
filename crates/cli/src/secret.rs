//! Where a command gets its secret. Never from an argument.

use std::path::PathBuf;

use clap::Args;
use logflux_envelope::{Keyring, Secret};
use logflux_transport::{SecretCommandTimeout, SecretSource};

use crate::failure::Outcome;

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

    /// The secrets to open with.
    pub(crate) fn keyring(&self) -> Outcome<Keyring> {
        let older = self.secret_file.iter().skip(1);
        older.cloned().try_fold(Keyring::new(self.secret()?), |keyring, path| {
            Ok(keyring.with_older(SecretSource::File(path).load()?))
        })
    }
}
