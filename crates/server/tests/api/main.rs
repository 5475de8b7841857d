//! The server from outside: over TLS, with a client that trusts its authority.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod bad_days;
mod certificates;
mod common;
mod counting;
mod entries;
mod faults;
#[cfg(target_os = "linux")]
mod floods;
#[cfg(target_os = "linux")]
mod full_disk;
mod generated;
mod ingest;
mod keys;
mod limits;
mod malformed;
mod monitors;
#[cfg(target_os = "linux")]
mod open_files;
mod packed;
mod tail;
mod upkeep;
mod webhook;
