//! `logflux open`

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use clap::Args;
use logflux_envelope::{Entry, Opener};
use serde_json::value::RawValue;

use crate::failure::{Failure, Outcome};
use crate::lines::{Lines, input};
use crate::output::{Format, append_opened_json};
use crate::progress;
use crate::secret::SecretArgs;

/// Sealed entries, one a line or one JSON array, become messages
#[derive(Args, Debug)]
#[command(
    after_help = "An entry that cannot be opened is named on stderr by its line (or its place in the array) and the
reason, the others come out, and the exit status is 1.

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
    secret: SecretArgs,
}

/// How many entries are opened together.
const BATCH: usize = 16_384;

impl Open {
    pub(crate) fn run(&self) -> Outcome {
        let opener = Opener::new(self.secret.keyring()?);
        let mut reader = BufReader::with_capacity(1 << 20, input(self.file.as_deref())?);
        let mut output = Output { opener, format: self.format, failed: 0 };
        if first_is_bracket(&mut reader)? {
            let mut json = Vec::new();
            reader.read_to_end(&mut json)?;
            let entries: Vec<&RawValue> = serde_json::from_slice(&json)
                .map_err(|error| Failure::new(format!("the array is not JSON: {error}")))?;
            let raw = entries.iter().enumerate();
            let raw: Vec<_> = raw.map(|(i, raw)| (i + 1, raw.get().as_bytes())).collect();
            output.print("entry", &raw)?;
        } else {
            let lines = Lines::of(reader);
            let mut number = 0;
            loop {
                let batch = lines.batch(BATCH)?;
                if batch.is_empty() {
                    break;
                }
                let numbered = batch.iter().enumerate().map(|(i, line)| (number + i + 1, &**line));
                let raw: Vec<_> =
                    numbered.filter(|(_, line)| !line.trim_ascii().is_empty()).collect();
                number += batch.len();
                output.print("line", &raw)?;
            }
        }
        if output.failed > 0 { Err(Failure::Told) } else { Ok(()) }
    }
}

struct Output {
    opener: Opener,
    format: Format,
    failed: usize,
}

impl Output {
    /// Opens entries that have come together, and prints them in their order.
    fn print(&mut self, what: &str, raw: &[(usize, &[u8])]) -> Outcome {
        let mut entries = Vec::with_capacity(raw.len());
        let mut faults = Vec::new();
        for (number, json) in raw {
            match Entry::parse(json) {
                Ok(entry) => entries.push((*number, entry)),
                Err(error) => faults.push((*number, error.to_string())),
            }
        }
        let (numbers, entries): (Vec<usize>, Vec<Entry>) = entries.into_iter().unzip();
        let bar = progress::bar("opening", entries.len());
        let opened = self.opener.open_many_bytes(&entries, |at| progress::set(&bar, at.done));
        bar.finish_and_clear();
        let mut stdout = io::stdout().lock();
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
                Err(error) => faults.push((number, error.to_string())),
            }
        }
        stdout.write_all(&out)?;
        stdout.flush()?;
        faults.sort();
        self.failed += faults.len();
        for (number, fault) in faults {
            anstream::eprintln!("{what} {number}: {fault}");
        }
        Ok(())
    }
}

/// Whether the input is a JSON array: its first character that is no white space says so.
fn first_is_bracket(reader: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let buffer = reader.fill_buf()?;
        let Some(first) = buffer.first().copied() else { return Ok(false) };
        if first != b' ' && first != b'\t' {
            return Ok(first == b'[');
        }
        reader.consume(1);
    }
}
