//! `logflux send`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use logflux_envelope::{Node, Sealer};
use logflux_transport::{Receipt, Shipper};
use serde_json::json;
use serde_json::value::RawValue;

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::follow::Follow;
use crate::lines::{ENTRY_MAX, Input, Lines, Stopper, TOO_LONG};
use crate::output::{Format, count};
use crate::progress;
use crate::sealing::SealingArgs;
use crate::shipping::ShippingArgs;
use crate::signals;
use crate::splitter::Piece;
use crate::streams::{Stdout, say, stdout};
use crate::unsent::Unsent;

/// Lines are sealed and shipped to the ingest API
#[derive(Args, Debug)]
#[command(
    after_help = "What the server does not take is not lost: the sealed entries are appended to a file (--unsent), the
exit status is 1, and `logflux send --sealed FILE` ships them later. That the file can be written is
tried before a line is read. It never holds an entry twice, also when it is the file that is sent. Should
it not take an entry after all, the entry goes to stdout. At SIGINT and SIGTERM, what was read and not sent
goes to the file; a second signal ends at once.

A line that is too long for one message becomes several entries. Each begins with the part that it is:
{\"line\":\"0f3a…\",\"part\":2,\"last\":false}.

With --sealed, a line that is not a JSON object, or that the server refuses, is named by its number and
kept alone; all others are sent. With --follow, SIGHUP reads the secret, the API key and the CA file again.

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
            .map_err(|error| Failure::new(format!("{}: {error}", escape::path(file))))?;
        loop {
            for line in follow.lines(BATCH)? {
                self.shipping.log(&client, &line);
            }
        }
    }

    fn send(&self) -> Outcome {
        let settings = self.shipping.settings()?;
        let shipper = Shipper::new(settings.api()?, settings.retry);
        let input = Input::open(self.file.as_deref())?;
        let unsent = Unsent::check(&self.unsent, &input, self.sealed)?;
        let mut source = if self.sealed {
            Source::Sealed(Lines::of(input, ENTRY_MAX))
        } else {
            if unsent.is_input() {
                return Err(Failure::new(format!(
                    "{0} is also the file of unsent entries: send it with --sealed, or name another with --unsent",
                    unsent.name()
                )));
            }
            let sealing = &self.shipping.sealing;
            Source::Plain {
                node: sealing.node()?,
                sealer: sealing.sealer(self.shipping.secret.secret()?)?,
                lines: Lines::of(input, sealing.message_max()?),
                sealing,
            }
        };
        let stopper = source.lines().stopper();
        let shipper = shipper.until(stopper.flag());
        let (asked, name) = (stopper.clone(), unsent.name());
        signals::at_end(move |signal| {
            if !asked.stop() {
                signals::end_by(signal);
            }
            say!(
                "interrupted: what was read and not sent goes to {name}; a second signal ends at once"
            );
        })?;
        let mut run = Run { unsent, stopper, total: Totals::default(), long: 0, torn: false };
        let shipped = run.ship(source, &shipper);
        let reported = self.report(&run.total);
        let kept = run.kept_where();
        if let Err(failure) = shipped {
            let kept = kept.map(|kept| format!("; {kept}")).unwrap_or_default();
            return Err(Failure::new(format!("{failure}{kept}")));
        }
        kept.iter().for_each(|kept| say!("{kept}"));
        match reported {
            // That nobody reads the report makes no line stored.
            Ok(()) | Err(Failure::ReaderGone) if !run.total.is_good() => Err(Failure::Told),
            reported => reported,
        }
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
                writeln!(stdout(), "{report}")?;
            }
            Format::Text => say!(
                "{} stored ({}, {})",
                count(total.stored, "entry", "entries"),
                count(total.duplicates, "duplicate", "duplicates"),
                count(total.retries as usize, "retry", "retries"),
            ),
        }
        Ok(())
    }
}

/// Where sealed entries come from.
enum Source<'s> {
    Sealed(Lines),
    Plain { lines: Lines, sealer: Sealer, sealing: &'s SealingArgs, node: Node },
}

impl Source<'_> {
    fn lines(&mut self) -> &mut Lines {
        match self {
            Source::Sealed(lines) | Source::Plain { lines, .. } => lines,
        }
    }
}

/// What has become of the lines.
struct Run {
    unsent: Unsent,
    stopper: Stopper,
    total: Totals,
    /// The last line that is too long for an entry.
    long: u64,
    /// Whether the last piece on stdout is of a line that goes on: the rest of it goes there, too.
    torn: bool,
}

impl Run {
    fn ship(&mut self, mut source: Source<'_>, shipper: &Shipper) -> Outcome {
        let bar = progress::bar("sending", 0);
        // Why nothing more is sent. What comes is sealed and kept, since it may not come again.
        let mut failed: Option<Failure> = None;
        loop {
            let entries = match self.next(&mut source) {
                Ok(Some(entries)) => entries,
                Ok(None) => break,
                Err(failure) => {
                    bar.finish_and_clear();
                    failed.iter().for_each(|error| say!("{error}"));
                    return Err(failure);
                }
            };
            if self.stopper.is_stopped() && failed.is_none() {
                failed = Some(Failure::new("interrupted"));
            }
            if failed.is_some() {
                self.keep(&entries);
                self.check_lost()?;
                continue;
            }
            bar.inc_length(u64::try_from(entries.len()).unwrap_or(u64::MAX));
            let before = bar.position();
            let sealed: Vec<&[u8]> = entries.iter().map(|entry| entry.bytes.as_slice()).collect();
            let shipped = shipper.ship(&sealed, |count| {
                bar.set_position(before + u64::try_from(count).unwrap_or(0));
            });
            match shipped {
                Ok(receipt) => self.account(&entries, &receipt),
                Err(error) => {
                    bar.finish_and_clear();
                    self.account(&entries, &error.receipt);
                    self.keep(entries.get(error.shipped..).unwrap_or_default());
                    failed = Some(error.error.into());
                }
            }
            self.check_lost()?;
        }
        bar.finish_and_clear();
        failed.map_or(Ok(()), Err)
    }

    /// The next sealed entries; `None` at the end.
    fn next(&mut self, source: &mut Source<'_>) -> Outcome<Option<Vec<Piece>>> {
        let batch = source.lines().batch(BATCH)?;
        if batch.is_empty() {
            return Ok(None);
        }
        Ok(Some(match source {
            Source::Sealed(_) => self.check(batch),
            Source::Plain { sealer, sealing, node, .. } => self.seal(&batch, sealer, sealing, node),
        }))
    }

    fn seal(
        &mut self,
        batch: &[Piece],
        sealer: &Sealer,
        sealing: &SealingArgs,
        node: &Node,
    ) -> Vec<Piece> {
        let bytes: Vec<_> = batch.iter().map(Piece::message).collect();
        let messages: Vec<_> = bytes.iter().map(|bytes| sealing.message(bytes, node)).collect();
        let mut out = Vec::new();
        let mut entries = Vec::with_capacity(batch.len());
        for (piece, result) in batch.iter().zip(sealer.seal_many(&messages, &mut out)) {
            match result {
                Ok(range) => {
                    let bytes = out.get(range).unwrap_or_default().to_vec();
                    entries.push(Piece { bytes, part: None, ..*piece });
                }
                Err(error) => {
                    self.total.unsealed += 1;
                    say!("line {}: {error}", piece.line);
                }
            }
        }
        entries
    }

    /// Gives the lines that are JSON objects. Another would spoil the request that carries it.
    fn check(&mut self, batch: Vec<Piece>) -> Vec<Piece> {
        let (mut entries, mut bad) = (Vec::with_capacity(batch.len()), Vec::new());
        for piece in batch {
            let line = piece.line;
            if piece.part.is_none() && piece.bytes.trim_ascii().is_empty() {
                continue;
            }
            if piece.part.is_some() {
                if line != self.long {
                    self.long = line;
                    self.total.bad += 1;
                    say!("line {line}: {TOO_LONG}; it is not sent");
                }
                bad.push(piece);
            } else if let Some(fault) = fault(&piece.bytes) {
                self.total.bad += 1;
                say!("line {line}: {fault}; it is not sent");
                bad.push(piece);
            } else {
                entries.push(piece);
            }
        }
        self.keep(&bad);
        entries
    }

    /// Counts what was shipped, and keeps what was refused.
    fn account(&mut self, entries: &[Piece], receipt: &Receipt) {
        self.total.stored += receipt.counts.succeeded;
        self.total.duplicates += receipt.counts.duplicates;
        self.total.retries += receipt.retries;
        let mut refused = Vec::new();
        for refusal in &receipt.refusals {
            let code = refusal.code.map_or("refused", |code| code.as_str());
            if let Some(entry) = entries.get(refusal.index) {
                say!("line {}: refused: {code}: {}", entry.line, refusal.message);
                refused.push(entry.clone());
            }
        }
        self.keep(&refused);
    }

    /// Keeps lines in the file of unsent entries, or, where it takes no more, gives them to stdout.
    fn keep(&mut self, lines: &[Piece]) {
        let torn = if self.torn {
            lines.iter().position(is_end).map_or(lines.len(), |end| end + 1)
        } else {
            0
        };
        let (torn, lines) = lines.split_at(torn);
        self.give(torn);
        match self.unsent.keep(lines) {
            Ok(()) => self.total.kept += ends(lines),
            Err(error) => {
                if self.total.given == 0 {
                    say!("{}: {error}; what it does not take goes to stdout", self.unsent.name());
                }
                self.give(lines);
            }
        }
    }

    /// Gives lines to stdout. Pieces of a line that is too long are lines there: the file may have the
    /// others.
    fn give(&mut self, lines: &[Piece]) {
        let Some(last) = lines.last() else { return };
        self.torn = !is_end(last);
        let lines: Vec<&[u8]> = lines.iter().flat_map(|line| [&line.bytes, &b"\n"[..]]).collect();
        match Stdout::raw().write_all(&lines.concat()) {
            Ok(()) => self.total.given += lines.len() / 2,
            Err(error) => {
                say!("{error}");
                self.total.lost += lines.len() / 2;
            }
        }
    }

    /// Nothing more is read where nothing more can be kept.
    fn check_lost(&self) -> Outcome {
        match self.total.lost {
            0 => Ok(()),
            lost => Err(Failure::new(format!(
                "{} lost, and nothing more is read",
                count(lost, "line is", "lines are")
            ))),
        }
    }

    /// Where the lines are that were not stored.
    fn kept_where(&self) -> Option<String> {
        let Totals { kept, given, .. } = self.total;
        let kept = (kept > 0).then(|| {
            let (lines, name) = (count(kept, "line is", "lines are"), self.unsent.name());
            let still = if self.unsent.is_input() { "still" } else { "kept" };
            format!("{lines} {still} in {name}")
        });
        let given =
            (given > 0).then(|| format!("{} on stdout", count(given, "line is", "lines are")));
        let places: Vec<_> = [kept, given].into_iter().flatten().collect();
        (!places.is_empty()).then(|| places.join(", and "))
    }
}

/// How many lines there are, where one that is too long is several pieces.
fn ends(pieces: &[Piece]) -> usize {
    pieces.iter().filter(|piece| is_end(piece)).count()
}

fn is_end(piece: &Piece) -> bool {
    piece.part.as_ref().is_none_or(|part| part.last)
}

/// Why a line is not a JSON object.
fn fault(line: &[u8]) -> Option<String> {
    match serde_json::from_slice::<&RawValue>(line) {
        Ok(value) if value.get().starts_with('{') => None,
        Ok(_) => Some("an entry is one JSON object".to_owned()),
        Err(_) if std::str::from_utf8(line).is_err() => Some("not valid UTF-8".to_owned()),
        Err(error) => Some(format!("not valid JSON at column {}", error.column())),
    }
}

#[derive(Debug, Default)]
struct Totals {
    /// Lines that could not be sealed, and lines of --sealed that are not entries.
    unsealed: usize,
    bad: usize,
    stored: usize,
    duplicates: usize,
    /// In the file of unsent entries, and on stdout in its place.
    kept: usize,
    given: usize,
    lost: usize,
    retries: u32,
}

impl Totals {
    /// Whether every line was stored.
    fn is_good(&self) -> bool {
        self.unsealed + self.bad + self.kept + self.given == 0
    }
}
