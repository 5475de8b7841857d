use std::time::Duration;

use super::*;
use crate::keys::Scope;

fn key() -> KeyInfo {
    KeyInfo {
        id: "key_0123456789ab".parse().unwrap(),
        tenant: "acme".parse().unwrap(),
        scopes: Scope::Ingest.into(),
        created: Timestamp::MIN,
        expires: None,
        revoked: None,
        note: None,
        successor: None,
        last_used: None,
        requests: 0,
        entries: 0,
    }
}

#[test]
fn a_limit_that_is_near_and_one_that_is_exceeded_are_told_once_each() {
    let (mut rules, settings, key) = (Rules::new(), MonitorSettings::default(), key());
    let now = Instant::now();
    let address: IpAddr = "203.0.113.9".parse().unwrap();
    let mut told = Vec::new();
    for used in 1..=610 {
        let event = Event::Counted { whose: Whose::Key(&key), used, limit: 600 };
        told.extend(rules.judge(&event, &settings, now));
        let event = Event::Counted { whose: Whose::Address(address), used, limit: 60 };
        told.extend(rules.judge(&event, &settings, now));
    }
    let kinds: Vec<_> =
        told.iter().map(|alert| (alert.kind, alert.details["used"].clone())).collect();
    let (near, exceeded) = (AlertKind::LimitNear, AlertKind::LimitExceeded);
    assert_eq!(
        kinds,
        [(near, 48.into()), (exceeded, 61.into()), (near, 480.into()), (exceeded, 601.into())]
    );
    assert_eq!(told[0].address.as_deref(), Some("203.0.113.9"));
    assert_eq!(told[2].key.as_deref(), Some("key_0123456789ab"));
    assert_eq!(told[2].tenant.as_deref(), Some("acme"));
    // After a while it is told again.
    let event = Event::Counted { whose: Whose::Key(&key), used: 601, limit: 600 };
    assert_eq!(rules.judge(&event, &settings, now + Duration::from_secs(601)).len(), 1);
    // No limit is never near.
    let mut off = settings.clone();
    off.limit_near.enabled = false;
    let event = Event::Counted { whose: Whose::Key(&key), used: 599, limit: 600 };
    assert!(Rules::new().judge(&event, &off, now).is_empty());
}
