//! `logflux completions`

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::Outcome;
use crate::streams::stdout;

/// Print the completions of a shell
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  logflux completions bash > /etc/bash_completion.d/logflux
  logflux completions zsh > ~/.zfunc/_logflux")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::Cli::command(), "logflux", &mut script);
        stdout().write_all(&script)?;
        Ok(())
    }
}
