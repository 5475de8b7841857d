//! `logflux certify`

use std::ffi::OsString;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use glob::Pattern;
use logflux_certify::{Case, Certificate, CertifyError, Options, report};
use logflux_transport::parse_duration;

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::progress;
use crate::streams::{print_styled, stdout};

/// Certify an implementation in any language: is it compatible, and does it refuse what it must
///
/// Starts COMMAND, which answers requests on its standard input with answers on its standard output,
/// a line of JSON each (docs/certify.md), and judges it by some 2,100 cases: vectors, what it seals
/// by itself, and what it sends to servers that misbehave.
///
/// Exit status: 0 certified, 1 not, 2 wrong usage, 3 the subject crashed, hung or broke the
/// protocol, 4 incomplete (it lacks something that every one must have), 5 an expected failure
/// passed.
#[derive(Args, Debug)]
#[command(
    name = "certify",
    after_help = "Examples:
  logflux certify -- ./my-subject
  logflux certify --only 'open/tag/*' -- python3 subject.py
  logflux certify --format junit --badge logflux.svg -- ./my-subject > certify.xml
  logflux certify --expected-failures known.txt -- ./my-subject
  logflux certify --list --only 'transport/*'"
)]
pub(crate) struct Certify {
    /// The subject and its arguments
    #[arg(last = true, required_unless_present = "list", value_name = "COMMAND")]
    command: Vec<OsString>,
    /// Name every case, with its level and the sentence that it comes from, and run nothing
    #[arg(long, conflicts_with_all = ["badge", "expected_failures", "command"])]
    list: bool,
    /// Only the cases whose id fits this pattern, with `*` and `?` (may be given again); a part of
    /// the suite certifies nothing
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    only: Vec<Pattern>,
    /// The form of the report on stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write a badge, for a README
    #[arg(long, value_name = "FILE.svg", conflicts_with = "only")]
    badge: Option<PathBuf>,
    /// A file of patterns, a line each, of cases that are known to fail: one that passes is status 5
    #[arg(long, value_name = "FILE")]
    expected_failures: Option<PathBuf>,
    /// How long a request may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// How many processes of the subject to run at a time [default: one a core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For test reporters.
    Junit,
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::new(text).map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("it must be more than nothing".to_owned()) } else { Ok(duration) }
}

impl Certify {
    pub(crate) fn run(self) -> Outcome {
        if self.list {
            return self.list();
        }
        let Some((program, args)) = self.command.split_first() else {
            return Err(Failure::Usage("no COMMAND was given".to_owned()));
        };
        let mut options = Options::new(program);
        options.args = args.to_vec();
        options.only = self.only;
        options.limit = self.timeout;
        options.jobs = self.jobs.map_or(options.jobs, NonZeroUsize::get);
        if let Some(path) = &self.expected_failures {
            options.expected_failures = expected_failures(path)?;
        }
        let bar = progress::bar("certifying", 0);
        let certificate = logflux_certify::certify(&options, |at| {
            bar.set_length(u64::try_from(at.total).unwrap_or(u64::MAX));
            progress::set(&bar, at.done);
        });
        bar.finish_and_clear();
        let certificate = certificate.map_err(|error| match error {
            CertifyError::Start { .. } | CertifyError::NoSuchCase(_) => {
                Failure::Usage(error.to_string())
            }
            other => other.into(),
        })?;
        if let Some(path) = &self.badge {
            std::fs::write(path, report::badge(&certificate))
                .map_err(|error| Failure::new(format!("{}: {error}", escape::path(path))))?;
        }
        print(&certificate, self.format)?;
        match certificate.verdict().exit_status() {
            0 => Ok(()),
            status => Err(Failure::Status(status)),
        }
    }

    fn list(&self) -> Outcome {
        let cases = logflux_certify::cases()?;
        let fits = |case: &&Case| {
            self.only.is_empty() || self.only.iter().any(|pattern| pattern.matches(&case.id))
        };
        let chosen: Vec<&Case> = cases.iter().filter(fits).collect();
        if chosen.is_empty() {
            return Err(Failure::Usage("no case fits --only".to_owned()));
        }
        match self.format {
            Format::Text => write!(stdout(), "{}", report::list_text(&chosen))?,
            Format::Json => writeln!(stdout(), "{:#}", report::list_json(&chosen))?,
            Format::Junit => {
                return Err(Failure::Usage("--list has the formats text and json".to_owned()));
            }
        }
        Ok(())
    }
}

fn print(certificate: &Certificate, format: Format) -> Outcome {
    match format {
        Format::Text => print_styled(&report::text(certificate))?,
        Format::Json => writeln!(stdout(), "{:#}", report::json(certificate))?,
        Format::Junit => write!(stdout(), "{}", report::junit(certificate))?,
    }
    Ok(())
}

/// The patterns of a file, without empty lines and comments that begin with `#`.
fn expected_failures(path: &Path) -> Outcome<Vec<Pattern>> {
    let named = |what: &dyn std::fmt::Display| format!("{}: {what}", escape::path(path));
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(named(&error)))?;
    let mut patterns = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let wrong = |error| Failure::Usage(named(&format!("line {}: {error}", number + 1)));
            patterns.push(pattern(line).map_err(wrong)?);
        }
    }
    Ok(patterns)
}
