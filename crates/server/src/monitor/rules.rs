//! The rules: which events are an alert.

use std::net::IpAddr;
use std::time::Instant;

use logflux_wire::Timestamp;
use logflux_wire::alert::{Alert, AlertKind};
use logflux_wire::response::ErrorCode;
use serde_json::{Map, Value, json};

use super::detectors::{Bursts, Quiet, Usages};
use super::event::{Event, Whose};
use super::settings::{Burst, LargePayload, MonitorSettings};
use crate::keys::{KeyId, KeyInfo};

/// Whom an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Key(KeyId),
    Address(IpAddr),
}

/// What the rules remember.
#[derive(Debug)]
pub(super) struct Rules {
    bursts: Bursts<(AlertKind, Subject)>,
    quiet: Quiet<(AlertKind, Subject)>,
    usages: Usages<KeyId>,
}

/// A breach, before it is known whether it is told.
struct Breach<'a> {
    kind: AlertKind,
    whose: Whose<'a>,
    message: String,
    details: Value,
}

impl Rules {
    pub(super) fn new() -> Self {
        Self { bursts: Bursts::new(), quiet: Quiet::new(), usages: Usages::new() }
    }

    /// The alerts that an event gives.
    pub(super) fn judge(
        &mut self,
        event: &Event<'_>,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Vec<Alert> {
        let breaches = match *event {
            Event::Answered { code: Some(code), key, address, .. } => {
                let key = key.map(AsRef::as_ref);
                vec![self.answered(code, key, address, settings, now)]
            }
            Event::Answered { .. } => return Vec::new(),
            Event::Received { key, entries, largest, .. } => vec![
                self.unusual(key, entries, settings, now),
                self.large(key, largest, settings, now),
            ],
            Event::Refused { key, code, entries } => {
                vec![self.refused(key, code, entries, settings, now)]
            }
            Event::Counted { whose, used, limit } => {
                vec![self.counted(whose, used, limit, settings, now)]
            }
        };
        let told = breaches.into_iter().flatten().filter(|breach| {
            let subject = (breach.kind, subject(breach.whose));
            self.quiet.passes(subject, settings.quiet, now)
        });
        told.map(alert).collect()
    }

    fn answered<'a>(
        &mut self,
        code: ErrorCode,
        key: Option<&'a KeyInfo>,
        address: Option<IpAddr>,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach<'a>> {
        match (code, key, address) {
            (ErrorCode::Unauthorized | ErrorCode::KeyRevoked, _, Some(address)) => {
                let rule = &settings.auth_failures;
                let whose = Whose::Address(address);
                self.burst(AlertKind::AuthFailures, whose, 1, rule, now, |count| {
                    format!("{address} has failed to authenticate {count} times")
                })
            }
            (ErrorCode::PayloadTooLarge, Some(key), _) => {
                self.large(key, usize::MAX, settings, now)
            }
            // What is refused entry by entry is told by itself.
            (ErrorCode::InvalidJson | ErrorCode::BatchTooLarge, Some(key), _) => {
                self.invalid(key, 1, settings, now)
            }
            _ => None,
        }
    }

    fn refused<'a>(
        &mut self,
        key: &'a KeyInfo,
        code: ErrorCode,
        entries: u64,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach<'a>> {
        match code {
            ErrorCode::NonceReused => {
                let rule = &settings.nonce_reused;
                self.burst(AlertKind::NonceReused, Whose::Key(key), entries, rule, now, |count| {
                    format!(
                        "{count} entries of key {} had the salt and iv of another: a sender repeats \
                         its nonces, and what it sealed so may be read by others",
                        key.id
                    )
                })
            }
            ErrorCode::PayloadTooLarge => self.large(key, usize::MAX, settings, now),
            _ => self.invalid(key, entries, settings, now),
        }
    }

    fn invalid<'a>(
        &mut self,
        key: &'a KeyInfo,
        entries: u64,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach<'a>> {
        let rule = &settings.invalid_payloads;
        self.burst(AlertKind::InvalidPayloads, Whose::Key(key), entries, rule, now, |count| {
            format!("{count} entries of key {} were refused as invalid", key.id)
        })
    }

    fn large<'a>(
        &mut self,
        key: &'a KeyInfo,
        size: usize,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach<'a>> {
        let LargePayload { enabled, size: large, count, window } = settings.large_payload;
        if u64::try_from(size).unwrap_or(u64::MAX) < large.as_u64() {
            return None;
        }
        let rule = Burst { enabled, count, window };
        self.burst(AlertKind::LargePayload, Whose::Key(key), 1, &rule, now, |count| match size {
            usize::MAX => format!("key {} has sent {count} payloads that are too large", key.id),
            size => {
                format!("key {} has sent {count} large payloads, the last of {size} bytes", key.id)
            }
        })
    }

    fn unusual<'a>(
        &mut self,
        key: &'a KeyInfo,
        entries: u64,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach<'a>> {
        let rule = &settings.unusual_use;
        if !rule.enabled {
            return None;
        }
        let unusual = self.usages.count(key.id.clone(), entries, rule, now)?;
        let (window, usual) = (rule.window, unusual.usual);
        Some(Breach {
            kind: AlertKind::UnusualUse,
            whose: Whose::Key(key),
            message: format!(
                "key {} has sent {} entries in {window:?}, where {usual:.0} are usual",
                key.id, unusual.entries
            ),
            details: json!({
                "entries": unusual.entries,
                "usual": (usual * 10.0).round() / 10.0,
                "window_seconds": window.as_secs_f64(),
            }),
        })
    }

    fn counted<'a>(
        &mut self,
        whose: Whose<'a>,
        used: u64,
        limit: u64,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach<'a>> {
        let details = json!({ "used": used, "limit": limit });
        let who = match whose {
            Whose::Key(key) => format!("key {}", key.id),
            Whose::Address(address) => address.to_string(),
        };
        if used > limit {
            let rule = &settings.limit_exceeded;
            let breach = self.burst(AlertKind::LimitExceeded, whose, 1, rule, now, |_| {
                format!("{who} has used up its {limit} requests of a minute")
            })?;
            return Some(Breach { details, ..breach });
        }
        let rule = settings.limit_near;
        let near = used.saturating_mul(100) >= limit.saturating_mul(u64::from(rule.percent));
        (rule.enabled && near).then(|| Breach {
            kind: AlertKind::LimitNear,
            whose,
            message: format!("{who} has used {used} of its {limit} requests of a minute"),
            details,
        })
    }

    fn burst<'a>(
        &mut self,
        kind: AlertKind,
        whose: Whose<'a>,
        more: u64,
        rule: &Burst,
        now: Instant,
        message: impl FnOnce(u64) -> String,
    ) -> Option<Breach<'a>> {
        if !rule.enabled {
            return None;
        }
        let count = self.bursts.count((kind, subject(whose)), more, rule, now)?;
        let window_seconds = rule.window.as_secs_f64();
        let details = json!({ "count": count, "window_seconds": window_seconds });
        Some(Breach { kind, whose, message: message(count), details })
    }
}

fn subject(whose: Whose<'_>) -> Subject {
    match whose {
        Whose::Key(key) => Subject::Key(key.id.clone()),
        Whose::Address(address) => Subject::Address(address),
    }
}

fn alert(breach: Breach<'_>) -> Alert {
    let (key, address) = match breach.whose {
        Whose::Key(key) => (Some(key), None),
        Whose::Address(address) => (None, Some(address)),
    };
    Alert {
        id: 0,
        kind: breach.kind,
        time: Timestamp::now().to_string(),
        message: breach.message,
        key: key.map(|key| key.id.to_string()),
        tenant: key.map(|key| key.tenant.to_string()),
        address: address.map(|address| address.to_string()),
        details: match breach.details {
            Value::Object(details) => details,
            _ => Map::new(),
        },
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
