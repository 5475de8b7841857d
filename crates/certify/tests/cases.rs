//! Every case of the suite: its name, and the sentence of the protocol that it comes from.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::path::Path;

use logflux_certify::cases;

fn words(text: &str) -> String {
    text.replace("**", "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_rule_stands_in_the_documents_word_for_word() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let read = |name: &str| words(&std::fs::read_to_string(docs.join(name)).unwrap());
    let (protocol, certify) = (read("protocol.md"), read("certify.md"));
    for case in cases().unwrap() {
        let page = if case.id.starts_with("protocol/") { &certify } else { &protocol };
        let rule = words(&case.note.rule);
        assert!(!rule.is_empty() && page.contains(&rule), "{}: {rule}", case.id);
        assert!(!case.note.spec.is_empty() && !case.note.effect.is_empty(), "{}", case.id);
        assert!(!case.note.remedy.is_empty() && !case.flag.is_empty(), "{}", case.id);
    }
}

#[test]
fn ids_are_unique() {
    let cases = cases().unwrap();
    let ids: HashSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len());
}
