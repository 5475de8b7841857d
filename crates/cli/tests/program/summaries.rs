//! What there is, without opening it: `logflux nodes` and `logflux counts`.

use serde_json::Value;

use crate::server::Server;

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn nodes_and_counts_are_told_without_the_secret() {
    let server = Server::start();
    let key = server.key("ingest,read");
    server.call(&key, &["send", "--node", "web", "--level", "error"]).input("one\ntwo\n").ok();
    server.call(&key, &["send", "--node", "db"]).input("three\n").ok();
    let ask = |args: &[&str]| server.call(&key, args).without("LOGFLUX_SECRET").run().ok();

    let text = ask(&["nodes"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("db: 1 entry, ") && lines[1].starts_with("web: 2 entries, "));
    let nodes = rows(&ask(&["nodes", "--since", "1h", "--format", "json"]));
    assert_eq!((&nodes[1]["node"], &nodes[1]["entries"]), (&"web".into(), &2.into()));
    assert_eq!(ask(&["nodes", "--until", "1h"]), "");

    // An hour may end in between.
    let counts = rows(&ask(&["counts", "--by", "node,level", "--format", "json"]));
    let sum = |node: &str| -> u64 {
        let of_node = counts.iter().filter(|bucket| bucket["node"] == node);
        of_node.map(|bucket| bucket["entries"].as_u64().unwrap()).sum()
    };
    assert_eq!((sum("web"), sum("db")), (2, 1));
    let errors =
        ask(&["counts", "--step", "1d", "--since", "2d", "--level", "error", "--by", "level"]);
    assert!(errors.contains(" error: 2 entries, "), "{errors}");
    assert!(ask(&["counts", "--node", "db"]).contains(": 1 entry, "));

    for (args, named) in
        [(&["counts", "--step", "1.5s"][..], "--step"), (&["counts", "--by", "time"], "--by")]
    {
        let ended = server.call(&key, args).run();
        assert_eq!(ended.status, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains(named), "{}", ended.stderr);
    }
    let wide = server.call(&key, &["counts", "--since", "90d", "--step", "1s"]).run();
    assert_eq!(wide.status, 1);
    assert!(wide.stderr.contains("longer step"), "{}", wide.stderr);
    let sender = server.key("ingest");
    assert_eq!(server.call(&sender, &["nodes"]).run().status, 1);
}
