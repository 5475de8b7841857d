//! The client's settings as options and as variables.

use logflux_transport::{Kind, SETTINGS};

use crate::run::{Call, logflux};
use crate::server::Server;

/// Settings that have options of their own kind.
const ELSEWHERE: [&str; 10] = [
    "server_url",
    "api_key_file",
    "ca_file",
    "secret_file",
    "secret_command",
    "secret_command_timeout",
    "node",
    "mode",
    "key_policy",
    "min_level",
];

fn call(args: &[&str]) -> Call {
    logflux(args)
        .env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1")
        .env("LOGFLUX_API_KEY", "lf_0123456789abcdefABCDEF0123456789")
        .env("LOGFLUX_MAX_RETRIES", "0")
}

fn value_beyond(kind: Kind) -> Option<String> {
    match kind {
        Kind::Number { max, .. } | Kind::Size { max, .. } => Some((max + 1).to_string()),
        Kind::Duration { max, .. } => Some(format!("{}ms", max.as_millis() + 1)),
        Kind::Factor { max, .. } => Some((max + 0.5).to_string()),
        _ => None,
    }
}

#[test]
fn every_setting_is_in_the_help_with_its_variable_its_bounds_and_its_default() {
    for command in ["pipe", "send"] {
        let help = logflux(&[command, "--help"]).run().ok();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for setting in SETTINGS {
            let Some(variable) = setting.variable else { continue };
            if ["api_key", "secret", "min_level"].contains(&setting.name)
                || setting.name.starts_with("secret_")
            {
                continue;
            }
            let option = format!("--{} <", setting.name.replace('_', "-"));
            for part in [&option, setting.about, &format!("({variable})")] {
                assert!(help.contains(part), "{command} --help lacks {part:?}");
            }
            if value_beyond(setting.kind).is_some() {
                let bounds = setting.kind.values();
                assert!(help.contains(&bounds), "{command} --help lacks {bounds:?}");
            }
        }
        assert!(help.contains("(LOGFLUX_MAX_IN_FLIGHT) [default: 2]"), "{help}");
    }
}

#[test]
fn a_value_beyond_a_bound_is_an_error_that_names_the_option_or_the_variable() {
    for setting in SETTINGS.iter().filter(|setting| !ELSEWHERE.contains(&setting.name)) {
        let Some((variable, value)) = setting.variable.zip(value_beyond(setting.kind)) else {
            continue;
        };
        let option = format!("--{}", setting.name.replace('_', "-"));
        let by_option = call(&["pipe", "--node", "n", &option, &value]).run();
        let by_variable = call(&["pipe", "--node", "n"]).env(variable, &value).run();
        for (ended, name) in [(by_option, option.as_str()), (by_variable, variable)] {
            assert_eq!(ended.status, 1, "{name}: {}", ended.stderr);
            let expected = format!("error: {name}: must be {}", setting.kind.values());
            assert!(ended.stderr.contains(&expected), "{name}: {}", ended.stderr);
        }
    }
    let ended = call(&["pipe", "--when-full", "explode"]).run();
    assert_eq!(ended.status, 2, "{}", ended.stderr);
    let ended = call(&["seal"]).env("LOGFLUX_MODE", "5").run();
    assert!(ended.stderr.contains("LOGFLUX_MODE: must be 1, 2, 3, 4 or 128"), "{}", ended.stderr);
}

#[test]
fn an_option_comes_before_the_variable_and_an_empty_variable_is_not_set() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let pipe = server
        .call(&key, &["pipe", "--node", "n", "--queue-size", "7", "--when-full", "block"])
        .env("LOGFLUX_QUEUE_SIZE", "0")
        .env("LOGFLUX_MODE", "128")
        // It is of no account: every line that is read is shipped.
        .env("LOGFLUX_MIN_LEVEL", "emergency")
        .env("LOGFLUX_NODE", "")
        .env("LOGFLUX_CLOSE_TIMEOUT", "");
    let ended = pipe.input("line\n");
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "line\n"), "{}", ended.stderr);
    let back = server.call(&key, &["query", "--format", "json"]).run().ok();
    assert!(back.contains(r#""encryption_mode":128"#), "{back}");
    let sealed = logflux(&["seal"]).env("LOGFLUX_MODE", "").env("LOGFLUX_NODE", "").input("line\n");
    assert!(sealed.ok().contains(r#""encryption_mode":1,"#));
}
