//! Which entries a query and a tail show, and that more are there.

use crate::run::logflux;
use crate::server::Server;
use crate::tail::Tail;

#[test]
fn a_time_is_a_date_or_so_long_ago() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let send = |time: &str, line: &str| {
        server.call(&key, &["send", "--timestamp", time]).input(format!("{line}\n")).ok();
    };
    send("2024-01-17T10:00:00Z", "old");
    server.call(&key, &["send"]).input("new\n").ok();
    let query = |args: &[&str]| server.call(&key, &[&["query"], args].concat()).run().ok();
    assert_eq!(query(&["--since", "1h"]), "new\n");
    assert_eq!(query(&["--until", "1h"]), "old\n");
    assert_eq!(
        query(&["--since", "2024-01-17T10:00:00Z", "--until", "2024-01-17T10:00:01Z"]),
        "old\n"
    );
    assert_eq!(query(&["--from", "2024-01-17T09:00:00Z", "--to", "1d"]), "old\n");
    assert_eq!(query(&["--since", "2d", "--until", "1d"]), "");
    let ended = server.call(&key, &["query", "--since", "yesterday"]).run();
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("1h or 7d"), "{}", ended.stderr);
}

#[test]
fn messages_are_filtered_after_they_are_opened() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let lines = [
        r#"{"user":4711,"action":"login","http":{"status":200}}"#,
        r#"{"user":4711,"action":"logout"}"#,
        r#"{"user":"4711","action":"login"}"#,
        "user=4711 login",
        "connection refused [x].*",
    ];
    server.call(&key, &["send"]).input(lines.join("\n")).ok();
    let query = |args: &[&str]| {
        let args = [&["query", "--order", "asc"], args].concat();
        let out = server.call(&key, &args).run().ok();
        out.lines()
            .map(|line| lines.iter().position(|known| *known == line).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(query(&["--grep", "login"]), [0, 2, 3]);
    assert_eq!(query(&["--grep", "login", "--grep", "user="]), [3]);
    assert_eq!(query(&["--grep", "[x].*"]), [4], "it is text, and no pattern");
    assert_eq!(query(&["--field", "user=4711"]), [0, 1, 2]);
    assert_eq!(query(&["--field", "user=4711", "--field", "action=login"]), [0, 2]);
    assert_eq!(query(&["--field", "http.status=200"]), [0]);
    assert!(query(&["--field", "http.status=404"]).is_empty());
    for args in [["--field", "user"], ["--field", "=1"], ["--grep", "x"]] {
        let mut args = [&["query"], &args[..]].concat();
        if args[1] == "--grep" {
            args.push("--sealed");
        }
        assert_eq!(server.call(&key, &args).run().status, 2, "{args:?}");
    }
    let filter = ["-n", "10", "--limit", "1", "--grep", "login", "--field", "action=login"];
    let mut tail = Tail::start(&server, &key, &filter);
    assert_eq!((tail.line().as_str(), tail.line().as_str()), (lines[0], lines[2]));
    server.call(&key, &["send"]).input("no\n{\"action\":\"login\",\"n\":1}\n").ok();
    assert_eq!((tail.line().as_str(), tail.status()), ("{\"action\":\"login\",\"n\":1}", 0));
}

#[test]
fn it_is_said_where_there_are_more() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let lines: String = (0..1_205).map(|i| format!("{} {i}\n", ["a", "b"][i % 2])).collect();
    server.call(&key, &["send"]).input(&lines).ok();
    let query = |args: &[&str]| {
        let ended = server.call(&key, &[&["query"], args].concat()).run();
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        (ended.stdout.lines().count(), ended.stderr)
    };
    assert_eq!(query(&[]), (100, "100 entries: there are more (--limit 0 gives all)\n".to_owned()));
    assert_eq!(query(&["--limit", "1"]).1, "1 entry: there are more (--limit 0 gives all)\n");
    assert_eq!(
        query(&["--limit", "1000"]).1,
        "1000 entries: there are more (--limit 0 gives all)\n"
    );
    assert_eq!(query(&["--limit", "1205"]), (1_205, String::new()));
    assert_eq!(query(&["--limit", "5000"]), (1_205, String::new()));
    assert_eq!(query(&["--limit", "0"]), (1_205, String::new()));
    // A filter's limit is what it leaves, through as many pages as that takes.
    assert_eq!(query(&["--grep", "b ", "--limit", "0"]), (602, String::new()));
    assert_eq!(query(&["--grep", "b ", "--limit", "602"]).0, 602);
    let (count, said) = query(&["--grep", "b ", "--limit", "600"]);
    assert_eq!(
        (count, said.as_str()),
        (600, "600 entries: there may be more (--limit 0 gives all)\n")
    );
    assert_eq!(query(&["--grep", "b ", "--limit", "3"]).0, 3);
    assert_eq!(query(&["--grep", "nowhere"]), (0, String::new()));
}

#[test]
fn help_and_completions_have_them() {
    for command in ["query", "tail"] {
        let help = logflux(&[command, "--help"]).run().ok();
        for option in
            ["--grep <TEXT>", "--field <NAME=VALUE>", "--verbose", "logflux query --since 1h"]
        {
            assert!(
                help.contains(option) || command == "tail" && option.contains("since"),
                "{option}"
            );
        }
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = logflux(&["completions", shell]).run().ok();
        for option in ["since", "until", "grep", "field", "verbose"] {
            assert!(script.contains(option), "{shell}: {option}");
        }
    }
}

#[test]
fn no_message_names_a_type_of_rust() {
    let server = Server::start();
    let key = server.key("read");
    let folder = server.folder.path();
    std::fs::write(folder.join("l.toml"), "[limits]\nrequests_per_key = -1\n").unwrap();
    std::fs::write(folder.join("b.toml"), "[limits]\nrequests_per_key = 99999999999999\n").unwrap();
    std::fs::write(folder.join("m.toml"), "modes = [800]\n").unwrap();
    for args in [
        &["query", "--limit", "99999999999999999999999"][..],
        &["query", "--limit", "-1"],
        &["query", "--limit", "many"],
        &["tail", "-n", "70000"],
        &["tail", "--limit", "0"],
        &["certify", "--jobs", "0", "--list"],
        &["seal", "--key-budget", "much"],
        &["seal", "--key-max-entries", "1e9"],
        &["serve", "--requests-per-key", "5000000000", "--data", "x", "--dev"],
        &["serve", "--config", "l.toml", "--check-config"],
        &["serve", "--config", "b.toml", "--check-config"],
        &["serve", "--config", "m.toml", "--check-config"],
        &["store", "backup", "--data", "data", "l.toml"],
    ] {
        let ended = server.call(&key, args).run();
        assert_ne!(ended.status, 0, "{args:?}");
        for odd in [
            "u8",
            "u16",
            "u32",
            "u64",
            "usize",
            "f64",
            "target type",
            "digit found",
            "non-zero type",
            "float literal",
            "entity",
        ] {
            assert!(!ended.stderr.contains(odd), "{args:?}: {}", ended.stderr);
        }
    }
}
