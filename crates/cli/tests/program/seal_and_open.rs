//! `keygen`, `seal` and `open`, and where the secret comes from.

use std::fs;

use crate::run::{SECRET, logflux};

#[test]
fn lines_become_entries_and_lines_again() {
    let lines = "User login successful\n\n  indented \"quoted\" \\ tab\t\r\n世界! 🌍\n";
    let sealed =
        logflux(&["seal", "--node", "app-server-01", "--level", "warning"]).input(lines).ok();
    assert_eq!(sealed.lines().count(), 4);
    for entry in sealed.lines() {
        assert!(entry.starts_with(r#"{"node":"app-server-01","payload":""#), "{entry}");
        assert!(entry.contains(r#","loglevel":5,"timestamp":""#), "{entry}");
        assert!(!entry.contains("login"), "{entry}");
    }
    assert_eq!(logflux(&["open"]).input(&sealed).ok(), lines);
    let array = format!(" [{}]", sealed.trim_end().replace('\n', ","));
    assert_eq!(logflux(&["open"]).input(&array).ok(), lines);
    assert_eq!(logflux(&["open"]).input(format!("\n \r\n{array}")).ok(), lines);
}

#[test]
fn the_last_line_needs_no_line_end_and_bytes_that_are_no_text_survive() {
    let bytes = b"one\n\xff\xfe\x00two";
    let sealed = logflux(&["seal"]).input(bytes).ok();
    let opened = logflux(&["open"]).input(&sealed);
    assert_eq!(opened.bytes, b"one\n\xff\xfe\x00two\n");
    let json = logflux(&["open", "--format", "json"]).input(&sealed).ok();
    assert!(json.lines().nth(1).unwrap().ends_with(r#","message_base64":"//4AdHdv"}"#), "{json}");
}

#[test]
fn a_given_time_and_mode_are_used_and_json_has_the_entrys_own_fields() {
    for mode in ["1", "3", "4", "128"] {
        let args =
            ["seal", "--node", "n", "--mode", mode, "--timestamp", "2024-01-17T11:30:45.12+01:00"];
        let sealed = logflux(&args).input("line\n").ok();
        assert!(sealed.contains(&format!(
            r#""timestamp":"2024-01-17T10:30:45.120Z","encryption_mode":{mode},"#
        )));
        let json = logflux(&["open", "--format", "json"]).input(&sealed).ok();
        let expected =
            format!("{},\"message\":\"line\"}}\n", sealed.trim_end().trim_end_matches('}'));
        assert_eq!(json, expected);
    }
}

#[test]
fn the_node_is_the_host_name_unless_it_is_named() {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let sealed = logflux(&["seal"]).input("line\n").ok();
    assert!(sealed.starts_with(&format!("{{\"node\":\"{}\",", host.trim_end())), "{sealed}");
    let sealed = logflux(&["seal"]).env("LOGFLUX_NODE", "from-env").input("line\n").ok();
    assert!(sealed.starts_with(r#"{"node":"from-env","#), "{sealed}");
}

#[test]
fn an_entry_that_cannot_be_opened_is_named_by_its_line_and_the_others_come_out() {
    let sealed = logflux(&["seal"]).input("one\ntwo\nthree\n").ok();
    let lines: Vec<&str> = sealed.lines().collect();
    let forged = lines[1].replacen("\"payload\":\"", "\"payload\":\"AAAA", 1);
    let input = format!("{}\n{forged}\n\nnonsense\n{}\n", lines[0], lines[2]);
    let opened = logflux(&["open"]).input(input);
    assert_eq!((opened.status, opened.stdout.as_str()), (1, "one\nthree\n"));
    let told: Vec<&str> = opened.stderr.lines().collect();
    assert!(told[0].starts_with("line 4: not valid JSON"), "{told:?}");
    assert!(told[1].starts_with("1 entry cannot be opened (line 2): authentication failed"));
    assert_eq!(told.len(), 2);

    let wrong = logflux(&["open"]).env("LOGFLUX_SECRET", "another").input(&sealed);
    assert_eq!((wrong.status, wrong.stdout.as_str()), (1, ""));
    assert_eq!(wrong.stderr.matches("authentication failed").count(), 1);
    assert!(wrong.stderr.starts_with("3 entries cannot be opened"), "{}", wrong.stderr);
}

#[test]
fn a_generated_secret_works_from_a_variable_a_file_and_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let generated = logflux(&["keygen"]).run().ok();
    assert_eq!(generated.trim_end().len(), 64);
    let file = folder.path().join("secret");
    fs::write(&file, &generated).unwrap();
    let path = file.to_str().unwrap();
    let sealed = logflux(&["seal", "--secret-file", path]).input("line\n").ok();
    let command = format!("cat {path}");
    for call in [
        logflux(&["open"]).env("LOGFLUX_SECRET", generated.trim_end()),
        logflux(&["open", "--secret-file", path]),
        logflux(&["open", "--secret-command", &command]),
        logflux(&["open"]).without("LOGFLUX_SECRET").env("LOGFLUX_SECRET_FILE", path),
        logflux(&["open"]).without("LOGFLUX_SECRET").env("LOGFLUX_SECRET_COMMAND", &command),
    ] {
        assert_eq!(call.input(&sealed).ok(), "line\n");
    }
    let older = folder.path().join("older");
    fs::write(&older, SECRET).unwrap();
    let old = logflux(&["seal"]).input("old\n").ok();
    let both = logflux(&["open", "--secret-file", path, "--secret-file", older.to_str().unwrap()]);
    assert_eq!(both.input(format!("{sealed}{old}")).ok(), "line\nold\n");
}

#[test]
fn a_missing_empty_or_doubtful_secret_is_refused_with_a_remedy() {
    let none = logflux(&["seal"]).without("LOGFLUX_SECRET").input("line\n");
    assert_eq!(none.status, 1);
    assert!(none.stderr.contains("set LOGFLUX_SECRET"), "{}", none.stderr);
    for blank in ["", " \t"] {
        let refused = logflux(&["seal"]).env("LOGFLUX_SECRET", blank).input("line\n");
        assert_eq!((refused.status, refused.stdout.as_str()), (1, ""));
        assert!(refused.stderr.contains("logflux keygen"), "{}", refused.stderr);
    }
    let two = logflux(&["seal"]).env("LOGFLUX_SECRET_FILE", "/nowhere").input("line\n");
    assert!(two.stderr.contains("more than one"), "{}", two.stderr);
    let missing = logflux(&["seal", "--secret-file", "/nowhere/secret"]).input("line\n");
    assert!(missing.stderr.contains("/nowhere/secret"), "{}", missing.stderr);
}

#[test]
fn key_policies_are_chosen_and_checked() {
    let salts = |args: &[&str]| {
        let sealed = logflux(&[&["seal"], args].concat()).input("a\nb\nc\nd\ne\n").ok();
        let salts: std::collections::HashSet<_> = sealed
            .lines()
            .map(|entry| entry.split("\"salt\":").nth(1).unwrap().to_owned())
            .collect();
        salts.len()
    };
    assert_eq!(salts(&["--key-policy", "unique"]), 5);
    assert_eq!(salts(&["--key-policy", "bounded"]), 1);
    assert_eq!(salts(&["--key-policy", "bounded", "--key-max-entries", "2"]), 3);
    assert_eq!(salts(&["--mode", "128", "--key-policy", "bounded"]), 5);
    for (args, name) in [
        (&["--key-policy", "unique", "--key-budget", "0.5"][..], "--key-budget"),
        (&["--key-policy", "bounded", "--key-max-entries", "2000000"], "max_entries"),
        (&["--key-budget", "2"], "budget"),
    ] {
        let refused = logflux(&[&["seal"], args].concat()).input("a\n");
        assert_eq!(refused.status, 1);
        assert!(refused.stderr.contains(name), "{}", refused.stderr);
    }
}
