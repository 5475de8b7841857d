//! The program as its users meet it: a process, its streams and its exit status, and a real server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failed test may say so.

mod certify;
mod demo;
mod doctor;
mod help;
mod operating;
mod pipe;
mod refusals;
#[cfg(target_os = "linux")]
mod rotation;
mod run;
mod seal_and_open;
mod server;
mod settings;
mod ship_and_query;
mod spool;
mod tail;
mod upkeep;
