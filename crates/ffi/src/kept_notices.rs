//! Sentences about a client that C fetches, where no callback can be called.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use logflux_process::PerProcess;

use crate::arguments::there;
use crate::boundary::boundary;
use crate::buffer::logflux_buffer;
use crate::client::logflux_client;
use crate::error::logflux_error;
use crate::status::logflux_status;

/// How many sentences wait at most; the oldest make room.
const KEPT_MAX: usize = 64;

/// Sentences that were not fetched yet. A child of fork has its own.
pub(crate) struct KeptNotices(PerProcess<Mutex<VecDeque<String>>>);

impl KeptNotices {
    pub(crate) fn new() -> Self {
        Self(PerProcess::new(Mutex::default()))
    }

    pub(crate) fn keep(&self, sentence: String) {
        let mut kept = self.0.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(sentence);
    }

    fn take(&self) -> Option<String> {
        let kept = self.0.existing()?;
        kept.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Appends the oldest sentence about the client that was not fetched yet to `out`, for a client of
/// logflux_config_set_keep_notices; it appends nothing if all were fetched.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_take_notice(
    client: Option<&logflux_client>,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let (client, out) = (there(client, "client")?, there(out, "out")?);
        if let Some(sentence) = client.kept_notices().and_then(KeptNotices::take) {
            out.append(sentence.as_bytes());
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_comes_first_and_makes_room() {
        let kept = KeptNotices::new();
        (0..KEPT_MAX + 2).for_each(|number| kept.keep(number.to_string()));
        assert_eq!(kept.take().as_deref(), Some("2"));
        let rest: Vec<_> = std::iter::from_fn(|| kept.take()).collect();
        assert_eq!(rest.len(), KEPT_MAX - 1);
        assert_eq!(rest.last().map(String::as_str), Some("65"));
    }
}
