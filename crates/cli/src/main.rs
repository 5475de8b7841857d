//! The program `logflux`. See the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    logflux_cli::run(std::env::args_os()).into()
}
