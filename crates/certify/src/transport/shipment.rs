//! What subjects are asked to ship.

use serde_json::{Value, json};

use crate::encoding::Hex;
use crate::subject::{Identity, Request};

/// The bearer key that subjects are given.
pub(super) const KEY: &str = "lf_Certify0Certify1Certify2Certify3";
/// The sender's name that subjects are given.
pub(super) const NODE: &str = "certified-node";
/// Stands in every message that is shipped, and is nowhere else.
pub(super) const CANARY: &str = "canary-5f1d0c77e2b94a36";
/// Seals what is shipped.
pub(super) const SECRET: &str = "transport-secret-8c3e61d29b7f4405";

/// The mode in which a subject is to seal what it ships.
pub(super) fn mode(identity: &Identity) -> u64 {
    if identity.modes.contains(&128) { 128 } else { 1 }
}

/// The messages of a shipment, in their order.
pub(super) fn messages(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{CANARY} message {n}")).collect()
}

/// The level of a message.
pub(super) fn level(n: usize) -> u64 {
    u64::try_from(n % 8 + 1).unwrap_or(1)
}

/// The request to ship so many messages.
pub(super) fn request(url: &str, ca_file: &str, mode: u64, count: usize) -> Request {
    let messages: Vec<Value> = messages(count)
        .into_iter()
        .enumerate()
        .map(|(n, message)| {
            json!({"message_hex": Hex(message.into_bytes()).to_string(), "loglevel": level(n)})
        })
        .collect();
    let hints = json!({"flush_interval_ms": 20, "initial_delay_ms": 100, "max_delay_ms": 400});
    Request::new("ship")
        .with("endpoint", url)
        .with("ca_file", ca_file)
        .with("api_key", KEY)
        .with("secret_hex", Hex(SECRET.as_bytes().to_vec()).to_string())
        .with("mode", mode)
        .with("node", NODE)
        .with("messages", messages)
        .with("hints", hints)
}
