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

fn network(address: &str) -> Network {
    Network::of(address.parse().unwrap())
}

fn failure<'a>(address: &str, borne: Option<&'a Borne>) -> Event<'a> {
    Event::Answered {
        route: None,
        status: 401,
        code: Some(ErrorCode::Unauthorized),
        elapsed: Duration::ZERO,
        key: None,
        borne,
        network: Some(network(address)),
    }
}

#[test]
fn failures_are_told_by_network_by_key_and_in_total() {
    let (settings, now) = (MonitorSettings::default(), Instant::now());
    let judge = |addresses: &mut dyn Iterator<Item = String>, borne: &dyn Fn(usize) -> Borne| {
        let mut rules = Rules::new();
        let mut told = Vec::new();
        for (number, address) in addresses.enumerate() {
            let borne = borne(number);
            told.extend(rules.judge(&failure(&address, Some(&borne)), &settings, now));
        }
        told
    };
    let same = |_| Borne::Prefix("lf_Abcd".to_owned());
    let other = |number| Borne::Prefix(format!("lf_{number:04}"));
    // One network of 64 bits is one sender.
    let told = judge(&mut (0..5_000).map(|n| format!("2001:db8:1:2::{n:x}")), &same);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].address.as_deref(), Some("2001:db8:1:2::/64"));
    // Other addresses all the time, and the same key.
    let told = judge(&mut (0..50).map(|n| format!("203.0.113.{n}")), &same);
    assert!(told.len() == 1 && told[0].message.contains("lf_Abcd"), "{told:?}");
    let id = "key_0123456789ab".parse().unwrap();
    let known = move |_| Borne::Key(KeyId::clone(&id), "acme".parse().unwrap());
    let told = judge(&mut (0..50).map(|n| format!("203.0.113.{n}")), &known);
    assert_eq!(told[0].key.as_deref(), Some("key_0123456789ab"), "{told:?}");
    assert_eq!(told[0].tenant.as_deref(), Some("acme"));
    // Other addresses and other keys.
    let told = judge(&mut (0..150).map(|n| format!("203.0.{}.9", n)), &other);
    assert!(told.len() == 1 && told[0].details["count"] == 100, "{told:?}");
}

#[test]
fn a_limit_that_is_near_and_one_that_is_exceeded_are_told_once_each() {
    let (mut rules, settings, key) = (Rules::new(), MonitorSettings::default(), key());
    let now = Instant::now();
    let address = network("203.0.113.9");
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
