//! The rules: which events are an alert.

use std::time::Instant;

use logflux_wire::Timestamp;
use logflux_wire::alert::{Alert, AlertKind};
use logflux_wire::response::ErrorCode;
use serde_json::{Map, Value, json};

use super::detectors::{Bursts, Quiet, Usages};
use super::event::{Borne, Event, Whose};
use super::settings::{Burst, LargePayload, MonitorSettings};
use crate::keys::{KeyId, KeyInfo};
use crate::limits::Network;
use crate::tenant::Tenant;

/// Whom an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Key(KeyId),
    Address(Network),
    /// Keys that begin so.
    Prefix(String),
    /// All together, or the server itself.
    Server,
}

/// What the rules remember.
#[derive(Debug)]
pub(super) struct Rules {
    bursts: Bursts<Subject>,
    quiet: Quiet<Subject>,
    usages: Usages<KeyId>,
}

/// A breach, before it is known whether it is told.
struct Breach {
    kind: AlertKind,
    whose: Subject,
    tenant: Option<Tenant>,
    message: String,
    details: Value,
}

/// Failures of all addresses together are told when there are so many times as many as of one.
const IN_TOTAL: u32 = 10;

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
            Event::Answered {
                code: Some(ErrorCode::Unauthorized | ErrorCode::KeyRevoked),
                borne,
                network: Some(network),
                ..
            } => vec![self.failed(network, borne, settings, now)],
            Event::Answered { code: Some(code), key, .. } => {
                vec![self.answered(code, key.map(AsRef::as_ref), settings, now)]
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
            self.quiet.passes(breach.kind, breach.whose.clone(), settings.quiet, now)
        });
        told.map(alert).collect()
    }

    /// The alert of something that the server has noticed of itself, where it is told now.
    pub(super) fn notice(
        &mut self,
        kind: AlertKind,
        message: String,
        details: Value,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Alert> {
        let breach = Breach { kind, whose: Subject::Server, tenant: None, message, details };
        let told = self.quiet.passes(kind, Subject::Server, settings.quiet, now);
        told.then(|| alert(breach))
    }

    /// A failed authentication counts for its address. Where that has not failed often enough by
    /// itself, it counts for what it bears, and for all together: whoever changes the address is
    /// noticed by these.
    fn failed(
        &mut self,
        network: Network,
        borne: Option<&Borne>,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach> {
        let (kind, rule) = (AlertKind::AuthFailures, &settings.auth_failures);
        let of_address =
            self.burst(kind, (Subject::Address(network), None), 1, rule, now, |count| {
                format!("{network} has failed to authenticate {count} times")
            });
        if of_address.is_some() {
            return of_address;
        }
        let many = Burst { count: rule.count.saturating_mul(IN_TOTAL), ..*rule };
        let in_total = self.burst(kind, (Subject::Server, None), 1, &many, now, |count| {
            format!("{count} requests have failed to authenticate, from many addresses")
        });
        let of_key = match borne {
            Some(Borne::Key(id, tenant)) => {
                let whose = (Subject::Key(id.clone()), Some(tenant));
                self.burst(kind, whose, 1, rule, now, |count| {
                    format!(
                        "key {id}, which is not good, was used {count} times, from many addresses"
                    )
                })
            }
            Some(Borne::Prefix(prefix)) => {
                let whose = (Subject::Prefix(prefix.clone()), None);
                self.burst(kind, whose, 1, rule, now, |count| {
                    format!(
                        "unknown keys that begin with {prefix} were used {count} times, from many addresses"
                    )
                })
            }
            None => None,
        };
        of_key.or(in_total)
    }

    fn answered(
        &mut self,
        code: ErrorCode,
        key: Option<&KeyInfo>,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach> {
        match (code, key) {
            (ErrorCode::PayloadTooLarge, Some(key)) => self.large(key, usize::MAX, settings, now),
            // What is refused entry by entry is told by itself.
            (ErrorCode::InvalidJson | ErrorCode::BatchTooLarge, Some(key)) => {
                self.invalid(key, 1, settings, now)
            }
            _ => None,
        }
    }

    fn refused(
        &mut self,
        key: &KeyInfo,
        code: ErrorCode,
        entries: u64,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach> {
        match code {
            ErrorCode::NonceReused => {
                let rule = &settings.nonce_reused;
                self.burst(AlertKind::NonceReused, of_key(key), entries, rule, now, |count| {
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

    fn invalid(
        &mut self,
        key: &KeyInfo,
        entries: u64,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach> {
        let rule = &settings.invalid_payloads;
        self.burst(AlertKind::InvalidPayloads, of_key(key), entries, rule, now, |count| {
            format!("{count} entries of key {} were refused as invalid", key.id)
        })
    }

    fn large(
        &mut self,
        key: &KeyInfo,
        size: usize,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach> {
        let LargePayload { enabled, size: large, count, window } = settings.large_payload;
        if u64::try_from(size).unwrap_or(u64::MAX) < large.as_u64() {
            return None;
        }
        let rule = Burst { enabled, count, window };
        self.burst(AlertKind::LargePayload, of_key(key), 1, &rule, now, |count| match size {
            usize::MAX => format!("key {} has sent {count} payloads that are too large", key.id),
            size => {
                format!("key {} has sent {count} large payloads, the last of {size} bytes", key.id)
            }
        })
    }

    fn unusual(
        &mut self,
        key: &KeyInfo,
        entries: u64,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach> {
        let rule = &settings.unusual_use;
        if !rule.enabled {
            return None;
        }
        let unusual = self.usages.count(key.id.clone(), entries, rule, now)?;
        let (window, usual) = (rule.window, unusual.usual);
        Some(Breach {
            kind: AlertKind::UnusualUse,
            whose: Subject::Key(key.id.clone()),
            tenant: Some(key.tenant.clone()),
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

    fn counted(
        &mut self,
        whose: Whose<'_>,
        used: u64,
        limit: u64,
        settings: &MonitorSettings,
        now: Instant,
    ) -> Option<Breach> {
        let details = json!({ "used": used, "limit": limit });
        let (who, whose) = match whose {
            Whose::Key(key) => (format!("key {}", key.id), of_key(key)),
            Whose::Address(network) => (network.to_string(), (Subject::Address(network), None)),
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
            whose: whose.0,
            tenant: whose.1.cloned(),
            message: format!("{who} has used {used} of its {limit} requests of a minute"),
            details,
        })
    }

    fn burst(
        &mut self,
        kind: AlertKind,
        (whose, tenant): (Subject, Option<&Tenant>),
        more: u64,
        rule: &Burst,
        now: Instant,
        message: impl FnOnce(u64) -> String,
    ) -> Option<Breach> {
        if !rule.enabled {
            return None;
        }
        let count = self.bursts.count(kind, whose.clone(), more, rule, now)?;
        let window_seconds = rule.window.as_secs_f64();
        let details = json!({ "count": count, "window_seconds": window_seconds });
        Some(Breach { kind, whose, tenant: tenant.cloned(), message: message(count), details })
    }
}

fn of_key(key: &KeyInfo) -> (Subject, Option<&Tenant>) {
    (Subject::Key(key.id.clone()), Some(&key.tenant))
}

fn alert(breach: Breach) -> Alert {
    let (key, address) = match breach.whose {
        Subject::Key(id) => (Some(id.to_string()), None),
        Subject::Address(network) => (None, Some(network.to_string())),
        Subject::Prefix(_) | Subject::Server => (None, None),
    };
    Alert {
        id: 0,
        kind: breach.kind,
        time: Timestamp::now().to_string(),
        message: breach.message,
        key,
        tenant: breach.tenant.map(|tenant| tenant.to_string()),
        address,
        details: match breach.details {
            Value::Object(details) => details,
            _ => Map::new(),
        },
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
