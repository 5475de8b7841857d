//! What an entry shows without a secret.

use std::ffi::c_char;

use logflux_envelope::Entry;

use crate::arguments::{Out, bytes, there};
use crate::boundary::{boundary, freeing};
use crate::error::logflux_error;
use crate::status::logflux_status;
use crate::words::logflux_timestamp;

/// An entry that was read, without a secret (PROTOCOL 2).
pub struct logflux_entry(Entry);

/// Reads the JSON of one entry as an opener does: strictly, but fields that no entry has are ignored.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_entry_parse(
    entry: *const c_char,
    entry_length: usize,
    out: Option<&mut *mut logflux_entry>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        out.give(logflux_entry(Entry::parse(bytes!(entry, entry_length))?))
    })
}

/// Gives the sender's name. It is not NUL-terminated, and lives as long as the entry.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_entry_node(
    entry: Option<&logflux_entry>,
    out_node: Option<&mut *const c_char>,
    out_length: Option<&mut usize>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let node = there(entry, "entry")?.0.node().as_str();
        let (out_node, out_length) =
            (there(out_node, "out_node")?, there(out_length, "out_length")?);
        *out_node = node.as_ptr().cast();
        *out_length = node.len();
        Ok(())
    })
}

/// The level, a logflux_level; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_entry_level(entry: Option<&logflux_entry>) -> u32 {
    entry.map_or(0, |entry| entry.0.level().number().into())
}

/// The mode, a logflux_mode; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_entry_mode(entry: Option<&logflux_entry>) -> u32 {
    entry.map_or(0, |entry| entry.0.mode().number().into())
}

/// Gives the time.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_entry_timestamp(
    entry: Option<&logflux_entry>,
    out: Option<&mut logflux_timestamp>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        *there(out, "out")? = there(entry, "entry")?.0.timestamp().into();
        Ok(())
    })
}

/// Frees an entry. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_entry_free(entry: Option<Box<logflux_entry>>) {
    freeing(entry);
}
