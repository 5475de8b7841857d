//! The spool on a file system that crashes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation
)]

pub(crate) mod fake;
mod faults;
mod format;
mod model;
