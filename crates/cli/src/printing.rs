//! Entries that came from a server, opened or as they are.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, ValueEnum};
use logflux_envelope::{Entry, Keyring, Opener, Secret};

use crate::batch::Batch;
use crate::failure::Outcome;
use crate::faults::{FaultArgs, Faults};
use crate::filter::FilterArgs;
use crate::output::append_opened_json;
use crate::progress;
use crate::rereading::without_doubles;
use crate::secret::SecretArgs;
use crate::streams::{Stdout, stdout};

/// How entries are shown.
#[derive(Args, Clone, Debug)]
pub(crate) struct PrintArgs {
    /// Give the entries as they are stored, sealed; no secret is needed
    #[arg(long, conflicts_with = "format")]
    sealed: bool,
    /// What comes out
    #[arg(long, value_enum, default_value_t)]
    format: EntryFormat,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    faults: FaultArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

/// The form of opened entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum EntryFormat {
    /// The messages alone.
    #[default]
    Text,
    /// Time, level, node and message.
    Long,
    /// Every entry's own fields and its "message", one JSON object a line.
    Json,
}

impl PrintArgs {
    pub(crate) fn printer(&self) -> Outcome<Printer> {
        let opener = match self.secret() {
            None => None,
            Some(secret) => {
                let secrets = without_doubles(secret.secrets()?);
                let opener = Arc::new(Opener::new(Keyring::from_secrets(secrets.clone())?));
                Some(Mutex::new(Opening { secrets, opener }))
            }
        };
        Ok(Printer { opener, format: self.format, filter: self.filter.clone() })
    }

    /// Whether entries are left out after they were opened.
    pub(crate) fn is_filtered(&self) -> bool {
        !self.filter.is_empty()
    }

    pub(crate) fn faults(&self) -> Faults {
        Faults::new(self.faults)
    }

    /// Where the secret is, if one is needed.
    pub(crate) fn secret(&self) -> Option<&SecretArgs> {
        (!self.sealed).then_some(&self.secret)
    }
}

/// Prints entries on stdout.
pub(crate) struct Printer {
    opener: Option<Mutex<Opening>>,
    format: EntryFormat,
    filter: FilterArgs,
}

/// What entries are opened with.
struct Opening {
    /// The newest first.
    secrets: Vec<Secret>,
    opener: Arc<Opener>,
}

impl Printer {
    /// Opens with these secrets as well, the newest first. Those that were there before stay.
    pub(crate) fn add_secrets(&self, newer: Vec<Secret>) -> Outcome {
        let Some(opening) = &self.opener else { return Ok(()) };
        let mut opening = opening.lock().unwrap_or_else(PoisonError::into_inner);
        let secrets = without_doubles(newer.into_iter().chain(opening.secrets.iter().cloned()));
        let opener = Arc::new(Opener::new(Keyring::from_secrets(secrets.clone())?));
        *opening = Opening { secrets, opener };
        Ok(())
    }

    fn opener(&self) -> Option<Arc<Opener>> {
        let opening = self.opener.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&opening.opener))
    }

    /// Whether entries are given as they are stored.
    pub(crate) fn is_sealed(&self) -> bool {
        self.opener.is_none()
    }

    /// Prints entries, at most `most`; those that cannot be opened are faults. Gives how many of them
    /// were looked at, and how many were printed.
    pub(crate) fn print(
        &self,
        batch: &Batch,
        most: usize,
        faults: &mut Faults,
    ) -> Outcome<(usize, usize)> {
        let mut stdout = stdout();
        let mut out = Vec::new();
        let (mut looked, mut printed) = (0, 0);
        match (batch, self.opener()) {
            (Batch::Lines(lines), _) => {
                for line in lines.iter().take(most) {
                    out.extend_from_slice(line.as_bytes());
                    out.push(b'\n');
                    (looked, printed) = (looked + 1, printed + 1);
                }
            }
            (Batch::Entries(_), None) => {}
            (Batch::Entries(entries), Some(opener)) => {
                let bar = progress::bar("opening", entries.len());
                let opened = opener.open_many_bytes(entries, |at| progress::set(&bar, at.done));
                bar.finish_and_clear();
                for (entry, message) in entries.iter().zip(opened) {
                    if printed == most {
                        break;
                    }
                    looked += 1;
                    match message {
                        Ok(message) if self.filter.matches(&message) => {
                            printed += 1;
                            self.append(entry, &message, &stdout, &mut out)?;
                        }
                        Ok(_) => {}
                        Err(error) => {
                            let place = format!("{} of {}", entry.timestamp(), entry.node());
                            faults.unopened(place, error);
                        }
                    }
                }
            }
        }
        stdout.write_all(&out)?;
        Ok((looked, printed))
    }

    fn append(&self, entry: &Entry, message: &[u8], to: &Stdout, out: &mut Vec<u8>) -> Outcome {
        match self.format {
            EntryFormat::Json => return append_opened_json(entry, message, out),
            EntryFormat::Long => {
                write!(out, "{} {:<9} {} ", entry.timestamp(), entry.level(), entry.node())?;
            }
            EntryFormat::Text => {}
        }
        let lines = message.split_inclusive(|byte| *byte == b'\n').enumerate();
        for (number, line) in lines {
            // A further line of a message must not look like an entry.
            if number > 0 && to.is_terminal() && self.format == EntryFormat::Long {
                out.extend_from_slice(b"    ");
            }
            out.extend_from_slice(line);
        }
        out.push(b'\n');
        Ok(())
    }
}
