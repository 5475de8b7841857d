//! `logflux store`

use std::io::Write;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use clap::{Args, Subcommand};
use logflux_envelope::{Level, Timestamp};
use logflux_server::sqlite::{self, Copied, Stats};
use serde_json::{Map, Value, json};

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::streams::{say, stdout};

/// Look after the store of a server's data folder: check it, count, compact, back up, restore, repair
#[derive(Args, Debug)]
#[command(
    name = "store",
    after_help = "Examples:
  logflux store stats --data ./data
  logflux store check --data ./data
  logflux store backup --data ./data /backup/2026-01-17
  logflux store restore --data ./data /backup/2026-01-17       while no server runs
  logflux store compact --data ./data                          while no server runs"
)]
pub(crate) struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Args, Debug)]
struct Data {
    /// The server's data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read all of it and say what is damaged; also while a server runs. Status 1 where something is
    #[command(after_help = "Example:
  logflux store check --data ./data")]
    Check(Data),
    /// Count entries, bytes and tenants; also while a server runs
    #[command(after_help = "Example:
  logflux store stats --data ./data --format json")]
    Stats {
        #[command(flatten)]
        data: Data,
        /// The form of the figures
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Give the space of deleted entries back to the disk; no server may run meanwhile
    #[command(after_help = "As much space as the entries take must be free.

Example:
  logflux store compact --data ./data")]
    Compact(Data),
    /// Write the entries, the keys and the alerts as they are now to a new folder; also while a server
    /// runs
    #[command(
        after_help = "The keys and alerts are those of the same moment as the entries. `store restore` puts all of them
back. As much space as the entries take must be free.

Example:
  logflux store backup --data ./data /backup/2026-01-17"
    )]
    Backup {
        #[command(flatten)]
        data: Data,
        /// The folder to make, which must not exist
        folder: PathBuf,
    },
    /// Put a backup in a data folder; no server may run meanwhile
    #[command(
        after_help = "The files get the owner of the data folder, so that root may do it for the server's user. The
first start afterwards takes some seconds for every million entries. Keys that the replaced folder has
revoked stay revoked; where it has no keys, those revoked since the backup are good again, and a line
on stderr says so.

Example:
  logflux store restore --data /var/lib/logflux /backup/2026-01-17 --replace"
    )]
    Restore {
        #[command(flatten)]
        data: Data,
        /// The backup's folder
        folder: PathBuf,
        /// Delete the store, the keys and the alerts that are there
        #[arg(long)]
        replace: bool,
    },
    /// Write the store anew with everything that can be read of it; no server may run meanwhile
    #[command(
        after_help = "The indexes are built anew, and the damaged file stays beside the new one. Status 1 where entries
are lost. As much space as the entries take must be free.

Example:
  logflux store repair --data ./data"
    )]
    Repair(Data),
    /// Say whether entries are deleted for their age, and confirm the clock after it has jumped
    #[command(
        after_help = "A clock that is more than a day from where it is expected may be wrong, and would delete entries too
early. The server deletes none for their age until the clock is right again or is confirmed. A server that was
stopped for more than a day cannot know that, and asks as well.

Examples:
  logflux store retain --data ./data
  logflux store retain --data ./data --accept-clock"
    )]
    Retain {
        #[command(flatten)]
        data: Data,
        /// The clock of this machine is right now
        #[arg(long)]
        accept_clock: bool,
    },
}

impl StoreCommand {
    pub(crate) fn run(self) -> Outcome {
        let size = |bytes: u64| ByteSize::b(bytes).display().si();
        match self.action {
            Action::Check(Data { data }) => {
                let report = sqlite::check(&data, |_| {})?;
                for fault in &report.faults {
                    writeln!(stdout(), "{}", escape::line(&fault.to_string()))?;
                }
                if !report.faults.is_empty() {
                    return Err(Failure::new(format!(
                        "the store is damaged ({} entries read): stop the server, and run \
                         `logflux store repair` or restore a backup",
                        report.entries
                    )));
                }
                writeln!(stdout(), "{} entries, nothing damaged", report.entries)?;
            }
            Action::Stats { data: Data { data }, format } => show(&sqlite::stats(&data)?, format)?,
            Action::Compact(Data { data }) => {
                let (before, after) = sqlite::compact(&data)?;
                writeln!(stdout(), "from {} to {}", size(before), size(after))?;
            }
            Action::Backup { data: Data { data }, folder } => {
                let copied = sqlite::backup(&data, &folder)?;
                let (entries, bytes) = (copied.entries, size(copied.bytes));
                writeln!(stdout(), "{entries} entries, {bytes}, in {}", escape::path(&folder))?;
                lost(&copied)?;
            }
            Action::Restore { data: Data { data }, folder, replace } => {
                let restored = sqlite::restore(&data, &folder, replace)?;
                writeln!(stdout(), "{} in {}", restored.names.join(", "), escape::path(&data))?;
                if let Some(warning) = restored.warning {
                    say!("{warning}");
                }
            }
            Action::Repair(Data { data }) => {
                let (copied, kept) = sqlite::repair(&data)?;
                writeln!(
                    stdout(),
                    "{} entries in the new store; the old one is {}",
                    copied.entries,
                    escape::path(&kept)
                )?;
                lost(&copied)?;
            }
            Action::Retain { data: Data { data }, accept_clock } => retain(&data, accept_clock)?,
        }
        Ok(())
    }
}

/// Says what a copy lacks.
fn lost(copied: &Copied) -> Outcome {
    for fault in &copied.faults {
        say!("{fault}");
    }
    match copied.lost {
        0 => Ok(()),
        lost => Err(Failure::new(format!("{lost} entries cannot be read any more"))),
    }
}

fn retain(data: &Path, accept_clock: bool) -> Outcome {
    if accept_clock {
        sqlite::accept_clock(data)?;
        say!(
            "the clock is confirmed: a server that runs goes on within a minute, another at its start"
        );
        return Ok(());
    }
    let state = sqlite::retention_state(data)?;
    let believed = state.believed.map_or_else(|| "none".to_owned(), time);
    match state.paused {
        None => writeln!(stdout(), "not paused; the last time of the clock is {believed}")?,
        Some(since) => writeln!(
            stdout(),
            "paused since {}: no entry is deleted for its age, since the clock has jumped; the last \
             time that was believed is {believed}. If the clock is right now, confirm it with \
             --accept-clock",
            time(since)
        )?,
    }
    Ok(())
}

fn time(millis: i64) -> String {
    let nanoseconds = u32::try_from(millis.rem_euclid(1_000) * 1_000_000).unwrap_or(0);
    Timestamp::from_unix(millis.div_euclid(1_000), nanoseconds)
        .map_or_else(|_| "?".to_owned(), |time| time.to_string())
}

fn show(stats: &Stats, format: Format) -> Outcome {
    let mut stdout = stdout();
    let (oldest, newest) = stats.received.map(|(a, b)| (time(a), time(b))).unzip();
    match format {
        Format::Json => {
            let tenants: Map<String, Value> = stats
                .tenants
                .iter()
                .map(|tenant| {
                    let levels: Map<String, Value> = Level::ALL
                        .iter()
                        .zip(tenant.levels)
                        .map(|(level, count)| (level.name().to_owned(), count.into()))
                        .collect();
                    (tenant.name.clone(), json!({"entries": tenant.entries(), "levels": levels}))
                })
                .collect();
            let line = json!({
                "version": stats.version,
                "entries": stats.entries,
                "first": stats.numbers.0,
                "last": stats.numbers.1,
                "oldest_received": oldest,
                "newest_received": newest,
                "used_bytes": stats.used,
                "free_bytes": stats.free,
                "log_bytes": stats.log,
                "tenants": tenants,
            });
            writeln!(stdout, "{line}")?;
        }
        Format::Text => {
            let size = |bytes: u64| ByteSize::b(bytes).display().si().to_string();
            let none = || "none".to_owned();
            writeln!(stdout, "entries   {}", stats.entries)?;
            writeln!(stdout, "oldest    {}", oldest.unwrap_or_else(none))?;
            writeln!(stdout, "newest    {}", newest.unwrap_or_else(none))?;
            writeln!(stdout, "used      {}", size(stats.used.unsigned_abs()))?;
            writeln!(stdout, "free      {}", size(stats.free.unsigned_abs()))?;
            writeln!(stdout, "log       {}", size(stats.log))?;
            for tenant in &stats.tenants {
                write!(stdout, "tenant    {} {}", tenant.name, tenant.entries())?;
                for (level, count) in Level::ALL.iter().zip(tenant.levels) {
                    if count > 0 {
                        write!(stdout, ", {} {count}", level.name())?;
                    }
                }
                writeln!(stdout)?;
            }
        }
    }
    Ok(())
}
