//! What a store counts of itself.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge};

/// Counters of a store, to be shown by `GET /metrics`.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Seconds from the begin of a transaction to its being durable.
    pub(crate) commit: Histogram,
    pub(crate) stored: IntCounter,
    pub(crate) duplicates: IntCounter,
    pub(crate) deleted: IntCounter,
    /// Requests that wait for the writer or are being written.
    pub(crate) queued: IntGauge,
    pub(crate) bytes: IntGauge,
    pub(crate) newest: IntGauge,
    /// What could not be read, or not be stored.
    pub(crate) damaged: IntCounter,
    /// Bytes of the write-ahead log.
    pub(crate) log: IntGauge,
    /// 1 while nothing is deleted for its age.
    pub(crate) held: IntGauge,
}

impl Meter {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let commit = HistogramOpts::new(
            "logflux_commit_seconds",
            "Time of a transaction, from its begin to its being durable",
        )
        .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]);
        Ok(Self {
            commit: Histogram::with_opts(commit)?,
            stored: IntCounter::new("logflux_entries_stored_total", "Entries stored")?,
            duplicates: IntCounter::new(
                "logflux_entries_duplicate_total",
                "Entries that were stored before",
            )?,
            deleted: IntCounter::new(
                "logflux_entries_deleted_total",
                "Entries deleted by age or size",
            )?,
            queued: IntGauge::new(
                "logflux_queue_requests",
                "Requests that wait for the store's writer or are being written",
            )?,
            bytes: IntGauge::new("logflux_store_bytes", "Bytes of entries and indexes in use")?,
            newest: IntGauge::new("logflux_store_newest", "The number of the newest entry")?,
            damaged: IntCounter::new(
                "logflux_store_damaged_total",
                "Entries that could not be read or stored, since the store is damaged there",
            )?,
            log: IntGauge::new("logflux_store_log_bytes", "Bytes of the write-ahead log")?,
            held: IntGauge::new(
                "logflux_retention_paused",
                "1 while no entry is deleted for its age, since the clock has jumped",
            )?,
        })
    }

    pub(crate) fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.commit.clone()),
            Box::new(self.stored.clone()),
            Box::new(self.duplicates.clone()),
            Box::new(self.deleted.clone()),
            Box::new(self.queued.clone()),
            Box::new(self.bytes.clone()),
            Box::new(self.newest.clone()),
            Box::new(self.damaged.clone()),
            Box::new(self.log.clone()),
            Box::new(self.held.clone()),
        ]
    }
}
