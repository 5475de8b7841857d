//! The counters of `GET /metrics`, in the text format of Prometheus.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, TextEncoder,
};

use super::event::{Event, Whose};
use crate::keys::KeyInfo;
use crate::store::Meter;

/// Seconds, around the 50 ms that a request may take.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    latency: HistogramVec,
    refusals: IntCounterVec,
    entries_refused: IntCounterVec,
    entries: IntCounter,
    bytes: IntCounter,
    limit_hits: IntCounterVec,
    key_last_used: GaugeVec,
    key_requests: IntCounterVec,
    key_entries: IntCounterVec,
    pub(super) alerts: IntCounterVec,
    pub(super) posts: IntCounterVec,
    pub(super) tails: IntGauge,
    pub(super) machine: MachineGauges,
}

/// What the server says of its process, its disk and its certificate.
#[derive(Clone, Debug)]
pub(crate) struct MachineGauges {
    pub(crate) memory: IntGauge,
    pub(crate) files: IntGauge,
    pub(crate) started: IntGauge,
    pub(crate) processor: Gauge,
    pub(crate) disk_free: IntGauge,
    pub(crate) disk_size: IntGauge,
    pub(crate) certificate: IntGauge,
}

impl MachineGauges {
    fn new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            memory: IntGauge::new("process_resident_memory_bytes", "Memory in use")?,
            files: IntGauge::new("process_open_fds", "Open files")?,
            started: IntGauge::new(
                "process_start_time_seconds",
                "When the server was started: seconds since 1970",
            )?,
            processor: Gauge::new("process_cpu_seconds_total", "Processor time used")?,
            disk_free: IntGauge::new(
                "logflux_disk_free_bytes",
                "Bytes that are free for the server on the disk of the data folder",
            )?,
            disk_size: IntGauge::new("logflux_disk_bytes", "The size of that disk")?,
            certificate: IntGauge::new(
                "logflux_certificate_expiry_timestamp_seconds",
                "When the first certificate of the chain expires: seconds since 1970",
            )?,
        })
    }

    fn collectors(&self) -> [Box<dyn Collector>; 7] {
        [
            Box::new(self.memory.clone()),
            Box::new(self.files.clone()),
            Box::new(self.started.clone()),
            Box::new(self.processor.clone()),
            Box::new(self.disk_free.clone()),
            Box::new(self.disk_size.clone()),
            Box::new(self.certificate.clone()),
        ]
    }
}

impl Metrics {
    pub(super) fn new(store: Option<&Meter>) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            IntCounterVec::new(Opts::new(name, help), labels)
        };
        let key = ["key", "tenant"];
        let metrics = Self {
            registry: Registry::new(),
            requests: counter(
                "logflux_requests_total",
                "Requests answered, by route and HTTP status",
                &["route", "status"],
            )?,
            latency: HistogramVec::new(
                HistogramOpts::new(
                    "logflux_request_seconds",
                    "Time of a request, from its head to the head of its answer",
                )
                .buckets(BUCKETS.to_vec()),
                &["route"],
            )?,
            refusals: counter(
                "logflux_refusals_total",
                "Requests refused as a whole, by error code",
                &["code"],
            )?,
            entries_refused: counter(
                "logflux_entries_refused_total",
                "Entries refused, by error code",
                &["code"],
            )?,
            entries: IntCounter::new("logflux_entries_received_total", "Entries that came")?,
            bytes: IntCounter::new(
                "logflux_bytes_received_total",
                "Bytes of the bodies that entries came in",
            )?,
            limit_hits: counter(
                "logflux_limit_hits_total",
                "Requests refused for a limit, by whose it is",
                &["whose"],
            )?,
            key_last_used: GaugeVec::new(
                Opts::new(
                    "logflux_key_last_used_timestamp_seconds",
                    "When a key was last used since the server started: seconds since 1970",
                ),
                &key,
            )?,
            key_requests: counter("logflux_key_requests_total", "Requests of a key", &key)?,
            key_entries: counter("logflux_key_entries_total", "Entries that a key sent", &key)?,
            alerts: counter("logflux_alerts_total", "Alerts given, by kind", &["kind"])?,
            posts: counter(
                "logflux_webhook_posts_total",
                "Alerts posted to the webhook, by what came of it",
                &["outcome"],
            )?,
            tails: IntGauge::new("logflux_tails", "Clients that wait for entries as they come")?,
            machine: MachineGauges::new()?,
        };
        metrics.register(store)?;
        Ok(metrics)
    }

    fn register(&self, store: Option<&Meter>) -> Result<(), prometheus::Error> {
        let info = Opts::new("logflux_info", "The server's version")
            .const_label("version", env!("CARGO_PKG_VERSION"));
        let info = IntGauge::with_opts(info)?;
        info.set(1);
        let mut all = store.map(Meter::collectors).unwrap_or_default();
        all.push(Box::new(info));
        for counters in [
            &self.requests,
            &self.refusals,
            &self.entries_refused,
            &self.limit_hits,
            &self.key_requests,
            &self.key_entries,
            &self.alerts,
            &self.posts,
        ] {
            all.push(Box::new(counters.clone()));
        }
        all.push(Box::new(self.latency.clone()));
        all.push(Box::new(self.entries.clone()));
        all.push(Box::new(self.bytes.clone()));
        all.push(Box::new(self.key_last_used.clone()));
        all.push(Box::new(self.tails.clone()));
        all.extend(self.machine.collectors());
        all.into_iter().try_for_each(|collector| self.registry.register(collector))
    }

    pub(super) fn record(&self, event: &Event<'_>) {
        match event {
            Event::Answered { route, status, code, elapsed, key, .. } => {
                let route = route.unwrap_or("none");
                self.requests.with_label_values(&[route, &status.to_string()]).inc();
                self.latency.with_label_values(&[route]).observe(elapsed.as_secs_f64());
                if let Some(code) = code {
                    self.refusals.with_label_values(&[code.as_str()]).inc();
                }
                if let Some(key) = key {
                    let labels = labels(key);
                    self.key_requests.with_label_values(&labels).inc();
                    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                    self.key_last_used.with_label_values(&labels).set(now.as_secs_f64().floor());
                }
            }
            Event::Received { key, entries, bytes, .. } => {
                self.entries.inc_by(*entries);
                self.bytes.inc_by(*bytes);
                self.key_entries.with_label_values(&labels(key)).inc_by(*entries);
            }
            Event::Refused { code, entries, .. } => {
                self.entries_refused.with_label_values(&[code.as_str()]).inc_by(*entries);
            }
            Event::Counted { whose, used, limit } if used > limit => {
                let whose = match whose {
                    Whose::Key(_) => "key",
                    Whose::Address(_) => "address",
                };
                self.limit_hits.with_label_values(&[whose]).inc();
            }
            Event::Counted { .. } => {}
        }
    }

    /// The text of all.
    pub(super) fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn labels(key: &KeyInfo) -> [&str; 2] {
    [key.id.as_str(), key.tenant.as_str()]
}
