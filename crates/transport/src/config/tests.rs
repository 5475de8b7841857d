use std::ffi::OsString;
use std::time::Duration;

use logflux_envelope::{KeyPolicy, Level, Mode};

use super::{
    Backoff, BackoffFactor, ClientConfig, CloseTimeout, ConfigError, FlushInterval, HttpTimeout,
    InFlight, InitialDelay, Kind, MaxDelay, MaxRetries, ProxySetting, QueueBytes, QueueSize,
    Reason, RetryDeadline, SETTINGS, SecretCommandTimeout, SpoolMaxBytes, SpoolSegmentBytes,
    StatsInterval, SyncInterval,
};
use crate::client::WhenFull;
use crate::spool::SpoolFull;

const KEY: &str = "lf_0123456789abcdefABCDEF0123456789";
/// One step beyond a bound.
const STEP: Duration = Duration::from_nanos(1);

fn read(extra: &[(&str, &str)]) -> Result<ClientConfig, ConfigError> {
    let base = [("LOGFLUX_SERVER_URL", "https://localhost:1"), ("LOGFLUX_API_KEY", KEY)];
    let find = |table: &[(&str, &str)], name: &str| {
        table.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
    };
    ClientConfig::from_variables(&|name| find(extra, name).or_else(|| find(&base, name)))
}

/// The error of one variable, whose others are such that the two delays go together.
fn error_of(variable: &'static str, value: &str) -> Option<ConfigError> {
    let others =
        [(variable, value), ("LOGFLUX_INITIAL_DELAY", "1ms"), ("LOGFLUX_MAX_DELAY", "24h")];
    read(&others).err()
}

fn whole(name: &str, number: u128) -> Result<(), ConfigError> {
    match name {
        "queue_size" => QueueSize::new(number).map(drop),
        "queue_bytes" => QueueBytes::new(number).map(drop),
        "max_in_flight" => InFlight::new(number).map(drop),
        "max_retries" => MaxRetries::new(number).map(drop),
        "spool_max_bytes" => SpoolMaxBytes::new(number).map(drop),
        _ => panic!("this test does not know the type of {name}"),
    }
}

fn lasting(name: &str, duration: Duration) -> Result<(), ConfigError> {
    match name {
        "http_timeout" => HttpTimeout::new(duration).map(drop),
        "flush_interval" => FlushInterval::new(duration).map(drop),
        "sync_interval" => SyncInterval::new(duration).map(drop),
        "initial_delay" => InitialDelay::new(duration).map(drop),
        "max_delay" => MaxDelay::new(duration).map(drop),
        "retry_deadline" => RetryDeadline::new(duration).map(drop),
        "close_timeout" => CloseTimeout::new(duration).map(drop),
        "secret_command_timeout" => SecretCommandTimeout::new(duration).map(drop),
        "stats_interval" => StatsInterval::new(duration).map(drop),
        _ => panic!("this test does not know the type of {name}"),
    }
}

#[test]
fn every_bound_is_kept_in_rust_and_in_the_environment_and_one_value_beyond_it_is_an_error() {
    for setting in SETTINGS {
        let refused = |what: &dyn std::fmt::Debug, result: Result<(), ConfigError>| {
            let error = result.expect_err(&format!("{} takes {what:?}", setting.name));
            let expected = format!("{}: must be {}", setting.name, setting.kind.values());
            assert_eq!(error.to_string(), expected);
        };
        // Each text, and whether it is within the bounds.
        let mut texts: Vec<(String, bool)> = Vec::new();
        match setting.kind {
            Kind::Number { min, max, default } | Kind::Size { min, max, default } => {
                for good in [min, max, default] {
                    whole(setting.name, good.into()).unwrap();
                    texts.push((good.to_string(), true));
                }
                for bad in [u128::from(min).wrapping_sub(1), u128::from(max) + 1, u128::MAX] {
                    refused(&bad, whole(setting.name, bad));
                }
                texts.push((max.checked_add(1).unwrap().to_string(), false));
                texts.extend(min.checked_sub(1).map(|bad| (bad.to_string(), false)));
                texts.push((u64::MAX.to_string(), false));
            }
            Kind::Factor { min, max, default } => {
                for good in [min, max, default] {
                    BackoffFactor::new(good).unwrap();
                    texts.push((good.to_string(), true));
                }
                let nan = f64::NAN;
                for bad in [min.next_down(), max.next_up(), nan, f64::INFINITY, -min] {
                    refused(&bad, BackoffFactor::new(bad).map(drop));
                    texts.push((bad.to_string(), false));
                }
            }
            Kind::Duration { min, max, default } => {
                for good in [min, max, default] {
                    lasting(setting.name, good).unwrap();
                    texts.push((format!("{}ms", good.as_millis()), true));
                }
                let below = min.checked_sub(STEP);
                for bad in [Some(max + STEP), below, Some(Duration::MAX)].into_iter().flatten() {
                    refused(&bad, lasting(setting.name, bad));
                }
                texts.push((format!("{}ms", max.as_millis() + 1), false));
                let below = min.checked_sub(Duration::from_millis(1));
                texts.extend(below.map(|bad| (format!("{}ms", bad.as_millis()), false)));
                texts.push(("900y".replace('y', "d"), false));
            }
            Kind::Choice { words, default } => {
                assert!(words.contains(&default), "{}", setting.name);
                texts.extend(words.iter().map(|word| ((*word).to_owned(), true)));
                texts.push(("hunter2".to_owned(), false));
            }
            // Their types have tests of their own.
            Kind::Text { .. } => {}
        }
        let Some(variable) = setting.variable else { continue };
        for (text, good) in texts {
            let expected = format!("{variable}: must be {}", setting.kind.values());
            let expected = (!good).then_some(expected);
            let error = error_of(variable, &text).map(|error| error.to_string());
            assert_eq!(error, expected, "{variable}={text}");
        }
    }
}

#[test]
fn every_variable_sets_its_field_and_no_other() {
    let config = read(&[]).unwrap();
    let default = format!("{config:#?}");
    let samples = [
        ("LOGFLUX_SERVER_URL", "https://localhost:2"),
        ("LOGFLUX_API_KEY", ""),
        ("LOGFLUX_API_KEY_FILE", ""),
        ("LOGFLUX_SECRET", ""),
        ("LOGFLUX_SECRET_FILE", ""),
        ("LOGFLUX_SECRET_COMMAND", ""),
        ("LOGFLUX_SECRET_COMMAND_TIMEOUT", "9s"),
        ("LOGFLUX_NODE", "bär"),
        ("LOGFLUX_CA_FILE", "/ca.pem"),
        ("LOGFLUX_PROXY", "none"),
        ("LOGFLUX_HTTP_TIMEOUT", "5s"),
        ("LOGFLUX_MAX_IN_FLIGHT", "3"),
        ("LOGFLUX_MAX_RETRIES", "0"),
        ("LOGFLUX_INITIAL_DELAY", "250ms"),
        ("LOGFLUX_MAX_DELAY", "7"),
        ("LOGFLUX_BACKOFF_FACTOR", "1.5"),
        ("LOGFLUX_RETRY_DEADLINE", "7d"),
        ("LOGFLUX_QUEUE_SIZE", "77"),
        ("LOGFLUX_QUEUE_BYTES", "64MiB"),
        ("LOGFLUX_WHEN_FULL", "block"),
        ("LOGFLUX_FLUSH_INTERVAL", "20ms"),
        ("LOGFLUX_SPOOL_DIR", "/spool"),
        ("LOGFLUX_SPOOL_MAX_BYTES", "1GiB"),
        ("LOGFLUX_SPOOL_WHEN_FULL", "drop_oldest"),
        ("LOGFLUX_SYNC_INTERVAL", "1s"),
        ("LOGFLUX_MODE", "128"),
        ("LOGFLUX_KEY_POLICY", "unique"),
        ("LOGFLUX_MIN_LEVEL", "Warn"),
        ("LOGFLUX_CLOSE_TIMEOUT", "0"),
    ];
    let variables: Vec<_> = SETTINGS.iter().filter_map(|setting| setting.variable).collect();
    assert_eq!(samples.map(|(variable, _)| variable).to_vec(), variables);
    for (variable, value) in samples.into_iter().filter(|(_, value)| !value.is_empty()) {
        let changed = format!("{:#?}", read(&[(variable, value)]).unwrap());
        let pairs = changed.lines().zip(default.lines());
        assert_ne!(pairs.filter(|(now, then)| now != then).count(), 0, "{variable}");
    }

    let config = read(&samples.map(|(variable, value)| match variable {
        "LOGFLUX_API_KEY" => (variable, KEY),
        _ => (variable, value),
    }))
    .unwrap();
    assert_eq!(config.endpoint, "https://localhost:2".parse().unwrap());
    assert_eq!(config.secret_command_timeout.get(), Duration::from_secs(9));
    assert_eq!(config.node, Some("bär".parse().unwrap()));
    assert_eq!(config.ca_file, Some("/ca.pem".into()));
    assert_eq!(config.proxy, Some(ProxySetting::Direct));
    assert_eq!(config.http_timeout.get(), Duration::from_secs(5));
    assert_eq!(config.max_in_flight.get(), 3);
    assert_eq!(config.retry.max_retries.get(), 0);
    let backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(7), 1.5);
    assert_eq!(config.retry.backoff, backoff.unwrap());
    assert_eq!(config.retry_deadline.get(), Duration::from_secs(7 * 86_400));
    assert_eq!(config.queue_size.get(), 77);
    assert_eq!(config.queue_bytes.get(), 64 << 20);
    assert_eq!(config.when_full, WhenFull::Block);
    assert_eq!(config.flush_interval.get(), Duration::from_millis(20));
    assert_eq!(config.spool_dir, Some("/spool".into()));
    assert_eq!(config.spool_max_bytes.get(), 1 << 30);
    assert_eq!(config.spool_when_full, SpoolFull::DropOldest);
    assert_eq!(config.sync_interval.get(), Duration::from_secs(1));
    assert_eq!(config.mode, Mode::Hkdf);
    assert_eq!(config.key_policy, KeyPolicy::Unique);
    assert_eq!(config.min_level, Level::Warning);
    assert_eq!(config.close_timeout.get(), Duration::ZERO);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let default = format!("{:?}", read(&[]).unwrap());
    for variable in SETTINGS.iter().filter_map(|setting| setting.variable) {
        match read(&[(variable, "")]) {
            Ok(config) => assert_eq!(format!("{config:?}"), default, "{variable}"),
            Err(error) => {
                assert_eq!(error, ConfigError { setting: variable, reason: Reason::Missing });
                assert!(["LOGFLUX_SERVER_URL", "LOGFLUX_API_KEY"].contains(&variable));
            }
        }
    }
}

#[test]
fn what_is_wrong_is_named_by_its_variable_and_the_value_is_not_shown() {
    for (name, value) in [
        ("LOGFLUX_SERVER_URL", "http://hunter2.example.com"),
        ("LOGFLUX_SERVER_URL", "https://hunter2.example.com/v1/ingest"),
        ("LOGFLUX_API_KEY", "hunter2"),
        ("LOGFLUX_NODE", "hunter2\n"),
        ("LOGFLUX_PROXY", "ftp://hunter2"),
        ("LOGFLUX_HTTP_TIMEOUT", "hunter2"),
        ("LOGFLUX_MAX_RETRIES", "-1"),
        ("LOGFLUX_MAX_RETRIES", "hunter2"),
        ("LOGFLUX_BACKOFF_FACTOR", "hunter2"),
        ("LOGFLUX_QUEUE_SIZE", "1.5"),
        ("LOGFLUX_QUEUE_BYTES", "hunter2"),
        ("LOGFLUX_WHEN_FULL", "hunter2"),
        ("LOGFLUX_MODE", "5"),
        ("LOGFLUX_MIN_LEVEL", "hunter2"),
        ("LOGFLUX_KEY_POLICY", "hunter2"),
    ] {
        let error = read(&[(name, value)]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: ")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert!(!format!("{:?}", read(&[]).unwrap()).contains(KEY));
}

#[test]
fn the_key_comes_from_its_variable_or_from_a_file_and_not_from_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let file = path.to_str().unwrap();
    let from_file = || read(&[("LOGFLUX_API_KEY", ""), ("LOGFLUX_API_KEY_FILE", file)]);
    for text in [KEY.to_owned(), format!("{KEY}\n"), format!(" {KEY}\r\n\n")] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(from_file().unwrap().api_key.expose(), KEY);
    }
    let error = read(&[("LOGFLUX_API_KEY_FILE", file)]).unwrap_err().to_string();
    assert!(error.starts_with("LOGFLUX_API_KEY_FILE: must not be set"), "{error}");
    let long = format!("{KEY}{}", " ".repeat(10_000));
    for text in ["", "hunter2", &format!("{KEY}{KEY}"), &long] {
        std::fs::write(&path, text).unwrap();
        let error = from_file().unwrap_err().to_string();
        assert!(error.starts_with(&format!("LOGFLUX_API_KEY_FILE: {file}: ")), "{error}");
        assert!(!error.contains("hunter2") && !error.contains(KEY), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let error = from_file().unwrap_err().to_string();
    assert!(error.starts_with(&format!("LOGFLUX_API_KEY_FILE: {file}: ")), "{error}");
}

#[test]
fn the_first_pause_is_not_longer_than_the_longest() {
    let second = Duration::from_secs(1);
    assert!(Backoff::new(second, second, 2.0).is_ok());
    let error = Backoff::new(second + STEP, second, 2.0).unwrap_err();
    assert_eq!(error.to_string(), "initial_delay: must be at most max_delay, the longest pause");
    let error = read(&[("LOGFLUX_MAX_DELAY", "499ms")]).unwrap_err();
    assert_eq!(error.setting, "LOGFLUX_INITIAL_DELAY");
    assert!(read(&[("LOGFLUX_MAX_DELAY", "500ms")]).is_ok());
}

#[test]
fn a_segment_is_at_most_a_quarter_of_the_spool() {
    let mut config = read(&[]).unwrap();
    assert_eq!(config.spool_options().unwrap().segment_bytes, 8 << 20);
    config.spool_max_bytes = SpoolMaxBytes::new(1 << 20).unwrap();
    assert_eq!(config.spool_options().unwrap().segment_bytes, 256 << 10);
    config.spool_segment_bytes = Some(SpoolSegmentBytes::new(256 << 10).unwrap());
    assert_eq!(config.spool_options().unwrap().segment_bytes, 256 << 10);
    config.spool_segment_bytes = Some(SpoolSegmentBytes::new((256 << 10) + 1).unwrap());
    assert_eq!(config.spool_options().unwrap_err().setting, "spool_segment_bytes");
}

#[cfg(unix)]
#[test]
fn only_a_path_may_be_other_than_utf8() {
    use std::os::unix::ffi::OsStringExt;
    let paths = ["LOGFLUX_CA_FILE", "LOGFLUX_SPOOL_DIR"];
    // Read with the secret, by what knows where that is.
    let elsewhere = ["LOGFLUX_SECRET", "LOGFLUX_SECRET_FILE", "LOGFLUX_SECRET_COMMAND"];
    for variable in SETTINGS.iter().filter_map(|setting| setting.variable) {
        let read = ClientConfig::from_variables(&move |name| match name {
            name if name == variable => Some(OsString::from_vec(b"/\xff".to_vec())),
            "LOGFLUX_SERVER_URL" => Some("https://localhost:1".into()),
            "LOGFLUX_API_KEY" if variable != "LOGFLUX_API_KEY_FILE" => Some(KEY.into()),
            _ => None,
        });
        if variable == "LOGFLUX_API_KEY_FILE" {
            // The path is taken, and there is no such file.
            let reason = read.unwrap_err().reason;
            assert!(matches!(reason, Reason::Invalid(_)), "{reason:?}");
        } else if paths.contains(&variable) || elsewhere.contains(&variable) {
            assert!(read.is_ok(), "{variable}");
        } else {
            let expected = ConfigError { setting: variable, reason: Reason::NotUtf8 };
            assert_eq!(read.unwrap_err(), expected);
        }
    }
}

#[test]
fn names_are_of_one_form_and_occur_once() {
    for (place, setting) in SETTINGS.iter().enumerate() {
        assert!(SETTINGS.iter().skip(place + 1).all(|other| other.name != setting.name));
        if let Some(variable) = setting.variable {
            assert_eq!(variable, format!("LOGFLUX_{}", setting.name.to_uppercase()));
        }
        assert!(!setting.about.ends_with('.'), "{}", setting.name);
    }
}
