//! Sealing with a key at hand allocates nothing but its output.

#![allow(clippy::unwrap_used)] // A failed test may say so.

use allocation_counter::measure;
use logflux_envelope::{KeyPolicy, Level, Message, Node, Sealer, Secret};

#[test]
fn sealing_allocates_nothing_but_its_output() {
    let secret = Secret::new("correct horse battery staple").unwrap();
    let sealer = Sealer::builder(secret).key_policy(KeyPolicy::BOUNDED).build().unwrap();
    let node = Node::new("app-server-01").unwrap();
    let message = Message {
        bytes: b"user 42 logged in".as_slice(),
        node: &node,
        level: Level::Info,
        timestamp: "2024-01-17T10:30:45Z".parse().unwrap(),
    };
    let messages = [message; 300];
    let mut out = Vec::with_capacity(messages.len() * 1_024);
    // The key is derived, and the buffers of this thread are made.
    assert!(sealer.seal_many(&messages, &mut out).iter().all(Result::is_ok));

    out.clear();
    let many = measure(|| drop(sealer.seal_many(&messages, &mut out)));
    assert_eq!(many.count_total, 1, "where each entry stands in the output");
    assert!(out.len() > messages.len() * 100);

    out.clear();
    let one = measure(|| sealer.seal_json(message, &mut out).unwrap());
    assert_eq!(one.count_total, 0);
    assert!(out.len() > 100);
}
