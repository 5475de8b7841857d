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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use logflux_wire::alert::{Alert, AlertKind};
use prometheus::{IntCounterVec, IntGauge};
use serde_json::{Value, json};

pub(crate) use event::{Borne, Event, Whose};
pub use ledger::{AlertFilter, AlertList, Alerts, AlertsError};
pub(crate) use metrics::MachineGauges;
use metrics::Metrics;
use rules::Rules;
pub use settings::{Burst, LargePayload, LimitNear, MonitorSettings, UnusualUse, WebhookSettings};
use webhook::Webhook;

use crate::sampling;
use crate::store::{Notice, Store};

/// How many alerts of a kind wait to be kept; above it they are only logged.
const WAITING: usize = 100;

pub(crate) struct Monitor(Arc<Watch>);

struct Watch {
    settings: Mutex<Arc<MonitorSettings>>,
    metrics: Metrics,
    rules: Mutex<Rules>,
    alerts: Arc<Alerts>,
    webhook: Mutex<Option<Arc<Webhook>>>,
    /// How many of each kind wait.
    waiting: [AtomicUsize; AlertKind::ALL.len()],
    keep: SyncSender<Option<Alert>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Monitor {
    /// Opens the alerts of a data folder, and starts the threads that keep and post them.
    pub(crate) fn start(
        data: &Path,
        settings: &MonitorSettings,
        store: &dyn Store,
    ) -> Result<Self, MonitorError> {
        let webhook = check(settings)?;
        let metrics = Metrics::new(store.meter())?;
        let alerts = Arc::new(Alerts::open(data)?);
        let (keep, to_keep) = sync_channel(WAITING * AlertKind::ALL.len());
        let (wake, woken) = sync_channel(1);
        let watch = Arc::new(Watch {
            settings: Mutex::new(Arc::new(settings.clone())),
            metrics,
            rules: Mutex::new(Rules::new()),
            alerts,
            webhook: Mutex::new(webhook.map(Arc::new)),
            waiting: std::array::from_fn(|_| AtomicUsize::new(0)),
            keep,
            keeper: Mutex::new(None),
        });
        let keeping = Arc::clone(&watch);
        let keeper = spawn("logflux-alerts", move || keeping.keep_alerts(&to_keep, &wake))?;
        *watch.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        // These are not waited for at the end: a post may take long, and is made again at the start.
        let posting = Arc::downgrade(&watch);
        spawn("logflux-webhook", move || post_alerts(&posting, &woken))?;
        if let Some(notices) = store.notices() {
            let telling = Arc::downgrade(&watch);
            spawn("logflux-notices", move || {
                while let (Ok(notice), Some(watch)) = (notices.recv(), telling.upgrade()) {
                    watch.notice(&notice);
                }
            })?;
        }
        Ok(Self(watch))
    }

    /// Puts other rules and another webhook in force, or neither where the webhook cannot be.
    pub(crate) fn configure(&self, settings: &MonitorSettings) -> Result<(), MonitorError> {
        let webhook = check(settings)?;
        *self.0.webhook.lock().unwrap_or_else(PoisonError::into_inner) = webhook.map(Arc::new);
        *self.0.settings.lock().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(settings.clone());
        Ok(())
    }

    /// Counts an event, and gives an alert where it breaks a rule.
    pub(crate) fn record(&self, event: &Event<'_>) {
        self.0.record(event);
    }

    /// Gives an alert of something that the server has noticed of itself.
    pub(crate) fn notice(&self, kind: AlertKind, message: String, details: Value) {
        self.0.told(kind, message, details);
    }

    /// The counters in the text format of Prometheus.
    pub(crate) fn metrics(&self) -> Result<String, MonitorError> {
        Ok(self.0.metrics.text()?)
    }

    /// How many clients wait for entries as they come.
    pub(crate) fn tails(&self) -> &IntGauge {
        &self.0.metrics.tails
    }

    /// What the server says of the machine.
    pub(crate) fn machine(&self) -> &MachineGauges {
        &self.0.metrics.machine
    }

    /// The alerts that were given.
    pub(crate) fn alerts(&self) -> &Arc<Alerts> {
        &self.0.alerts
    }
}

/// Checks the settings, and reads what the webhook needs.
pub(crate) fn check(settings: &MonitorSettings) -> Result<Option<Webhook>, MonitorError> {
    settings.check().map_err(MonitorError::Settings)?;
    settings.webhook.as_ref().map(Webhook::new).transpose().map_err(MonitorError::Settings)
}

impl Watch {
    fn settings(&self) -> Arc<MonitorSettings> {
        Arc::clone(&self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn webhook(&self) -> Option<Arc<Webhook>> {
        self.webhook.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, event: &Event<'_>) {
        self.metrics.record(event);
        let settings = self.settings();
        let breaches = {
            let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            rules.judge(event, &settings, Instant::now())
        };
        for alert in breaches {
            self.give(alert);
        }
    }

    fn notice(&self, notice: &Notice) {
        match notice {
            Notice::ClockJumped { seconds } => self.told(
                AlertKind::ClockJumped,
                format!(
                    "the clock is {} s {} of where it is expected: no entry is deleted for its age \
                     until it is right, or `logflux store retain --accept-clock` confirms it",
                    seconds.unsigned_abs(),
                    if *seconds < 0 { "behind" } else { "ahead" },
                ),
                json!({ "seconds": seconds }),
            ),
            Notice::Damaged { what } => self.told(
                AlertKind::StoreDamaged,
                format!("{what}; `logflux store check` says what is damaged"),
                json!({}),
            ),
            Notice::LogLarge { bytes } => self.told(
                AlertKind::StoreLogLarge,
                format!(
                    "the store's log has {bytes} bytes: another process reads the store without end"
                ),
                json!({ "bytes": bytes }),
            ),
        }
    }

    fn told(&self, kind: AlertKind, message: String, details: Value) {
        let settings = self.settings();
        let alert = {
            let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            rules.notice(kind, message, details, &settings, Instant::now())
        };
        if let Some(alert) = alert {
            self.give(alert);
        }
    }

    fn waiting(&self, kind: AlertKind) -> Option<&AtomicUsize> {
        AlertKind::ALL.iter().zip(&self.waiting).find(|(of, _)| **of == kind).map(|(_, n)| n)
    }

    fn give(&self, alert: Alert) {
        if let Some(missed) = sampling::passes(alert.kind.name()) {
            tracing::warn!(
                kind = alert.kind.name(),
                key = alert.key.as_deref(),
                tenant = alert.tenant.as_deref(),
                address = alert.address.as_deref(),
                message = alert.message,
                missed,
                "alert"
            );
        }
        self.metrics.alerts.with_label_values(&[alert.kind.name()]).inc();
        let Some(waiting) = self.waiting(alert.kind) else { return };
        let fits = waiting.fetch_add(1, Ordering::Relaxed) < WAITING;
        if !fits || self.keep.try_send(Some(alert)).is_err() {
            waiting.fetch_sub(1, Ordering::Relaxed);
            if let Some(missed) = sampling::passes("alerts_wait") {
                tracing::error!(missed, "too many alerts wait already: this one is not kept");
            }
        }
    }

    /// Keeps what comes, until nothing can come any more.
    fn keep_alerts(&self, to_keep: &Receiver<Option<Alert>>, wake: &SyncSender<()>) {
        while let Ok(Some(alert)) = to_keep.recv() {
            if let Some(waiting) = self.waiting(alert.kind) {
                waiting.fetch_sub(1, Ordering::Relaxed);
            }
            let post = self.webhook().is_some();
            match self.alerts.add(&alert, millis(), self.settings().keep, post) {
                // It is awake already, where this fails.
                Ok(_) => drop(wake.try_send(())),
                Err(error) => tracing::error!(%error, "an alert is not kept"),
            }
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // The end of what is to be kept.
        self.0.keep.send(None).ok();
        let keeper = self.0.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper {
            keeper.join().ok();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, MonitorError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(MonitorError::Thread)
}

/// Posts what is due, until the server ends.
fn post_alerts(watch: &Weak<Watch>, woken: &Receiver<()>) {
    loop {
        let Some(watch) = watch.upgrade() else { return };
        let wait = match watch.webhook() {
            None => Duration::from_secs(3_600),
            Some(webhook) => match post_next(&watch.alerts, &webhook, &watch.metrics.posts) {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "alerts are not posted");
                    Duration::from_secs(10)
                }
            },
        };
        drop(watch);
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
