//! Ships sealed entries in batches, and tries again where that can help.

use std::thread;

use logflux_wire::limits::BATCH_MAX;
use logflux_wire::request::append_batch;
use logflux_wire::response::{ErrorCode, IngestCounts};

use crate::api::{Api, CallError};
use crate::retry::{self, Retry};

/// The most bytes in one request, unless a single entry is longer.
const BODY_MAX: usize = 4 << 20;

/// Ships sealed entries, blocking. An entry is never sealed again: a retry has the same bytes, so
/// that the server can tell that it has them.
#[derive(Debug)]
pub struct Shipper {
    api: Api,
    retry: Retry,
}

/// What became of entries that were shipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// What the server counted.
    pub counts: IngestCounts,
    /// Entries that the server refused for good, by their place among those shipped.
    pub refusals: Vec<Refusal>,
    /// How many requests had to be sent again.
    pub retries: u32,
}

/// An entry that the server refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its place among those shipped, from 0.
    pub index: usize,
    /// Why, for programs.
    pub code: Option<ErrorCode>,
    /// Why, for people.
    pub message: String,
}

/// Shipping ended before all entries were sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ShipError {
    /// Why.
    pub error: CallError,
    /// The first entry that is not known to be stored; all before it were shipped.
    pub shipped: usize,
    /// What became of those before it.
    pub receipt: Receipt,
}

impl Shipper {
    /// Ships through `api`, and tries again as `retry` says.
    #[must_use]
    pub fn new(api: Api, retry: Retry) -> Self {
        Self { api, retry }
    }

    /// Where it ships to.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Ships entries in canonical JSON, in their order, and tells after every request how many were
    /// shipped.
    ///
    /// # Errors
    /// [`ShipError`] where a request fails for good, with the place from which on nothing is known
    /// to be stored: the caller still has those entries.
    pub fn ship<E: AsRef<[u8]>>(
        &self,
        entries: &[E],
        mut progress: impl FnMut(usize),
    ) -> Result<Receipt, ShipError> {
        let mut receipt = Receipt::default();
        let mut shipped = 0;
        let mut body = Vec::new();
        while let Some(rest) = entries.get(shipped..).filter(|rest| !rest.is_empty()) {
            let count = batch_len(rest);
            let batch = rest.iter().take(count).map(AsRef::as_ref);
            body.clear();
            append_batch(batch, &mut body);
            match self.call(&body, &mut receipt.retries) {
                Ok(answer) => {
                    receipt.counts.total += answer.data.total;
                    receipt.counts.succeeded += answer.data.succeeded;
                    receipt.counts.failed += answer.data.failed;
                    receipt.counts.duplicates += answer.data.duplicates;
                    receipt.refusals.extend(answer.failures.into_iter().map(|failure| Refusal {
                        index: shipped + failure.index,
                        code: Some(failure.code),
                        message: failure.message,
                    }));
                }
                // None of the batch was good: the batch is at fault, and the next may be good.
                Err(CallError::Refused {
                    status: 400 | 413, code: Some(code), message, ..
                }) => {
                    receipt.counts.total += count;
                    receipt.counts.failed += count;
                    receipt.refusals.extend((shipped..shipped + count).map(|index| Refusal {
                        index,
                        code: Some(code),
                        message: message.clone(),
                    }));
                }
                Err(error) => return Err(ShipError { error, shipped, receipt }),
            }
            shipped += count;
            progress(shipped);
        }
        Ok(receipt)
    }

    fn call(
        &self,
        body: &[u8],
        retries: &mut u32,
    ) -> Result<logflux_wire::response::IngestResponse, CallError> {
        let mut retry = 0;
        loop {
            let error = match self.api.ingest(body) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !error.is_retryable() || retry == self.retry.max_retries {
                return Err(error);
            }
            retry += 1;
            *retries += 1;
            thread::sleep(self.retry.pause(retry, error.retry_after(), retry::jitter()));
        }
    }
}

/// How many of the entries go into the next request: at least one.
fn batch_len<E: AsRef<[u8]>>(entries: &[E]) -> usize {
    let mut bytes = 0;
    entries
        .iter()
        .take(BATCH_MAX)
        .take_while(|entry| {
            bytes += entry.as_ref().len();
            bytes <= BODY_MAX
        })
        .count()
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_by_count_and_by_bytes_and_never_empty() {
        assert_eq!(batch_len(&vec![vec![0; 10]; 250]), 100);
        assert_eq!(batch_len(&vec![vec![0; 1 << 20]; 10]), 4);
        assert_eq!(batch_len(&[vec![0; 5 << 20], vec![0]]), 1);
    }
}
