//! `logflux spool retry`

use std::io::Write;
use std::path::Path;

use logflux_envelope::Timestamp;
use logflux_transport::{
    DeadLetter, DeadLetters, Receipt, Shipper, Spool, SpoolError, SpoolOptions,
};
use serde_json::json;

use super::Skips;
use crate::connection::ConnectionArgs;
use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::output::{Format, count};
use crate::streams::{say, stdout};

/// How many entries are taken from the spool at once, and how many bytes.
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 8 << 20;

pub(super) fn run(
    folder: &Path,
    dead: bool,
    format: Format,
    connection: &ConnectionArgs,
) -> Outcome {
    let settings = connection.settings()?;
    let shipper = Shipper::new(settings.api()?, settings.retry);
    let mut total = Totals::default();
    let mut ended = Ok(());
    let mut skips = Skips::default();
    let asked = folder;
    for folder in super::folders(asked)? {
        let mut spool = match Spool::open(&folder, SpoolOptions::default()) {
            Ok((spool, recovery)) => {
                if recovery.lost > 0 {
                    say!("{}: {} damaged records", escape::path(&folder), recovery.lost);
                }
                recovery.skipped.iter().for_each(|skipped| skips.tell(skipped));
                spool
            }
            Err(SpoolError::Locked(folder)) => {
                total.in_use += 1;
                say!("{} is in use by a process, which ships it", escape::path(&folder));
                continue;
            }
            Err(error) => {
                skips.unless_own(asked, &folder, Err::<(), _>(error))?;
                continue;
            }
        };
        ended = if dead { ship_letters(&shipper, &folder, &mut total) } else { Ok(()) };
        ended = ended.and_then(|()| ship_entries(&shipper, &mut spool, &mut total));
        if ended.is_err() {
            break;
        }
    }
    report(&total, format)?;
    ended?;
    skips.end()?;
    if total.refused + total.in_use > 0 { Err(Failure::Told) } else { Ok(()) }
}

#[derive(Debug, Default)]
struct Totals {
    stored: usize,
    duplicates: usize,
    refused: usize,
    retries: u32,
    in_use: usize,
}

fn report(total: &Totals, format: Format) -> Outcome {
    match format {
        Format::Json => {
            let report = json!({
                "stored": total.stored,
                "duplicates": total.duplicates,
                "refused": total.refused,
                "retries": total.retries,
                "folders_in_use": total.in_use,
            });
            writeln!(stdout(), "{report}")?;
        }
        Format::Text => say!(
            "{} stored ({}), {} refused, {}",
            count(total.stored, "entry", "entries"),
            count(total.duplicates, "duplicate", "duplicates"),
            total.refused,
            count(total.retries as usize, "retry", "retries"),
        ),
    }
    Ok(())
}

fn ship_entries(shipper: &Shipper, spool: &mut Spool, total: &mut Totals) -> Outcome {
    let mut letters = DeadLetters::of_spool(spool.folder());
    loop {
        let batch = spool.next_batch(BATCH, BATCH_BYTES)?;
        if batch.is_empty() {
            return Ok(());
        }
        let (ids, entries): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let (receipt, shipped, error) = match shipper.ship(&entries, |_| {}) {
            Ok(receipt) => (receipt, entries.len(), None),
            Err(error) => (*error.receipt, error.shipped, Some(error.error)),
        };
        letters.append(&refused(&receipt, &entries, total))?;
        spool.acknowledge(ids.get(..shipped).unwrap_or_default())?;
        if let Some(error) = error {
            spool.put_back(ids.get(shipped..).unwrap_or_default());
            let (left, folder) = (spool.len(), escape::path(spool.folder()));
            return Err(Failure::new(format!("{error}; {left} entries are left in {folder}")));
        }
    }
}

/// Ships the dead letters; those that are refused again stay, with the reason of this time.
fn ship_letters(shipper: &Shipper, folder: &Path, total: &mut Totals) -> Outcome {
    let (letters, damaged) = super::dead_letters(folder)?;
    if letters.is_empty() {
        return Ok(());
    }
    if damaged > 0 {
        say!("{}: {damaged} damaged dead letters", escape::path(folder));
    }
    let entries: Vec<&Vec<u8>> = letters.iter().map(|letter| &letter.entry).collect();
    let (receipt, shipped, error) = match shipper.ship(&entries, |_| {}) {
        Ok(receipt) => (receipt, entries.len(), None),
        Err(error) => (*error.receipt, error.shipped, Some(error.error)),
    };
    let mut kept = refused(&receipt, &entries, total);
    kept.extend(letters.get(shipped..).unwrap_or_default().iter().cloned());
    DeadLetters::of_spool(folder).replace(&kept)?;
    match error {
        None => Ok(()),
        Some(error) => Err(Failure::new(format!(
            "{error}; {} dead letters are left in {}",
            kept.len(),
            escape::path(folder)
        ))),
    }
}

/// Counts what was shipped, and gives what was refused.
fn refused<E: AsRef<[u8]>>(
    receipt: &Receipt,
    entries: &[E],
    total: &mut Totals,
) -> Vec<DeadLetter> {
    total.stored += receipt.counts.succeeded;
    total.duplicates += receipt.counts.duplicates;
    total.retries += receipt.retries;
    let time = Timestamp::now();
    let letters: Vec<_> = receipt
        .refusals
        .iter()
        .filter_map(|refusal| {
            let code = refusal.code.map_or("refused", |code| code.as_str());
            say!("refused: {code}: {}", refusal.message);
            Some(DeadLetter {
                entry: entries.get(refusal.index)?.as_ref().to_vec(),
                status: refusal.code.map(|code| code.http_status()),
                code: code.to_owned(),
                message: refusal.message.clone(),
                time,
            })
        })
        .collect();
    total.refused += letters.len();
    letters
}
