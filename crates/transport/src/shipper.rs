//! Ships sealed entries in batches, and tries again where that can help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use logflux_wire::limits::BATCH_MAX;
use logflux_wire::request::append_batch;
use logflux_wire::response::{ErrorCode, Failure, IngestCounts};

use crate::api::Api;
use crate::body_bound::BodyBound;
use crate::call_error::{CallError, Disposition, complete};
use crate::config::Retry;
use crate::retry;

/// Ships sealed entries, blocking. An entry is never sealed again: a retry has the same bytes, so
/// that the server can tell that it has them.
#[derive(Debug)]
pub struct Shipper {
    api: Api,
    retry: Retry,
    stop: Arc<AtomicBool>,
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
    pub receipt: Box<Receipt>,
}

impl Shipper {
    /// Ships through `api`, and tries again as `retry` says.
    #[must_use]
    pub fn new(api: Api, retry: Retry) -> Self {
        Self { api, retry, stop: Arc::default() }
    }

    /// Tries nothing again as soon as another thread sets `stop`: the request that is under way is the
    /// last, and the pause between two ends.
    #[must_use]
    pub fn until(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
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
        // Shrinks where the server refuses a batch as a whole, and grows again behind it.
        let mut batch_max = BATCH_MAX;
        let mut body_bound = BodyBound::default();
        while let Some(rest) = entries.get(shipped..).filter(|rest| !rest.is_empty()) {
            let count = batch_len(rest, batch_max, body_bound.get());
            let batch = rest.iter().take(count).map(AsRef::as_ref);
            body.clear();
            append_batch(batch, &mut body);
            let shorter = count > 1 && body_bound.can_be_shorter();
            match self.call(&body, count, shorter, &mut receipt.retries) {
                Ok(answer) => {
                    body_bound.lengthen();
                    receipt.counts.total += answer.data.total;
                    receipt.counts.succeeded += answer.data.succeeded;
                    receipt.counts.failed += answer.data.failed;
                    receipt.counts.duplicates += answer.data.duplicates;
                    receipt.refuse(shipped, answer.failures);
                }
                Err(CallError::TimedOut(_)) if shorter => {
                    body_bound.shorten();
                    receipt.retries += 1;
                    continue;
                }
                Err(error) if error.refusals(count).is_some() => {
                    receipt.counts.total += count;
                    receipt.counts.failed += count;
                    receipt.refuse(shipped, error.refusals(count).unwrap_or_default().to_vec());
                }
                Err(error) => match (error.disposition(count), error) {
                    (Disposition::Split, _) => {
                        batch_max = count.div_ceil(2);
                        continue;
                    }
                    (Disposition::Refused, CallError::Refused { code, message, .. }) => {
                        receipt.counts.total += 1;
                        receipt.counts.failed += 1;
                        receipt.refusals.push(Refusal { index: shipped, code, message });
                    }
                    (_, error) => {
                        let receipt = Box::new(receipt);
                        return Err(ShipError { error, shipped, receipt });
                    }
                },
            }
            batch_max = (2 * batch_max).min(BATCH_MAX);
            shipped += count;
            progress(shipped);
        }
        Ok(receipt)
    }

    /// Makes a call until it is answered, or trying again does not help. Where the next body can be
    /// `shorter`, one that takes too long is not sent again.
    fn call(
        &self,
        body: &[u8],
        entries: usize,
        shorter: bool,
        retries: &mut u32,
    ) -> Result<logflux_wire::response::IngestResponse, CallError> {
        let mut retry = 0;
        loop {
            let error = match complete(self.api.ingest(body), entries) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let too_slow = matches!(error, CallError::TimedOut(_)) && shorter;
            let helps = error.disposition(entries) == Disposition::Retry && !too_slow;
            if !helps || retry == self.retry.max_retries.get() {
                return Err(error);
            }
            retry += 1;
            if self.pause(self.retry.pause(retry, error.retry_after(), retry::jitter())).is_err() {
                return Err(error);
            }
            *retries += 1;
        }
    }
}

/// There is no time to try again.
struct Stopped;

impl Shipper {
    fn pause(&self, pause: Duration) -> Result<(), Stopped> {
        const LOOK: Duration = Duration::from_millis(50);
        let begun = Instant::now();
        loop {
            if self.stop.load(Ordering::Acquire) {
                return Err(Stopped);
            }
            let left = pause.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(LOOK));
        }
    }
}

impl Receipt {
    /// Adds what the server says of the entries of a batch that begins at `first`.
    fn refuse(&mut self, first: usize, failures: Vec<Failure>) {
        self.refusals.extend(failures.into_iter().map(|failure| Refusal {
            index: first + failure.index,
            code: Some(failure.code),
            message: failure.message,
        }));
    }
}

/// How many of the entries go into the next request: at least one, of at most so many and so many bytes.
fn batch_len<E: AsRef<[u8]>>(entries: &[E], most: usize, body_max: usize) -> usize {
    let mut bytes = 0;
    entries
        .iter()
        .take(most)
        .take_while(|entry| {
            bytes += entry.as_ref().len();
            bytes <= body_max
        })
        .count()
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_by_count_and_by_bytes_and_never_empty() {
        assert_eq!(batch_len(&vec![vec![0; 10]; 250], 100, 4 << 20), 100);
        assert_eq!(batch_len(&vec![vec![0; 1 << 20]; 10], 100, 4 << 20), 4);
        assert_eq!(batch_len(&vec![vec![0; 1 << 20]; 10], 100, 1 << 20), 1);
        assert_eq!(batch_len(&[vec![0; 5 << 20], vec![0]], 100, 4 << 20), 1);
    }
}
