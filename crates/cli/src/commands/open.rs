//! `logflux open`

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

use clap::Args;
use logflux_envelope::{Entry, Opener};

use crate::elements::{Element, Elements};
use crate::failure::Outcome;
use crate::faults::{FaultArgs, Faults};
use crate::lines::{ENTRY_MAX, Input, Lines, TOO_LONG};
use crate::output::{Format, append_opened_json};
use crate::progress;
use crate::secret::SecretArgs;
use crate::streams::stdout;

/// Sealed entries, one a line or one JSON array, become messages
#[derive(Args, Debug)]
#[command(
    after_help = "An entry that cannot be read is named on stderr by its line, or by its place in the array. Entries that
cannot be opened are counted there in one line with the reasons; --verbose names each. The others come
out, and the exit status is 1.

Examples:
  logflux open < sealed.ndjson
  logflux open --format json --secret-file new.txt --secret-file old.txt sealed.ndjson"
)]
pub(crate) struct Open {
    /// The file to read [default: standard input]
    file: Option<PathBuf>,
    /// What comes out: the messages alone, or every entry's own fields and its "message"
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    faults: FaultArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

/// How many entries are opened together, and how many bytes of them.
const BATCH: usize = 16_384;
const BATCH_BYTES: usize = 4 << 20;

impl Open {
    pub(crate) fn run(&self) -> Outcome {
        let opener = Opener::new(self.secret.keyring()?);
        let mut reader = BufReader::new(Input::open(self.file.as_deref())?);
        let faults = Faults::new(self.faults);
        let mut output = Output { opener, format: self.format, faults };
        let (empty, bracket) = first_is_bracket(&mut reader)?;
        let ended = if bracket { output.array(reader) } else { output.lines(reader, empty) };
        output.faults.tell();
        ended?;
        output.faults.end()
    }
}

struct Output {
    opener: Opener,
    format: Format,
    faults: Faults,
}

impl Output {
    /// Opens a line after the other, behind so many that are empty.
    fn lines(&mut self, reader: BufReader<Input>, empty: u64) -> Outcome {
        let mut lines = Lines::of(reader, ENTRY_MAX);
        let mut long = 0;
        loop {
            let batch = lines.batch(BATCH)?;
            if batch.is_empty() {
                return Ok(());
            }
            let mut raw = Vec::with_capacity(batch.len());
            for piece in &batch {
                let line = empty + piece.line;
                if piece.part.is_some() {
                    if line != long {
                        long = line;
                        self.faults.unreadable(format_args!("line {long}"), TOO_LONG);
                    }
                } else if !piece.bytes.trim_ascii().is_empty() {
                    raw.push((line, piece.bytes.as_slice()));
                }
            }
            self.print("line", &raw)?;
        }
    }

    /// The entries of an array are opened as they are read, so that it may have any length.
    fn array(&mut self, reader: impl BufRead) -> Outcome {
        let mut elements = Elements::new(reader, ENTRY_MAX);
        let (mut batch, mut bytes, mut number) = (Vec::new(), 0, 0);
        let ended = loop {
            match elements.next() {
                Ok(None) => break Ok(()),
                Err(broken) => break Err(broken.into()),
                Ok(Some(element)) => {
                    number += 1;
                    match element {
                        Element::TooLong => {
                            self.faults.unreadable(format_args!("entry {number}"), TOO_LONG);
                        }
                        Element::Whole(json) => {
                            bytes += json.len();
                            batch.push((number, json));
                        }
                    }
                }
            }
            if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                self.print_all(&batch)?;
                batch.clear();
                bytes = 0;
            }
        };
        self.print_all(&batch)?;
        ended
    }

    fn print_all(&mut self, batch: &[(u64, Vec<u8>)]) -> Outcome {
        let raw: Vec<_> = batch.iter().map(|(number, json)| (*number, json.as_slice())).collect();
        self.print("entry", &raw)
    }

    /// Opens entries that have come together, and prints them in their order.
    fn print(&mut self, what: &str, raw: &[(u64, &[u8])]) -> Outcome {
        let mut entries = Vec::with_capacity(raw.len());
        for (number, json) in raw {
            match Entry::parse(json) {
                Ok(entry) => entries.push((*number, entry)),
                Err(error) => self.faults.unreadable(format_args!("{what} {number}"), error),
            }
        }
        let (numbers, entries): (Vec<u64>, Vec<Entry>) = entries.into_iter().unzip();
        let bar = progress::bar("opening", entries.len());
        let opened = self.opener.open_many_bytes(&entries, |at| progress::set(&bar, at.done));
        bar.finish_and_clear();
        let mut out = Vec::new();
        for ((number, entry), message) in numbers.into_iter().zip(&entries).zip(opened) {
            match message {
                Ok(message) if self.format == Format::Json => {
                    append_opened_json(entry, &message, &mut out)?;
                }
                Ok(message) => {
                    out.extend_from_slice(&message);
                    out.push(b'\n');
                }
                Err(error) => self.faults.unopened(format_args!("{what} {number}"), error),
            }
        }
        Ok(stdout().write_all(&out)?)
    }
}

/// Whether the input is a JSON array: its first character that is no white space says so. Gives how
/// many lines were empty before it as well.
fn first_is_bracket(reader: &mut impl BufRead) -> io::Result<(u64, bool)> {
    let mut empty = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let Some(first) = buffer.first().copied() else { return Ok((empty, false)) };
        if !first.is_ascii_whitespace() {
            return Ok((empty, first == b'['));
        }
        empty += u64::from(first == b'\n');
        reader.consume(1);
    }
}
