//! `logflux certify`

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use glob::Pattern;
use logflux_certify::{
    Case, Certificate, CertifyError, Estimate, KeptEndpoint, News, Options, Profile, report,
};
use logflux_transport::parse_duration;

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::progress;
use crate::streams::{print_styled, say, stdout};

/// Certify an implementation in any language: is it compatible, and does it refuse what it must
///
/// Starts COMMAND, which answers requests on its standard input with answers on its standard output,
/// a line of JSON each (docs/certify.md), and judges it by some 2,100 cases: vectors, what it seals
/// by itself, and what it sends to servers that misbehave.
///
/// Exit status: 0 certified, 1 not, 2 wrong usage, 3 the subject crashed, timed out or broke the
/// protocol, 4 incomplete (it lacks something that its profile must have), 5 an expected failure
/// passed.
#[derive(Args, Debug)]
#[command(
    name = "certify",
    after_help = "Examples:
  logflux certify -- ./my-subject
  logflux certify --profile reader -- ./my-reader
  logflux certify --only 'open/tag/*' -- python3 subject.py
  logflux certify --format junit --badge logflux.svg -- ./my-subject > certify.xml
  logflux certify --expected-failures known.txt -- ./my-subject
  logflux certify --list --only 'transport/*'
  logflux certify --show open/tag/flip-007 | grep '^{' | ./my-subject
  logflux certify --keep-endpoint transport/delivers -- ./my-subject"
)]
pub(crate) struct Certify {
    /// The subject and its arguments
    #[arg(last = true, required_unless_present_any = ["list", "show"], value_name = "COMMAND")]
    command: Vec<OsString>,
    /// Name every case, with its level and the sentence that it comes from, and run nothing
    #[arg(long, conflicts_with_all = ["badge", "expected_failures", "command"])]
    list: bool,
    /// Print what a case asks and expects and how to repeat it, and run nothing
    #[arg(long, value_name = "CASE", conflicts_with_all = ["list", "only", "badge", "expected_failures", "command"])]
    show: Option<String>,
    /// Run this transport case alone, print what arrived, and keep its endpoint until the standard
    /// input ends (Ctrl-D)
    #[arg(long, value_name = "CASE", conflicts_with_all = ["list", "show", "only", "badge", "expected_failures", "format", "profile"])]
    keep_endpoint: Option<String>,
    /// What to certify: `reader` (open, parse), `sender` (seal, ship), or `full` (all four)
    #[arg(long, value_enum, default_value_t, value_name = "PROFILE")]
    profile: As,
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
    /// A file of patterns, a line each, of cases that are known to fail, crash or time out: one that
    /// passes is status 5
    #[arg(long, value_name = "FILE")]
    expected_failures: Option<PathBuf>,
    /// How long a request may take; what seals many messages gets more
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// How many processes of the subject to run at a time [default: one a core, and 4 for transport]
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

/// The profiles, as options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum As {
    /// open, parse, seal and ship
    #[default]
    Full,
    /// open and parse
    Reader,
    /// seal and ship
    Sender,
}

impl As {
    const fn profile(self) -> Profile {
        match self {
            Self::Full => Profile::Full,
            Self::Reader => Profile::Reader,
            Self::Sender => Profile::Sender,
        }
    }
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::new(text).map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("it must be more than nothing".to_owned()) } else { Ok(duration) }
}

/// A run of which keys alone take longer says so before.
const LONG: Duration = Duration::from_secs(20);

impl Certify {
    pub(crate) fn run(self) -> Outcome {
        if self.list {
            return self.list();
        }
        if let Some(id) = &self.show {
            return self.show(id);
        }
        let Some((program, args)) = self.command.split_first() else {
            return Err(Failure::Usage("no COMMAND was given".to_owned()));
        };
        let mut options = Options::new(program);
        options.args = args.to_vec();
        options.profile = self.profile.profile();
        options.only = self.only;
        options.limit = self.timeout;
        options.jobs = self.jobs;
        if let Some(path) = &self.expected_failures {
            options.expected_failures = expected_failures(path)?;
        }
        if let Some(id) = &self.keep_endpoint {
            return keep_endpoint(&options, id);
        }
        let bar = progress::bar("certifying", 0);
        let certificate = logflux_certify::certify(&options, |news| match news {
            News::Progress(at) => {
                bar.set_length(u64::try_from(at.total).unwrap_or(u64::MAX));
                progress::set(&bar, at.done);
            }
            News::Estimate(estimate) if estimate.total() > LONG => {
                bar.suspend(|| say!("{}", in_words(&estimate)));
            }
            _ => {}
        });
        bar.finish_and_clear();
        let certificate = certificate.map_err(wrong_usage)?;
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
        let profile = self.profile.profile();
        let fits = |case: &&Case| {
            let chosen =
                self.only.is_empty() || self.only.iter().any(|pattern| pattern.matches(&case.id));
            chosen && profile.asks(case.operations)
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

    fn show(&self, id: &str) -> Outcome {
        let shown = logflux_certify::show(id).map_err(wrong_usage)?;
        match self.format {
            Format::Text => write!(stdout(), "{}", report::show_text(&shown))?,
            Format::Json => writeln!(stdout(), "{:#}", report::show_json(&shown))?,
            Format::Junit => {
                return Err(Failure::Usage("--show has the formats text and json".to_owned()));
            }
        }
        Ok(())
    }
}

fn wrong_usage(error: CertifyError) -> Failure {
    match error {
        CertifyError::Load(_) | CertifyError::Endpoint(_) => error.into(),
        other => Failure::Usage(other.to_string()),
    }
}

/// What a run will take.
fn in_words(estimate: &Estimate) -> String {
    let seconds = estimate.total().as_secs();
    let about =
        if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
    format!(
        "about {about} for keys alone: the subject derives {} of them, {} ms each, in {} processes (--jobs)",
        estimate.derivations,
        estimate.each.as_millis(),
        estimate.processes,
    )
}

/// Runs one case, and shows what arrives at its endpoints until the standard input ends.
fn keep_endpoint(options: &Options, id: &str) -> Outcome {
    const TURN: Duration = Duration::from_millis(100);
    let mut kept = logflux_certify::keep_endpoint(options, id).map_err(wrong_usage)?;
    let several = kept.endpoints.len() > 1;
    trace(&mut kept.endpoints, several)?;
    print_styled(&report::result_text(&kept.result))?;
    for endpoint in &mut kept.endpoints {
        endpoint.begin_anew();
        writeln!(
            stdout(),
            "the endpoint waits at https://{} (authority: {}); Ctrl-D ends it",
            endpoint.address(),
            endpoint.ca_file().display(),
        )?;
    }
    stdout().flush()?;
    let (over, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = over.send(());
    });
    while !kept.endpoints.is_empty() {
        let ended = ended.recv_timeout(TURN);
        trace(&mut kept.endpoints, several)?;
        if ended.is_ok() {
            break;
        }
    }
    match &kept.result.outcome {
        logflux_certify::Outcome::Passed => Ok(()),
        logflux_certify::Outcome::Failed(_) => Err(Failure::Status(1)),
        logflux_certify::Outcome::Unsupported { .. } => Err(Failure::Status(4)),
        _ => Err(Failure::Status(3)),
    }
}

fn trace(endpoints: &mut [KeptEndpoint], several: bool) -> Outcome {
    for endpoint in endpoints {
        for line in endpoint.trace() {
            let at = if several { format!("{}  ", endpoint.address()) } else { String::new() };
            writeln!(stdout(), "{at}{line}")?;
        }
    }
    stdout().flush()?;
    Ok(())
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
