//! `logflux vectors`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use logflux_certify::Progress;

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::progress;
use crate::streams::{say, stdout};

/// Write, check and run the test vectors for implementations in any language
#[derive(Args, Debug)]
#[command(
    name = "vectors",
    after_help = "Examples:
  logflux vectors generate
  logflux vectors check
  logflux vectors run --dir ./vectors"
)]
pub(crate) struct Vectors {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the files anew, and name those that changed
    #[command(after_help = "Example:
  logflux vectors generate --dir ./vectors")]
    Generate(Folder),
    /// Check that the files keep to their schema, and are what `generate` writes, byte for byte
    #[command(after_help = "Example:
  logflux vectors check --dir ./vectors")]
    Check(Folder),
    /// Run every case against this program's own core
    #[command(after_help = "Example:
  logflux vectors run --dir ./vectors")]
    Run(Folder),
}

#[derive(Args, Debug)]
struct Folder {
    /// The folder of the files
    #[arg(long, default_value = "vectors", value_name = "DIR")]
    dir: PathBuf,
}

impl Vectors {
    pub(crate) fn run(&self) -> Outcome {
        match &self.action {
            Action::Generate(folder) => generate(&folder.dir),
            Action::Check(folder) => check(&folder.dir),
            Action::Run(folder) => run(&folder.dir),
        }
    }
}

fn generate(dir: &Path) -> Outcome {
    let bar = progress::bar("writing", 0);
    let changed = logflux_certify::write_with(dir, |at| advance(&bar, at))?;
    bar.finish_and_clear();
    for name in &changed {
        writeln!(stdout(), "{name}")?;
    }
    say!("{} files changed in {}", changed.len(), escape::path(dir));
    Ok(())
}

fn check(dir: &Path) -> Outcome {
    let bar = progress::bar("checking", 0);
    let summary = logflux_certify::check_with(dir, |at| advance(&bar, at))?;
    bar.finish_and_clear();
    for ((file, operation), count) in &summary.tests {
        writeln!(stdout(), "{file:<20} {operation:<8} {count:>5}")?;
    }
    writeln!(stdout(), "{} cases, as they are generated", summary.total())?;
    Ok(())
}

fn run(dir: &Path) -> Outcome {
    let bar = progress::bar("running", 0);
    let report = logflux_certify::run_with(dir, |at| advance(&bar, at))?;
    bar.finish_and_clear();
    for failure in &report.failures {
        writeln!(stdout(), "{}", escape::line(&failure.to_string()))?;
    }
    writeln!(stdout(), "{} of {} cases passed", report.passed, report.total())?;
    if report.is_success() { Ok(()) } else { Err(Failure::Told) }
}

fn advance(bar: &ProgressBar, at: Progress) {
    bar.set_length(u64::try_from(at.total).unwrap_or(u64::MAX));
    progress::set(bar, at.done);
}
