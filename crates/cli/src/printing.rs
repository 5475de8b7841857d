//! Entries that came from a server, opened or as they are.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, ValueEnum};
use logflux_envelope::{Entry, Keyring, Opener, Secret};

use crate::failure::Outcome;
use crate::output::append_opened_json;
use crate::progress;
use crate::rereading::without_doubles;
use crate::secret::SecretArgs;

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
        Ok(Printer { opener, format: self.format })
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

    /// Prints entries; tells how many of them could not be opened.
    pub(crate) fn print(&self, entries: &[Entry]) -> Outcome<usize> {
        let mut out = Vec::new();
        let mut failed = 0;
        if let Some(opener) = self.opener() {
            let bar = progress::bar("opening", entries.len());
            let opened = opener.open_many_bytes(entries, |at| progress::set(&bar, at.done));
            bar.finish_and_clear();
            for (entry, message) in entries.iter().zip(opened) {
                match message {
                    Ok(message) => self.append(entry, &message, &mut out)?,
                    Err(error) => {
                        failed += 1;
                        anstream::eprintln!(
                            "entry of {} from {}: {error}",
                            entry.timestamp(),
                            entry.node()
                        );
                    }
                }
            }
        } else {
            for entry in entries {
                entry.append_json(&mut out);
                out.push(b'\n');
            }
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(&out)?;
        stdout.flush()?;
        Ok(failed)
    }

    fn append(&self, entry: &Entry, message: &[u8], out: &mut Vec<u8>) -> Outcome {
        match self.format {
            EntryFormat::Json => return append_opened_json(entry, message, out),
            EntryFormat::Long => {
                write!(out, "{} {:<9} {} ", entry.timestamp(), entry.level(), entry.node())?;
            }
            EntryFormat::Text => {}
        }
        out.extend_from_slice(message);
        out.push(b'\n');
        Ok(())
    }
}
