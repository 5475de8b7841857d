//! A durable spool.
#![allow(clippy::cast_possible_truncation)]

mod buffer;
mod dead_letters;
mod durable;
mod format;
mod fs;
mod index;
mod own;
mod read;
mod recovery;
mod segment;
mod store;
mod types;
mod view;

pub use dead_letters::{DeadLetter, DeadLetters};
pub use store::Spool;
pub use types::{Appended, RecordId, Recovery, SpoolError, SpoolFull, SpoolOptions};
pub use view::{SegmentView, SpoolView};

#[cfg(test)]
mod tests;
