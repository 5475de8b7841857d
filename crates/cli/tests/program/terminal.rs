//! What steers a terminal, in messages, names, files and a server's sentences.

use crate::hostile::Hostile;
use crate::pty::{Terminal, shown};
use crate::run::logflux;
use crate::server::Server;

/// Colours, a title, C1 controls, a carriage return, marks that turn the direction, and bytes that
/// are not UTF-8.
const NASTY: &str =
    "ok \u{1b}]0;owned\u{7}\u{1b}[2J \u{9b}1m \rx \u{202e}t\u{2066}\u{200f}\u{61c} end";

fn is_clean(shown: &[u8]) -> bool {
    let text = String::from_utf8_lossy(shown);
    // A terminal makes two characters of a line end, and the program has colours of its own.
    let text = text.replace("\r\n", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
    let text = text.replace("\u{1b}[31m", "").replace("\u{1b}[32m", "").replace("\u{1b}[2K", "");
    let steers =
        ["\u{1b}]", "\u{1b}[2J", "\u{7}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{200f}", "\u{61c}"];
    !steers.iter().any(|steers| text.contains(steers))
}

#[test]
fn messages_are_escaped_on_a_terminal_and_pass_unchanged_into_a_pipe() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let nasty = [NASTY.as_bytes(), b" \x9b31m\xff"].concat();
    let line = [&nasty[..], b"\n"].concat();
    let sealed = logflux(&["seal", "--node", "n\u{202e}m"]).input(&line).ok();
    server.call(&key, &["send", "--sealed"]).input(&sealed).ok();

    assert_eq!(logflux(&["open"]).input(&sealed).bytes, line);
    assert_eq!(server.call(&key, &["query"]).run().bytes, line);
    let tail = ["tail", "-n", "1", "--limit", "1", "--no-reconnect"];
    let calls = [
        (logflux(&["open"]), "owned"),
        (logflux(&["open", "--format", "json"]), "message_base64"),
        (server.call(&key, &["query"]), "owned"),
        (server.call(&key, &["query", "--format", "long"]), "n\\u202em ok \\u001b]0;owned\\u0007"),
        (server.call(&key, &["query", "--format", "json"]), "\"n\\u202em\""),
        (server.call(&key, &["query", "--sealed"]), "\"n\\u202em\""),
    ];
    for (call, expected) in calls {
        let shown = shown(call, sealed.as_bytes(), false);
        let text = String::from_utf8_lossy(&shown);
        assert!(is_clean(&shown) && text.contains(expected), "{text:?}");
    }
    // A tail goes on; it ends when the terminal does.
    let mut call = server.call(&key, &tail);
    let mut terminal = Terminal::new();
    let mut child =
        call.0.stdout(terminal.side(true)).stderr(std::process::Stdio::null()).spawn().unwrap();
    drop(call);
    // It shows the newest when it is there for the next.
    let newest = terminal.wait_for(b"\r\n");
    server.call(&key, &["send"]).input(&line).ok();
    let shown = [newest, terminal.read()].concat();
    child.wait().unwrap();
    assert!(is_clean(&shown) && String::from_utf8_lossy(&shown).matches("owned").count() == 2);
}

#[test]
fn json_on_a_terminal_means_the_same() {
    let text = NASTY.replace('\r', "");
    let sealed = logflux(&["seal", "--node", "n"]).input(format!("{text}\n")).ok();
    let shown = shown(logflux(&["open", "--format", "json"]), sealed.as_bytes(), false);
    let value: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(value["message"], text.as_str());
}

#[test]
fn a_further_line_of_a_message_looks_like_no_entry() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let entry = {
        let secret = logflux_envelope::Secret::new(crate::run::SECRET).unwrap();
        let node = logflux_envelope::Node::new("n").unwrap();
        let level = logflux_envelope::Level::Info;
        let now = logflux_envelope::Timestamp::now();
        logflux_envelope::seal("one\nforged", &secret, &node, level, now).unwrap().to_json()
    };
    server.call(&key, &["send", "--sealed"]).input(entry).ok();
    let query = server.call(&key, &["query", "--format", "long"]);
    let shown = String::from_utf8(shown(query, b"", false)).unwrap();
    assert!(shown.contains("one\r\n    forged\r\n"), "{shown:?}");
    assert_eq!(server.call(&key, &["query"]).run().ok(), "one\nforged\n");
}

#[test]
fn a_servers_sentence_is_nowhere_passed_on_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    crate::streams::away(folder.path(), &crate::streams::PIPE).input("one\n");
    let server = Hostile::saying(NASTY);
    let retry = ["spool", "retry", spool.to_str().unwrap()];
    let pipe = ["pipe", "--close-timeout", "3s"];
    let commands = [
        &["send"][..],
        &["query"],
        &["tail"],
        &["doctor"],
        &["doctor", "--format", "json"],
        &["alerts"],
        &retry,
        &pipe,
    ];
    for args in commands {
        let ended = server.call(args).input("line\n");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(is_clean(said.as_bytes()), "{args:?}: {said:?}");
        assert!(args[0] == "pipe" || said.contains("owned"), "{args:?}: {said:?}");
        let shown = shown(server.call(args), b"line\n", true);
        assert!(is_clean(&shown), "{args:?}: {:?}", String::from_utf8_lossy(&shown));
    }
}

#[test]
fn what_a_good_answer_says_is_not_passed_on_as_it_is_either() {
    let server = Hostile::start(|path| {
        let nasty = serde_json::Value::from(NASTY);
        let body = if path.starts_with("/version") {
            serde_json::json!({"service": nasty, "api_version": nasty, "supported_versions": ["v1"], "deprecated_versions": []})
        } else if path.starts_with("/v1/alerts") {
            let alert = serde_json::json!({
                "id": 1, "time": nasty, "kind": "auth_failures", "message": nasty, "tenant": nasty,
            });
            serde_json::json!({"status": "success", "request_id": "r", "data": {"alerts": [alert]}})
        } else {
            let failure =
                serde_json::json!({"index": 0, "code": "invalid_entry", "message": nasty});
            serde_json::json!({
                "status": "error", "message": nasty, "request_id": "r",
                "error": {"code": "invalid_entry", "message": nasty, "details": {"failures": [failure]}},
            })
        };
        (
            if path.starts_with("/v1/ingest") { 400 } else { 200 },
            "application/json",
            body.to_string(),
        )
    });
    for args in
        [&["doctor"][..], &["alerts"], &["alerts", "--format", "json"], &["send"], &["query"]]
    {
        let ended = server.call(args).input("line\n");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(is_clean(said.as_bytes()), "{args:?}: {said:?}");
    }
}

#[test]
fn names_of_files_in_errors_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let name = "\u{1b}]0;owned\u{7}\u{202e}\nerror: forged";
    for args in [
        &["seal", name][..],
        &["open", name],
        &["open", "--secret-file", name],
        &["send", "--unsent", &format!("{name}/x")],
        &["spool", "inspect", name],
        &["store", "stats", "--data", name],
        &["vectors", "check", "--dir", name],
        &["serve", "--config", name, "--check-config"],
        &["seal", "one", name],
        &[name],
    ] {
        let ended = crate::streams::away(folder.path(), args).run();
        assert_ne!(ended.status, 0, "{args:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("owned") && is_clean(said.as_bytes()), "{args:?}: {said:?}");
        assert!(!said.contains("\nerror: forged"), "{args:?}: {said:?}");
    }
}

#[test]
fn wrong_usage_shows_no_control_character_even_where_colours_are_forced() {
    for call in [
        logflux(&["seal", "--node", "a\u{1b}[2J"]),
        logflux(&["seal", "--mode", "a\u{1b}[2J"]),
        logflux(&["serve"]).env("LOGFLUX_REQUESTS_PER_KEY", "\u{1b}[2Jx"),
    ] {
        let ended = call.env("CLICOLOR_FORCE", "1").run();
        assert_eq!(ended.status, 2, "{}", ended.stderr);
        assert!(is_clean(ended.stderr.as_bytes()), "{:?}", ended.stderr);
    }
}
