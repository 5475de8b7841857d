//! The configuration of the environment: a process with these variables, and no other.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

mod place;

use std::process::Command;

use place::Place;

/// Runs the test of this name in a process with this environment; gives what it wrote.
fn run(test: &str, environment: &[(&str, String)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let written = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{written}");
    written
}

#[test]
#[ignore = "a process of the tests below"]
fn logs_as_the_environment_says() {
    match logflux::Config::from_env() {
        Ok(config) => {
            let _guard = logflux::init(config).unwrap();
            logflux::info!("from the environment");
        }
        Err(error) => println!("error <{error}>"),
    }
}

#[test]
fn three_variables_and_an_authority_are_enough() {
    let place = Place::new();
    run("logs_as_the_environment_says", &place.environment());
    assert_eq!(place.texts(), ["from the environment"]);
}

#[test]
fn every_error_begins_with_the_variable_or_names_the_choice_of_them() {
    let place = Place::new();
    for (variable, value, expected) in [
        ("LOGFLUX_SERVER_URL", "", "LOGFLUX_SERVER_URL is not set"),
        ("LOGFLUX_SERVER_URL", "http://example.com", "LOGFLUX_SERVER_URL: "),
        ("LOGFLUX_API_KEY", "hunter2", "LOGFLUX_API_KEY: "),
        ("LOGFLUX_NODE", "a\nb", "LOGFLUX_NODE: "),
        ("LOGFLUX_QUEUE_SIZE", "none", "LOGFLUX_QUEUE_SIZE: must be "),
        ("LOGFLUX_FLUSH_INTERVAL", "hunter2", "LOGFLUX_FLUSH_INTERVAL: "),
        ("LOGFLUX_MAX_RETRIES", "-1", "LOGFLUX_MAX_RETRIES: must be "),
        ("LOGFLUX_INITIAL_DELAY", "soon", "LOGFLUX_INITIAL_DELAY: "),
        ("LOGFLUX_MAX_DELAY", "late", "LOGFLUX_MAX_DELAY: "),
        ("LOGFLUX_BACKOFF_FACTOR", "0", "LOGFLUX_BACKOFF_FACTOR: must be "),
        ("LOGFLUX_HTTP_TIMEOUT", "1 s", "LOGFLUX_HTTP_TIMEOUT: "),
        ("LOGFLUX_MIN_LEVEL", "loud", "LOGFLUX_MIN_LEVEL: must be "),
        ("LOGFLUX_CLOSE_TIMEOUT", "25h", "LOGFLUX_CLOSE_TIMEOUT: must be "),
        ("LOGFLUX_SECRET", "", "LOGFLUX_SECRET: "),
        ("LOGFLUX_SECRET_FILE", "/a", "more than one of LOGFLUX_SECRET, LOGFLUX_SECRET_FILE"),
    ] {
        let mut environment = place.environment();
        environment.retain(|(name, _)| *name != variable);
        environment.push((variable, value.to_owned()));
        let written = run("logs_as_the_environment_says", &environment);
        assert!(written.contains(&format!("error <{expected}")), "{variable}: {written}");
        assert!(!written.contains("hunter2"), "{written}");
    }
    for (variable, value) in
        [("LOGFLUX_SECRET_FILE", "/no/such/file"), ("LOGFLUX_SECRET_COMMAND", "exit 3")]
    {
        let mut environment = place.environment();
        environment.retain(|(name, _)| *name != "LOGFLUX_SECRET");
        environment.push((variable, value.to_owned()));
        environment.push(("PATH", "/usr/bin:/bin".to_owned()));
        let written = run("logs_as_the_environment_says", &environment);
        assert!(written.contains(&format!("error <{variable}: ")), "{variable}: {written}");
    }
}

#[cfg(unix)]
#[test]
fn the_secret_s_command_may_run_for_as_long_as_its_variable_says() {
    let place = Place::new();
    let mut environment = place.environment();
    environment.retain(|(name, _)| *name != "LOGFLUX_SECRET");
    environment.push(("LOGFLUX_SECRET_COMMAND", "sleep 60".to_owned()));
    environment.push(("LOGFLUX_SECRET_COMMAND_TIMEOUT", "1s".to_owned()));
    environment.push(("PATH", "/usr/bin:/bin".to_owned()));
    let written = run("logs_as_the_environment_says", &environment);
    assert!(written.contains("error <LOGFLUX_SECRET_COMMAND: "), "{written}");
    assert!(written.contains("did not end within 1s"), "{written}");
}
