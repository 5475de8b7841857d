//! What came of opening many entries.

use std::ffi::c_char;

use zeroize::Zeroizing;

use crate::arguments::there;
use crate::boundary::{boundary, freeing};
use crate::error::{Failure, logflux_error};
use crate::status::logflux_status;

pub(crate) type Opened = Result<Zeroizing<Vec<u8>>, Failure>;

/// The results of logflux_opener_open_many, one for every entry. Zeroed when it is freed.
pub struct logflux_opened {
    results: Vec<Opened>,
}

impl logflux_opened {
    pub(crate) fn new(results: Vec<Opened>) -> Self {
        Self { results }
    }
}

/// How many results there are: as many as entries were given.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opened_count(opened: Option<&logflux_opened>) -> usize {
    opened.map_or(0, |opened| opened.results.len())
}

/// Gives the message of the entry at `index`, or the failure with which it was not opened. The
/// message is not NUL-terminated, and lives as long as the handle.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opened_message(
    opened: Option<&logflux_opened>,
    index: usize,
    out_message: Option<&mut *const c_char>,
    out_length: Option<&mut usize>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let results = &there(opened, "opened")?.results;
        let out_message = there(out_message, "out_message")?;
        let out_length = there(out_length, "out_length")?;
        let result = results.get(index).ok_or_else(|| {
            let what = format_args!("index is {index}, and there are {} results", results.len());
            logflux_error::at(logflux_status::OutOfRange, "index", what)
        })?;
        let message = result.as_ref().map_err(Clone::clone)?;
        *out_message = message.as_ptr().cast();
        *out_length = message.len();
        Ok(())
    })
}

/// Zeroes and frees results. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opened_free(opened: Option<Box<logflux_opened>>) {
    freeing(opened);
}
