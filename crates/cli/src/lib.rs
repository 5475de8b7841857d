//! The program `logflux`: seals, ships, keeps, queries and opens encrypted logs.
//!
//! Every command is a file of `commands`; what several share is beside it. Results go to stdout,
//! everything else to stderr. Exit status: 0 done, 1 something failed, 2 wrong usage; `certify` has more.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;

mod commands;
mod connection;
mod failure;
mod follow;
mod lines;
mod options;
mod output;
mod printing;
mod progress;
mod rereading;
mod sealing;
mod secret;
mod shipping;
mod signals;
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

/// Runs the program with these arguments, of which the first is its name, and gives the exit status.
///
/// The Python package has the same program by this. A command that is told to end by a signal, or
/// that has to end at once, ends the process.
pub fn run<T: Into<OsString> + Clone>(args: impl IntoIterator<Item = T>) -> u8 {
    let status = match Cli::try_parse_from(args) {
        Ok(cli) => match cli.command.run() {
            Ok(()) => 0,
            Err(failure) => failure.report(),
        },
        Err(usage) => {
            // Help goes to stdout, with status 0, and wrong usage to stderr, with status 2.
            let _ = usage.print();
            u8::try_from(usage.exit_code()).unwrap_or(2)
        }
    };
    // A host that is no Rust program does not do it at its end.
    let _ = io::stdout().flush();
    status
}
