//! The spool on a file system that crashes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod fake;
mod model;
