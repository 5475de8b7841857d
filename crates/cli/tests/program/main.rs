//! The program as its users meet it: a process, its streams and its exit status, and a real server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failed test may say so.

mod certify;
mod checked;
mod demo;
mod doctor;
#[cfg(unix)]
mod ending;
mod faults;
mod filters;
mod help;
mod hostile;
#[cfg(unix)]
mod long_lines;
mod operating;
mod pipe;
#[cfg(unix)]
mod pty;
mod refusals;
#[cfg(target_os = "linux")]
mod rotation;
mod run;
mod seal_and_open;
mod server;
mod settings;
mod ship_and_query;
mod spool;
#[cfg(unix)]
mod streams;
mod summaries;
mod tail;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod unsent;
mod upkeep;
