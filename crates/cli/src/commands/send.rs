//! `logflux send`

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use logflux_envelope::Sealer;
use logflux_transport::{Receipt, Shipper};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::follow::Follow;
use crate::lines::Lines;
use crate::output::Format;
use crate::progress;
use crate::shipping::ShippingArgs;

/// Lines are sealed and shipped to the ingest API
#[derive(Args, Debug)]
#[command(
    after_help = "What the server does not take is not lost: the sealed entries are appended to a file (--unsent), the
exit status is 1, and `logflux send --sealed FILE` ships them later. With --follow, SIGHUP reads the
secret, the API key and the CA file again.

Examples:
  logflux send --node web-1 --level warning app.log
  journalctl -u app | logflux send
  logflux send --follow /var/log/app.log
  logflux send --sealed logflux-unsent.ndjson"
)]
pub(crate) struct Send {
    /// The file to read [default: standard input]
    file: Option<PathBuf>,
    /// The lines are sealed entries already, as `logflux seal` makes them
    #[arg(long)]
    sealed: bool,
    /// Go on with what is appended to the file, through rotation and truncation, until interrupted
    #[arg(long, requires = "file", conflicts_with_all = ["sealed", "format"])]
    follow: bool,
    /// With --follow: begin at the file's start, not at its end
    #[arg(long, requires = "follow")]
    from_start: bool,
    /// Where sealed entries go that the server did not take
    #[arg(long, value_name = "FILE", default_value = "logflux-unsent.ndjson")]
    unsent: PathBuf,
    /// The form of the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    shipping: ShippingArgs,
}

/// How many lines are sealed and shipped together.
const BATCH: usize = 1_000;

impl Send {
    pub(crate) fn run(&self) -> Outcome {
        match &self.file {
            Some(file) if self.follow => self.follow(file),
            _ => self.send(),
        }
    }

    /// Ships what is appended to a file, for as long as the program runs.
    fn follow(&self, file: &Path) -> Outcome {
        let client = self.shipping.client()?;
        let mut follow = Follow::new(file, self.from_start)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        loop {
            for line in follow.lines(BATCH)? {
                self.shipping.log(&client, &line);
            }
        }
    }

    fn send(&self) -> Outcome {
        let settings = self.shipping.settings()?;
        let shipper = Shipper::new(settings.api()?, settings.retry);
        let sealer = match self.sealed {
            true => None,
            false => Some(self.shipping.sealing.sealer(self.shipping.secret.secret()?)?),
        };
        let lines = Lines::open(self.file.as_deref())?;
        let bar = progress::bar("sending", 0);
        let mut total = Totals::default();
        loop {
            let batch = lines.batch(BATCH)?;
            if batch.is_empty() {
                break;
            }
            bar.inc_length(u64::try_from(batch.len()).unwrap_or(u64::MAX));
            let entries = match &sealer {
                Some(sealer) => self.seal(sealer, &batch, &mut total)?,
                None => batch.into_iter().filter(|line| !line.is_empty()).collect(),
            };
            let before = bar.position();
            let shipped = shipper.ship(&entries, |count| {
                bar.set_position(before + u64::try_from(count).unwrap_or(0));
            });
            match shipped {
                Ok(receipt) => self.account(&entries, &receipt, &mut total)?,
                Err(error) => {
                    bar.finish_and_clear();
                    self.account(&entries, &error.receipt, &mut total)?;
                    let mut unsent = entries.get(error.shipped..).unwrap_or_default().to_vec();
                    // What has not been read yet can still be had from its source, but for a pipe.
                    for rest in std::iter::repeat_with(|| lines.batch(BATCH)) {
                        let rest = rest?;
                        if rest.is_empty() {
                            break;
                        }
                        unsent.extend(match &sealer {
                            Some(sealer) => self.seal(sealer, &rest, &mut total)?,
                            None => rest,
                        });
                    }
                    self.keep(&unsent)?;
                    total.kept += unsent.len();
                    self.report(&total)?;
                    return Err(Failure::new(format!(
                        "{error}; {} sealed entries are kept in {}",
                        total.kept,
                        self.unsent.display()
                    )));
                }
            }
        }
        bar.finish_and_clear();
        self.report(&total)?;
        if total.kept > 0 {
            anstream::eprintln!(
                "{} sealed entries are kept in {}",
                total.kept,
                self.unsent.display()
            );
        }
        if total.kept + total.unsealed > 0 { Err(Failure::Told) } else { Ok(()) }
    }

    fn seal(
        &self,
        sealer: &Sealer,
        lines: &[Vec<u8>],
        total: &mut Totals,
    ) -> Outcome<Vec<Vec<u8>>> {
        let node = self.shipping.sealing.node()?;
        let messages: Vec<_> =
            lines.iter().map(|bytes| self.shipping.sealing.message(bytes, &node)).collect();
        let mut out = Vec::new();
        let mut entries = Vec::with_capacity(messages.len());
        for result in sealer.seal_many(&messages, &mut out) {
            total.lines += 1;
            match result {
                Ok(range) => entries.push(out.get(range).unwrap_or_default().to_vec()),
                Err(error) => {
                    total.unsealed += 1;
                    anstream::eprintln!("line {}: {error}", total.lines);
                }
            }
        }
        Ok(entries)
    }

    /// Counts what was shipped, and keeps what was refused.
    fn account(&self, entries: &[Vec<u8>], receipt: &Receipt, total: &mut Totals) -> Outcome {
        total.stored += receipt.counts.succeeded;
        total.duplicates += receipt.counts.duplicates;
        total.retries += receipt.retries;
        let mut refused = Vec::new();
        for refusal in &receipt.refusals {
            let code = refusal.code.map_or("refused", |code| code.as_str());
            anstream::eprintln!("refused: {code}: {}", refusal.message);
            refused.extend(entries.get(refusal.index).cloned());
        }
        total.kept += refused.len();
        self.keep(&refused)
    }

    fn keep(&self, entries: &[Vec<u8>]) -> Outcome {
        if entries.is_empty() {
            return Ok(());
        }
        let failed = |error: io::Error| Failure::new(format!("{}: {error}", self.unsent.display()));
        let mut file =
            OpenOptions::new().create(true).append(true).open(&self.unsent).map_err(failed)?;
        let mut out = Vec::new();
        for entry in entries {
            out.extend_from_slice(entry);
            out.push(b'\n');
        }
        file.write_all(&out).and_then(|()| file.sync_all()).map_err(failed)
    }

    fn report(&self, total: &Totals) -> Outcome {
        match self.format {
            Format::Json => {
                let report = json!({
                    "stored": total.stored,
                    "duplicates": total.duplicates,
                    "kept": total.kept,
                    "retries": total.retries,
                });
                writeln!(io::stdout(), "{report}")?;
            }
            Format::Text => {
                anstream::eprintln!(
                    "{} entries stored, {} of them before; {} retries",
                    total.stored,
                    total.duplicates,
                    total.retries
                );
            }
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Totals {
    lines: usize,
    unsealed: usize,
    stored: usize,
    duplicates: usize,
    kept: usize,
    retries: u32,
}
