//! `logflux spool`

mod inspect;
mod retry;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use logflux_transport::{DeadLetter, DeadLetters, SpoolError, SpoolView};

use crate::connection::ConnectionArgs;
use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::streams::{say, stdout};

/// Look into a client's spool folder, print what waits in it, or ship it
#[derive(Args, Debug)]
#[command(
    name = "spool",
    after_help = "A spool folder is what LOGFLUX_SPOOL_DIR names. Every process has a folder of its own in it (own-0000
and so on). What a process is using can be looked into, but not shipped.

Examples:
  logflux spool inspect /var/spool/app
  logflux spool export /var/spool/app | logflux open
  logflux spool retry --dead /var/spool/app"
)]
pub(crate) struct SpoolCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Tell what a spool holds: entries, bytes, damage, times and dead letters
    #[command(after_help = "Examples:
  logflux spool inspect /var/spool/app
  logflux spool inspect --format json /var/spool/app | jq .entries")]
    Inspect {
        /// The form of the result; in JSON with every segment, one object a folder
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// The spool's folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Print the sealed entries that wait, or the dead letters, one JSON object a line
    #[command(after_help = "Examples:
  logflux spool export /var/spool/app | logflux open
  logflux spool export --dead /var/spool/app | jq .code
  logflux spool export --dead /var/spool/app | jq -c .entry | logflux open")]
    Export {
        /// The dead letters, each with the server's reason, instead
        #[arg(long)]
        dead: bool,
        /// The spool's folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Ship what waits, and forget what the server took
    #[command(
        after_help = "What the server refuses for good becomes a dead letter, and the exit status is 1.

Examples:
  logflux spool retry /var/spool/app
  logflux spool retry --dead --server-url https://logs.example.com /var/spool/app"
    )]
    Retry {
        /// The dead letters, too
        #[arg(long)]
        dead: bool,
        /// The form of the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// The spool's folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

impl SpoolCommand {
    pub(crate) fn run(self) -> Outcome {
        match self.action {
            Action::Inspect { folder, format } => inspect::run(&folder, format),
            Action::Export { folder, dead } => export(&folder, dead),
            Action::Retry { folder, dead, format, connection } => {
                retry::run(&folder, dead, format, &connection)
            }
        }
    }
}

/// The folder, and those of processes in it.
fn folders(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let view = SpoolView::read(folder)?;
    Ok([vec![folder.to_owned()], view.own_folders()].concat())
}

/// How many folders and files were skipped. Each was named on stderr.
#[derive(Debug, Default)]
struct Skips(usize);

impl Skips {
    fn tell(&mut self, skipped: impl std::fmt::Display) {
        say!("{skipped}");
        self.0 += 1;
    }

    /// What a look at one folder gave. A process's folder that cannot be read, such as another
    /// user's, is named and skipped; for the folder that was asked for it is an error.
    fn unless_own<T>(
        &mut self,
        asked: &Path,
        folder: &Path,
        looked: Result<T, SpoolError>,
    ) -> Outcome<Option<T>> {
        match looked {
            Err(error) if folder != asked => {
                self.tell(format_args!("{} is skipped: {error}", escape::path(folder)));
                Ok(None)
            }
            other => Ok(Some(other?)),
        }
    }

    /// Looks at the spool of a folder.
    fn view(&mut self, asked: &Path, folder: &Path) -> Outcome<Option<SpoolView>> {
        let view = self.unless_own(asked, folder, SpoolView::read(folder))?;
        for skipped in view.iter().flat_map(SpoolView::skipped) {
            self.tell(skipped);
        }
        Ok(view)
    }

    fn end(self) -> Outcome {
        if self.0 > 0 { Err(Failure::Told) } else { Ok(()) }
    }
}

fn export(asked: &Path, dead: bool) -> Outcome {
    let mut stdout = io::BufWriter::new(stdout());
    let mut skips = Skips::default();
    for folder in folders(asked)? {
        if dead {
            let letters = skips.unless_own(asked, &folder, dead_letters(&folder))?;
            let Some((letters, damaged)) = letters else { continue };
            let mut line = Vec::new();
            for letter in letters {
                line.clear();
                letter.append_json(&mut line)?;
                // The server's sentence is in it.
                let line = String::from_utf8_lossy(&line);
                writeln!(stdout, "{}", escape::line(line.trim_end()))?;
            }
            if damaged > 0 {
                say!("{}: {damaged} damaged dead letters", escape::path(&folder));
            }
        } else if let Some(view) = skips.view(asked, &folder)? {
            view.each_entry(|entry| {
                stdout.write_all(entry)?;
                stdout.write_all(b"\n")?;
                Ok::<_, Failure>(())
            })?;
        }
    }
    stdout.flush()?;
    skips.end()
}

/// The dead letters of a folder, and how many are damaged.
fn dead_letters(folder: &Path) -> Result<(Vec<DeadLetter>, u64), SpoolError> {
    let mut letters = Vec::new();
    let damaged = DeadLetters::of_spool(folder).read(|letter| letters.push(letter))?;
    Ok((letters, damaged))
}
