//! `logflux store`

use std::io::Write;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, Subcommand};
use logflux_envelope::{Level, Timestamp};
use logflux_server::sqlite::{self, Stats};
use serde_json::{Map, Value, json};

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::streams::stdout;

/// Look after the store of a server's data folder: check it, count, compact, back up
#[derive(Args, Debug)]
#[command(
    name = "store",
    after_help = "Examples:
  logflux store stats --data ./data
  logflux store check --data ./data
  logflux store backup --data ./data /backup/entries-2026-01-17.db
  logflux store compact --data ./data            while no server runs"
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
    /// Write the entries as they are now to a new file; also while a server runs
    #[command(
        after_help = "To restore it: stop the server, remove entries.db, entries.db-wal and entries.db-shm from the data
folder, and copy the file there as entries.db. The keys are in keys.db, and are backed up by copying
that file.

Example:
  logflux store backup --data ./data /backup/entries-2026-01-17.db"
    )]
    Backup {
        #[command(flatten)]
        data: Data,
        /// The file to write, which must not exist
        file: PathBuf,
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
                        "the store is damaged: stop the server, and restore a backup or keep what \
                         `query` still gives ({} entries read)",
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
            Action::Backup { data: Data { data }, file } => {
                if file.symlink_metadata().is_ok() {
                    let file = escape::path(&file);
                    return Err(Failure::new(format!("{file} exists already: name a new file")));
                }
                let bytes = sqlite::backup(&data, &file)?;
                writeln!(stdout(), "{} in {}", size(bytes), escape::path(&file))?;
            }
        }
        Ok(())
    }
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
