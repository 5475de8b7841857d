//! What the server watches of itself and of those who use it: counters for `GET /metrics`, and rules
//! whose breach is an alert.
//!
//! Whoever sees something happen calls `Monitor::record`, which counts and judges it at once and
//! waits for nothing. An alert goes to a thread that keeps it ([`Alerts`]) and, where there is a
//! webhook, is posted by another. No event holds a key or a payload.

mod detectors;
mod event;
mod ledger;
mod metrics;
mod rules;
mod settings;
mod webhook;

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use logflux_wire::alert::Alert;
use prometheus::{IntCounterVec, IntGauge};

pub(crate) use event::Event;
pub(crate) use event::Whose;
pub use ledger::{AlertFilter, Alerts, AlertsError};
use metrics::Metrics;
use rules::Rules;
pub use settings::{Burst, LargePayload, LimitNear, MonitorSettings, UnusualUse, WebhookSettings};
use webhook::Webhook;

use crate::store::Meter;

/// How many alerts wait to be kept; above it they are only logged.
const WAITING: usize = 1_000;

pub(crate) struct Monitor {
    settings: Mutex<Arc<MonitorSettings>>,
    metrics: Metrics,
    rules: Mutex<Rules>,
    alerts: Arc<Alerts>,
    keep: Option<SyncSender<Alert>>,
    keeper: Option<JoinHandle<()>>,
}

impl Monitor {
    /// Opens the alerts of a data folder, and starts the threads that keep and post them.
    pub(crate) fn start(
        data: &Path,
        settings: &MonitorSettings,
        store: Option<&Meter>,
    ) -> Result<Self, MonitorError> {
        settings.check().map_err(MonitorError::Settings)?;
        let webhook = settings.webhook.as_ref().map(Webhook::new).transpose();
        let webhook = webhook.map_err(MonitorError::Settings)?;
        let metrics = Metrics::new(store)?;
        let alerts = Arc::new(Alerts::open(data)?);
        let (keep, to_keep) = sync_channel(WAITING);
        let (wake, woken) = sync_channel(1);
        let posts = webhook.is_some();
        let kept = settings.keep;
        let ledger = Arc::clone(&alerts);
        let keeper =
            spawn("logflux-alerts", move || keep_alerts(&ledger, kept, posts, &to_keep, &wake))?;
        if let Some(webhook) = webhook {
            let (ledger, posts) = (Arc::clone(&alerts), metrics.posts.clone());
            // It is not waited for at the end: a post may take long, and is made again at the start.
            spawn("logflux-webhook", move || post_alerts(&ledger, &webhook, &posts, &woken))?;
        }
        Ok(Self {
            settings: Mutex::new(Arc::new(settings.clone())),
            metrics,
            rules: Mutex::new(Rules::new()),
            alerts,
            keep: Some(keep),
            keeper: Some(keeper),
        })
    }

    /// Puts other rules in force. The webhook stays as it was at the start.
    pub(crate) fn configure(&self, settings: MonitorSettings) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Counts an event, and gives an alert where it breaks a rule.
    pub(crate) fn record(&self, event: &Event<'_>) {
        self.metrics.record(event);
        let settings = Arc::clone(&self.settings.lock().unwrap_or_else(PoisonError::into_inner));
        let breaches = {
            let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            rules.judge(event, &settings, Instant::now())
        };
        for alert in breaches {
            self.give(alert);
        }
    }

    fn give(&self, alert: Alert) {
        tracing::warn!(
            kind = alert.kind.name(),
            key = alert.key.as_deref(),
            tenant = alert.tenant.as_deref(),
            address = alert.address.as_deref(),
            message = alert.message,
            "alert"
        );
        self.metrics.alerts.with_label_values(&[alert.kind.name()]).inc();
        if let Some(keep) = &self.keep
            && keep.try_send(alert).is_err()
        {
            tracing::error!("too many alerts wait already: this one is not kept");
        }
    }

    /// The counters in the text format of Prometheus.
    pub(crate) fn metrics(&self) -> Result<String, MonitorError> {
        Ok(self.metrics.text()?)
    }

    /// How many clients wait for entries as they come.
    pub(crate) fn tails(&self) -> &IntGauge {
        &self.metrics.tails
    }

    /// The alerts that were given.
    pub(crate) fn alerts(&self) -> &Arc<Alerts> {
        &self.alerts
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.keep = None;
        if let Some(keeper) = self.keeper.take() {
            keeper.join().ok();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, MonitorError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(MonitorError::Thread)
}

/// Keeps what comes, until nothing can come any more.
fn keep_alerts(
    ledger: &Alerts,
    keep: u32,
    post: bool,
    to_keep: &Receiver<Alert>,
    wake: &SyncSender<()>,
) {
    while let Ok(alert) = to_keep.recv() {
        match ledger.add(&alert, millis(), keep, post) {
            // It is awake already, where this fails.
            Ok(_) => drop(wake.try_send(())),
            Err(error) => tracing::error!(%error, "an alert is not kept"),
        }
    }
}

/// Posts what is due, until the server ends.
fn post_alerts(ledger: &Alerts, webhook: &Webhook, posts: &IntCounterVec, woken: &Receiver<()>) {
    loop {
        let wait = match post_next(ledger, webhook, posts) {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(%error, "alerts are not posted");
                Duration::from_secs(10)
            }
        };
        match woken.recv_timeout(wait) {
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Posts the next alert; says how long there is nothing more to do.
fn post_next(
    ledger: &Alerts,
    webhook: &Webhook,
    posts: &IntCounterVec,
) -> Result<Duration, AlertsError> {
    let now = millis();
    let due = match ledger.due(now)? {
        Ok(due) => due,
        Err(next) => {
            let wait = next.map_or(3_600_000, |next| (next - now).clamp(0, 3_600_000));
            return Ok(Duration::from_millis(wait.unsigned_abs()));
        }
    };
    let body = serde_json::to_string(&due.alert).map_err(|_| AlertsError::Damaged(due.alert.id))?;
    let next = match webhook.post(&body, now.unsigned_abs() / 1_000) {
        Ok(()) => {
            posts.with_label_values(&["taken"]).inc();
            None
        }
        Err(reason) => {
            posts.with_label_values(&["failed"]).inc();
            let pause = webhook.pause(due.attempts + 1);
            tracing::warn!(alert = due.alert.id, reason, again = ?pause, "the webhook fails");
            pause
                .map(|pause| millis().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(0)))
        }
    };
    ledger.posted(due.alert.id, next)?;
    Ok(Duration::ZERO)
}

/// Milliseconds since 1970.
fn millis() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// Why there can be no monitors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// A setting is out of its bounds, or names what is not there.
    #[error("monitor: {0}")]
    Settings(String),
    /// The alerts cannot be kept.
    #[error(transparent)]
    Alerts(#[from] AlertsError),
    /// A thread cannot be started.
    #[error("starting the monitors: {0}")]
    Thread(std::io::Error),
    /// The counters are at odds.
    #[error("the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}
