//! The program `logflux`: seals, ships, keeps, queries and opens encrypted logs.
//!
//! Every command is a file of `commands`; what several share is beside it. Results go to stdout,
//! everything else to stderr. Exit status: 0 done, 1 something failed, 2 wrong usage.

use std::process::ExitCode;

use clap::Parser;

mod commands;
mod connection;
mod failure;
mod follow;
mod lines;
mod output;
mod printing;
mod progress;
mod sealing;
mod secret;
mod shipping;
mod upkeep;

/// Encrypted logs: sealed inside the application, opened only by whoever holds the secret.
#[derive(Debug, Parser)]
#[command(name = "logflux", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Examples:
  logflux demo                                    the whole way, on this machine alone
  export LOGFLUX_SECRET=$(logflux keygen)
  echo 'User login successful' | logflux seal | logflux open

`logflux COMMAND --help` has an example of every command.")]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
