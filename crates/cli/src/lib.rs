//! The program `logflux`: seals, ships, keeps, queries and opens encrypted logs.
//!
//! Every command is a file of `commands`; what several share is beside it. Results go to stdout,
//! everything else to stderr. Exit status: 0 done, 1 something failed, 2 wrong usage; `certify` has more.

use std::ffi::{OsStr, OsString};
use std::io::Write;

use clap::Parser;

mod batch;
mod commands;
mod connection;
mod elements;
mod ending;
mod escape;
mod failure;
mod faults;
mod filter;
mod follow;
mod lines;
mod moment;
mod numbers;
mod options;
mod output;
mod printing;
mod progress;
mod rereading;
mod sealing;
mod secret;
mod shipping;
mod signals;
mod splitter;
mod streams;
mod unsent;
mod upkeep;

use crate::failure::{Failure, Outcome};
use crate::streams::{Stderr, print_styled};

/// Encrypted logs: sealed inside the application, opened only with the secret.
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
    streams::fill_closed();
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let outcome = match Cli::try_parse_from(&args) {
        Ok(cli) => cli.command.run(),
        Err(usage) => tell_usage(&usage, &args),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => failure.report(),
    }
}

/// Help goes to stdout, with status 0, and wrong usage to stderr, with status 2.
fn tell_usage(usage: &clap::Error, args: &[OsString]) -> Outcome {
    if !usage.use_stderr() {
        return print_styled(&usage.render().ansi().to_string());
    }
    // An argument may be the name of a file that somebody else has made.
    let escape = |arg: &OsString| OsString::from(escape::line(&arg.to_string_lossy()));
    let escaped: Vec<OsString> = args.iter().map(escape).collect();
    let again = (args != escaped).then(|| Cli::try_parse_from(&escaped).err()).flatten();
    let usage = again.as_ref().unwrap_or(usage);
    let styled = usage.render().ansi().to_string();
    let plain = numbers::in_words(&usage.render().to_string());
    let shown = escape::lines(&plain);
    // clap takes escape sequences out of the plain text, and leaves them in the other.
    let clean = |value: &OsStr| {
        let value = value.to_string_lossy();
        escape::line(&value) == value
    };
    let ours = |name: &OsStr| name.to_string_lossy().starts_with("LOGFLUX_");
    let clean = args.iter().all(|arg| clean(arg))
        && std::env::vars_os().all(|(name, value)| !ours(&name) || clean(&value));
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let shown = if colours && clean && shown == plain { numbers::in_words(&styled) } else { shown };
    let _ = Stderr.write_all(shown.as_bytes());
    Err(Failure::Status(u8::try_from(usage.exit_code()).unwrap_or(2)))
}
