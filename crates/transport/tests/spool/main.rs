//! The spool on a real file system.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation
)]

mod bounds;
mod damage;
mod dead_letters;
mod disk;
mod foreign;
mod kill;
mod owner;
mod queue;
mod swept;

use std::fs;
use std::path::{Path, PathBuf};

use logflux_transport::{RecordId, Recovery, Spool, SpoolOptions};

/// An entry: these tests need not know more of one than that each is another.
fn entry(number: usize) -> Vec<u8> {
    format!("{{\"entry\":{number}}}").into_bytes()
}

fn open(folder: &Path) -> (Spool, Recovery) {
    Spool::open(folder, SpoolOptions::default()).unwrap()
}

/// Options with these bounds.
fn bounded(max_bytes: u64, segment_bytes: u64) -> SpoolOptions {
    let mut options = SpoolOptions::default();
    options.max_bytes = max_bytes;
    options.segment_bytes = segment_bytes;
    options
}

fn append(spool: &mut Spool, entries: impl Iterator<Item = Vec<u8>>) {
    for entry in entries {
        spool.append(&entry).unwrap();
    }
}

/// Hands all out, and gives the records and the entries.
fn all(spool: &mut Spool) -> (Vec<RecordId>, Vec<Vec<u8>>) {
    spool.next_batch(usize::MAX, usize::MAX).unwrap().into_iter().unzip()
}

/// The segments of a folder.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    paths.sort_unstable();
    paths
}

/// The names of the files of a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}
