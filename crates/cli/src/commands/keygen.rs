//! `logflux keygen`

use std::io::Write;

use clap::Args;
use logflux_envelope::Secret;

use crate::failure::Outcome;
use crate::streams::stdout;

/// Make a secret of 256 bits, as 64 hexadecimal digits
#[derive(Args, Debug)]
#[command(after_help = "Anybody with the secret can read the logs; without it nobody can, ever.

Examples:
  logflux keygen > secret.txt && chmod 600 secret.txt
  export LOGFLUX_SECRET=$(logflux keygen)")]
pub(crate) struct Keygen {}

impl Keygen {
    pub(crate) fn run(&self) -> Outcome {
        let secret = Secret::generate()?;
        writeln!(stdout(), "{}", secret.expose())?;
        Ok(())
    }
}
