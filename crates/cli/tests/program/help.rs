//! What the program says of itself.

use crate::run::logflux;

const COMMANDS: [&str; 18] = [
    "keygen",
    "seal",
    "open",
    "send",
    "pipe",
    "query",
    "tail",
    "serve",
    "spool",
    "keys",
    "store",
    "alerts",
    "demo",
    "doctor",
    "bench",
    "vectors",
    "certify",
    "completions",
];

#[test]
fn every_command_has_help_with_an_example() {
    let top = logflux(&["--help"]).run().ok();
    for command in COMMANDS {
        assert!(top.contains(command), "{command}");
        let help = logflux(&[command, "--help"]).run().ok();
        assert!(help.contains("Example"), "{command}");
        assert!(help.contains(&format!("logflux {command}")), "{command}");
    }
    for (command, action) in [
        ("keys", "create"),
        ("keys", "list"),
        ("keys", "rotate"),
        ("keys", "revoke"),
        ("store", "check"),
        ("store", "stats"),
        ("store", "compact"),
        ("store", "backup"),
        ("store", "restore"),
        ("store", "repair"),
        ("store", "retain"),
        ("spool", "inspect"),
        ("spool", "export"),
        ("spool", "retry"),
        ("vectors", "generate"),
        ("vectors", "check"),
        ("vectors", "run"),
    ] {
        assert!(logflux(&[command, action, "--help"]).run().ok().contains("Example"), "{action}");
    }
}

#[test]
fn wrong_usage_is_status_2_and_no_secret_can_be_an_argument() {
    for args in [
        &["seal", "--secret", "hunter2"][..],
        &["seal", "--level", "9"],
        &["seal", "--mode", "5"],
        &["seal", "--node", ""],
        &["seal", "--timestamp", "yesterday"],
        &["serve", "--data", "x"],
        &["nonsense"],
        &[],
    ] {
        let ended = logflux(args).run();
        assert_eq!(ended.status, 2, "{args:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = logflux(&["completions", shell]).run().ok();
        assert!(COMMANDS.iter().all(|command| script.contains(command)), "{shell}");
    }
}

#[test]
fn no_colour_where_none_is_wanted() {
    let ended = logflux(&["doctor"]).env("NO_COLOR", "1").run();
    assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'));
}
